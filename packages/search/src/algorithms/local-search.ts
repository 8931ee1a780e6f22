import type { RandomStream } from "@dovetail/core";
import { drawChoices, neighbours } from "./moves.js";
import {
  createLedger,
  type TableEffort,
  type TableProblem,
  type TableSearchResult,
  type TableTrial,
} from "./problem.js";

/**
 * Local search (C. White et al., UAI 2021): neighbours in random order, moving to the first that is better; where none is,
 * again from a random architecture. Throws `nothing_within_limit`, and the signal's reason.
 */
export function searchLocally(problem: TableProblem, effort: TableEffort, random: RandomStream): TableSearchResult {
  const ledger = createLedger(problem, effort);
  let current: TableTrial | undefined;
  while (!ledger.isSpent()) {
    current ??= ledger.query(drawChoices(problem.choiceCounts, random));
    if (current === undefined) continue;
    const score = current.score;
    let better: TableTrial | undefined;
    for (const neighbour of random.shuffle(neighbours(current.choices, problem.choiceCounts))) {
      const trial = ledger.query(neighbour);
      if (trial === undefined || trial.score <= score) continue;
      better = trial;
      break;
    }
    current = better;
  }
  return ledger.result();
}

import type { RandomStream } from "@dovetail/core";
import { drawChoices } from "./moves.js";
import { createLedger, type TableEffort, type TableProblem, type TableSearchResult } from "./problem.js";

/** Uniform draws without repeats within the limit. Throws `nothing_within_limit`, and the signal's reason. */
export function searchRandomly(problem: TableProblem, effort: TableEffort, random: RandomStream): TableSearchResult {
  const ledger = createLedger(problem, effort);
  while (!ledger.isSpent()) ledger.query(drawChoices(problem.choiceCounts, random));
  return ledger.result();
}

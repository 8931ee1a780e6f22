import type { RandomStream } from "@dovetail/core";
import { newChild, seedPopulation } from "./evolution.js";
import {
  createLedger,
  type TableEffort,
  type TableProblem,
  type TableSearchResult,
  type TableTrial,
} from "./problem.js";

export interface FrontSearchOptions {
  /** Architectures alive. Default 40. */
  readonly populationSize?: number | undefined;
}

/**
 * Evolution of a whole front of score and cost, in the manner of NSGA-II (K. Deb et al., 2002), one child at a time: the
 * parent is the better of two in rank, then in room; the one of the last rank with the least room dies. The problem must
 * have a cost. Throws `nothing_within_limit`, and the signal's reason.
 */
export function searchFront(
  problem: TableProblem,
  effort: TableEffort,
  random: RandomStream,
  options: FrontSearchOptions = {},
): TableSearchResult {
  const { populationSize = 40 } = options;
  const ledger = createLedger(problem, effort);
  let ranked = ranking(seedPopulation(problem, ledger, populationSize, random));
  while (!ledger.isSpent() && ranked.length > 0) {
    // The list is in order: of two places the lower is the better one.
    const place = Math.min(random.integer(ranked.length), random.integer(ranked.length));
    const child = newChild(problem, ledger, ranked[place]!, random);
    if (child) ranked = ranking([...ranked, child]).slice(0, populationSize);
  }
  return ledger.result();
}

/** The best first: by front, then by the room between its neighbours on the front. */
function ranking(trials: readonly TableTrial[]): TableTrial[] {
  const result: TableTrial[] = [];
  let rest = [...trials];
  while (rest.length > 0) {
    const front = nondominated(rest);
    const taken = new Set(front);
    rest = rest.filter((trial) => !taken.has(trial));
    const room = front.map((_, place) => roomAt(front, place));
    const order = front.map((_, place) => place).sort((a, b) => room[b]! - room[a]! || a - b);
    result.push(...order.map((place) => front[place]!));
  }
  return result;
}

/** Distance between the neighbours on a front, each axis in units of the front's extent; the ends have all the room. */
function roomAt(front: readonly TableTrial[], place: number): number {
  const [before, after, first, last] = [front[place - 1], front[place + 1], front[0]!, front.at(-1)!];
  if (before === undefined || after === undefined) return Number.POSITIVE_INFINITY;
  return (
    (after.cost - before.cost) / (last.cost - first.cost) + (after.score - before.score) / (last.score - first.score)
  );
}

/** The trials that no other beats in score and cost, in order of cost; of equals the first. */
export function nondominated(trials: readonly TableTrial[]): TableTrial[] {
  const sorted = [...trials].sort((a, b) => a.cost - b.cost || b.score - a.score);
  const front: TableTrial[] = [];
  for (const trial of sorted) {
    if (front.length === 0 || trial.score > front.at(-1)!.score) front.push(trial);
  }
  return front;
}

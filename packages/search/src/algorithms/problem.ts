// Searches among architectures whose scores and costs are known by look-up: choices at positions, no supernet.
import { inputError, type Watch } from "@dovetail/core";

/** A choice at every position: indices into the options. */
export type Choices = readonly number[];

/** What is searched. A score stands for a training, so scores are what is counted; a cost is free to ask. */
export interface TableProblem {
  /** Number of options at each position. */
  readonly choiceCounts: readonly number[];
  /** What is made as high as it can be, such as validation accuracy in percent. NaN: there is none, the architecture is out. */
  score(choices: Choices): number;
  /** What is limited, such as latency in ms. NaN: there is none, the architecture is out. */
  readonly cost?: ((choices: Choices) => number) | undefined;
  /** Highest cost allowed. Default: none. */
  readonly limit?: number | undefined;
}

/** An architecture whose score was asked for. */
export interface TableTrial {
  readonly choices: Choices;
  readonly score: number;
  /** NaN where the problem has no cost. */
  readonly cost: number;
}

export interface TableSearchResult {
  /** Of the highest score; the first of equals. */
  readonly best: TableTrial;
  /** In the order in which they were asked for, no architecture twice. */
  readonly trials: readonly TableTrial[];
}

/** What a search may use. */
export interface TableEffort extends Watch {
  /** Scores that may be asked for. */
  readonly queries: number;
}

/** Architectures looked at for each query before a search gives up: repeated ones, and those over the limit. */
const attemptsPerQuery = 200;

/** Keeps what was asked, counts it, and never asks twice. */
export interface Ledger {
  readonly trials: readonly TableTrial[];
  /** Whether the effort is spent. Throws the signal's reason when the search is cancelled. */
  isSpent(): boolean;
  /** The cost, or undefined when the architecture is over the limit or has none. Costs no query. */
  costWithin(choices: Choices): number | undefined;
  isKnown(choices: Choices): boolean;
  /** Asks for the score, free of charge when it is known. Undefined: over the limit, without a score, or nothing is left. */
  query(choices: Choices): TableTrial | undefined;
  /** The result. Throws the input error `nothing_within_limit` when no architecture was found. */
  result(): TableSearchResult;
}

export function createLedger(problem: TableProblem, { queries, signal, onProgress }: TableEffort): Ledger {
  const trials: TableTrial[] = [];
  const known = new Map<string, TableTrial | undefined>();
  let attempts = 0;
  let best: TableTrial | undefined;
  const keyOf = (choices: Choices): string => choices.join();
  const costWithin = (choices: Choices): number | undefined => {
    attempts++;
    const cost = problem.cost?.(choices) ?? Number.NaN;
    if (problem.cost === undefined) return cost;
    return cost <= (problem.limit ?? Number.POSITIVE_INFINITY) ? cost : undefined;
  };
  return {
    trials,
    costWithin,
    isKnown: (choices) => known.has(keyOf(choices)),
    isSpent() {
      signal?.throwIfAborted();
      return trials.length >= queries || attempts >= queries * attemptsPerQuery;
    },
    query(choices) {
      const key = keyOf(choices);
      const cost = costWithin(choices);
      if (cost === undefined || known.has(key)) return known.get(key);
      if (trials.length >= queries) return undefined;
      const score = problem.score(choices);
      const trial = Number.isNaN(score) ? undefined : { choices: [...choices], score, cost };
      known.set(key, trial);
      if (trial === undefined) return undefined;
      trials.push(trial);
      if (best === undefined || score > best.score) best = trial;
      onProgress?.({ task: "search", done: trials.length, total: queries, unit: "architectures" });
      return trial;
    },
    result() {
      if (best === undefined) {
        throw inputError("nothing_within_limit", "no architecture within the limit was found", {
          expected: problem.limit === undefined ? undefined : `a cost of at most ${problem.limit}`,
          received: `${attempts} architectures looked at`,
        });
      }
      return { best, trials };
    },
  };
}

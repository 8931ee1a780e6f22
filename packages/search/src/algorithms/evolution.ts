import type { RandomStream } from "@dovetail/core";
import { drawChoices, mutate } from "./moves.js";
import {
  createLedger,
  type Ledger,
  type TableEffort,
  type TableProblem,
  type TableSearchResult,
  type TableTrial,
} from "./problem.js";

export interface EvolutionOptions {
  /** Architectures alive. Default 20, with fewer than 100 queries a fifth of them, at least 4. */
  readonly populationSize?: number | undefined;
  /** Of these so many are drawn, and the best of them has the child. Default 5. */
  readonly sampleSize?: number | undefined;
}

/**
 * Regularised evolution (E. Real et al., AAAI 2019): the best of a sample has a child, the oldest dies. A child is
 * mutated until it is new and within the limit. Throws `nothing_within_limit`, and the signal's reason.
 */
export function searchByEvolution(
  problem: TableProblem,
  effort: TableEffort,
  random: RandomStream,
  options: EvolutionOptions = {},
): TableSearchResult {
  // Set after a look: with 30 queries a population of 20 is hardly better than random search.
  const usualSize = Math.max(4, Math.min(20, Math.floor(effort.queries / 5)));
  const { populationSize = usualSize, sampleSize = 5 } = options;
  const ledger = createLedger(problem, effort);
  const population = seedPopulation(problem, ledger, populationSize, random);
  while (!ledger.isSpent() && population.length > 0) {
    const sample = Array.from({ length: sampleSize }, () => population[random.integer(population.length)]!);
    const parent = sample.reduce((best, candidate) => (candidate.score > best.score ? candidate : best));
    const child = newChild(problem, ledger, parent, random);
    if (child === undefined) continue;
    population.push(child);
    population.shift();
  }
  return ledger.result();
}

/** The first generation: uniform draws within the limit. */
export function seedPopulation(
  problem: TableProblem,
  ledger: Ledger,
  populationSize: number,
  random: RandomStream,
): TableTrial[] {
  while (ledger.trials.length < populationSize && !ledger.isSpent()) {
    ledger.query(drawChoices(problem.choiceCounts, random));
  }
  return [...ledger.trials];
}

/** A child that was never asked for: mutated again and again until it is new and within the limit. */
export function newChild(
  problem: TableProblem,
  ledger: Ledger,
  parent: TableTrial,
  random: RandomStream,
): TableTrial | undefined {
  let child = mutate(parent.choices, problem.choiceCounts, random);
  while (ledger.costWithin(child) === undefined || ledger.isKnown(child)) {
    if (ledger.isSpent()) return undefined;
    child = mutate(child, problem.choiceCounts, random);
  }
  return ledger.query(child);
}

import type { RandomStream } from "@dovetail/core";
import { adamStep, createCategorical, probabilities } from "../sampling/categorical.js";
import { createLedger, type TableEffort, type TableProblem, type TableSearchResult } from "./problem.js";

export interface TableGradientOptions {
  /** Step of Adam on the logits. Default 0.1. */
  readonly learningRate?: number | undefined;
  /** Draws whose costs estimate the gradient of the expected cost at a step; they ask for no score. Default 32. */
  readonly costDraws?: number | undefined;
  /** Step of the multiplier of the limit. Default 0.05. */
  readonly multiplierRate?: number | undefined;
  /** Rate of the running mean and deviation that scores are measured by. Default 0.05. */
  readonly baselineRate?: number | undefined;
  /** Weight of the distributions' entropy, so that they do not harden at once. Default 0.05. */
  readonly entropyWeight?: number | undefined;
  /** Draws in a row without a new architecture within the limit after which the logits are set back. Default 100. */
  readonly patience?: number | undefined;
}

/**
 * Differentiable search with a hardware loss, in the form that needs no supernet (ProxylessNAS, H. Cai et al., ICLR 2019,
 * section 3.3): logits at every position, loss = −E[score] + μ · (E[cost] / limit − 1) − w · entropy, both expectations by
 * the score-function estimator with a running baseline; μ ≥ 0 rises while the expected cost exceeds the limit. What is
 * drawn within the limit counts as found. Where `patience` draws in a row give nothing new, it begins again. Throws `nothing_within_limit`, and the signal's reason.
 */
export function searchByGradient(
  problem: TableProblem,
  effort: TableEffort,
  random: RandomStream,
  options: TableGradientOptions = {},
): TableSearchResult {
  const { learningRate = 0.1, costDraws = 32, multiplierRate = 0.05, baselineRate = 0.05 } = options;
  const { entropyWeight = 0.05, patience = 100 } = options;
  const ledger = createLedger(problem, effort);
  while (!ledger.isSpent()) {
    const choices = problem.choiceCounts.map(createCategorical);
    const baseline = createBaseline(baselineRate);
    let multiplier = 0;
    for (let stale = 0; stale < patience && !ledger.isSpent(); ) {
      const distributions = choices.map(({ logits }) => probabilities(logits));
      const gradient = choices.map(({ logits }) => new Array<number>(logits.length).fill(0));
      const drawn = distributions.map((distribution) => drawFrom(distribution, random));
      const before = ledger.trials.length;
      const trial = ledger.query(drawn);
      stale = ledger.trials.length > before ? 0 : stale + 1;
      if (trial) credit(gradient, distributions, drawn, -baseline.advantage(trial.score));
      const use = creditCost(problem, distributions, gradient, { costDraws, multiplier, random });
      multiplier = Math.max(0, multiplier + multiplierRate * (use - 1));
      for (const [position, choice] of choices.entries()) {
        addEntropySlope(gradient[position]!, distributions[position]!, entropyWeight);
        adamStep(choice, gradient[position]!, { learningRate });
      }
    }
  }
  return ledger.result();
}

/** Adds μ · ∂ E[cost / limit] and gives the estimated E[cost / limit]; 0 where nothing is limited. */
function creditCost(
  problem: TableProblem,
  distributions: readonly (readonly number[])[],
  gradient: readonly number[][],
  { costDraws, multiplier, random }: { costDraws: number; multiplier: number; random: RandomStream },
): number {
  const { cost, limit } = problem;
  if (cost === undefined || limit === undefined) return 0;
  const draws: { readonly drawn: readonly number[]; readonly use: number }[] = [];
  for (let draw = 0; draw < costDraws; draw++) {
    const drawn = distributions.map((distribution) => drawFrom(distribution, random));
    const use = cost(drawn) / limit;
    if (!Number.isNaN(use)) draws.push({ drawn, use });
  }
  if (draws.length === 0) return 0;
  const mean = draws.reduce((sum, { use }) => sum + use, 0) / draws.length;
  for (const { drawn, use } of draws)
    credit(gradient, distributions, drawn, (multiplier * (use - mean)) / draws.length);
  return mean;
}

/** Adds weight · ∂ log p(drawn) to the gradient of the logits. */
function credit(
  gradient: readonly number[][],
  distributions: readonly (readonly number[])[],
  drawn: readonly number[],
  weight: number,
): void {
  for (const [position, option] of drawn.entries()) {
    const slope = gradient[position]!;
    for (const [at, p] of distributions[position]!.entries()) slope[at]! += weight * ((at === option ? 1 : 0) - p);
  }
}

/** Adds −w · ∂ entropy. */
function addEntropySlope(gradient: number[], distribution: readonly number[], weight: number): void {
  const logs = distribution.map((p) => Math.log(Math.max(p, 1e-12)));
  const negativeEntropy = distribution.reduce((sum, p, option) => sum + p * logs[option]!, 0);
  for (const [option, p] of distribution.entries()) gradient[option]! += weight * p * (logs[option]! - negativeEntropy);
}

function drawFrom(distribution: readonly number[], random: RandomStream): number {
  let rest = random.uniform();
  for (const [option, p] of distribution.entries()) {
    rest -= p;
    if (rest < 0) return option;
  }
  return distribution.length - 1;
}

/** How much better than usual a score is, in running deviations. */
function createBaseline(rate: number): { advantage(score: number): number } {
  let mean: number | undefined;
  let variance = 0;
  return {
    advantage(score) {
      mean ??= score;
      const difference = score - mean;
      mean += rate * difference;
      variance = (1 - rate) * (variance + rate * difference * difference);
      return variance > 0 ? difference / Math.sqrt(variance) : 0;
    },
  };
}

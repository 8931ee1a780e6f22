// Gradient search over a discrete hardware design: one categorical per parameter, Gumbel-softmax samples,
// the sampled design's true cost as the signal (DNA, arXiv 2010.14778; the estimator of its public relative Auto-NBA
// with a running baseline and Lagrange multipliers added, without which it does not move).
import type { RandomStream } from "@dovetail/core";
import { adamStep, argmax, type Categorical, createCategorical, drawGumbel } from "../sampling/categorical.js";

/** A discrete design space: for each parameter the number of its options. */
export interface DesignSpace {
  readonly parameters: readonly { readonly name: string; readonly options: number }[];
}

/** Cost of one design. Rejection is a value: an infeasible design says why and carries no cost. */
export type DesignCost =
  | {
      readonly ok: true;
      /** Natural logarithm of what is minimised. */
      readonly logCost: number;
      /** Use of each limited resource as a fraction of its limit; feasible when none exceeds 1. */
      readonly usage: readonly number[];
    }
  | { readonly ok: false; readonly reason: string };

export interface DesignSearchOptions {
  readonly evaluations: number;
  readonly learningRate?: number | undefined;
  readonly temperature?: number | undefined;
  /** Rate of the running mean that serves as baseline. */
  readonly baselineRate?: number | undefined;
  /** Step of the dual ascent on the resource limits. */
  readonly multiplierRate?: number | undefined;
}

/** State of the search: plain data, so that it can be saved between any two evaluations. */
export interface DesignSearchState {
  readonly choices: readonly Categorical[];
  readonly multipliers: number[];
  baseline: number | undefined;
  evaluations: number;
  best: { readonly design: readonly number[]; readonly logCost: number } | undefined;
}

export function createDesignSearch(space: DesignSpace, resources: number): DesignSearchState {
  return {
    choices: space.parameters.map(({ options }) => createCategorical(options)),
    multipliers: new Array<number>(resources).fill(0),
    baseline: undefined,
    evaluations: 0,
    best: undefined,
  };
}

/** What infeasible designs are charged above the baseline, in the logarithm of the cost. */
const rejectionPenalty = 2;

/**
 * Runs `options.evaluations` further evaluations, in place. Each draws a design, evaluates it, credits every drawn option
 * with (cost + Σ λ·usage − baseline)·∂ soft probability, and moves the multipliers λ by usage − 1.
 * `best` is the cheapest feasible design that was ever drawn.
 */
export async function searchDesign(
  state: DesignSearchState,
  evaluate: (design: readonly number[]) => DesignCost | Promise<DesignCost>,
  options: DesignSearchOptions,
  random: RandomStream,
): Promise<void> {
  const { learningRate = 0.05, temperature = 1, baselineRate = 0.05, multiplierRate = 0.02 } = options;
  for (let count = 0; count < options.evaluations; count++) {
    const stream = random.split(state.evaluations++);
    const draws = state.choices.map((choice) => drawGumbel(choice.logits, temperature, stream));
    const design = draws.map(({ index }) => index);
    const cost = await evaluate(design);
    const signal = priceOf(state, cost, multiplierRate);
    if (isBetter(cost, state)) state.best = { design, logCost: cost.logCost };
    const advantage = signal - (state.baseline ?? signal);
    state.baseline = state.baseline === undefined ? signal : state.baseline + baselineRate * (signal - state.baseline);
    draws.forEach(({ index, soft }, parameter) => {
      const drawn = soft[index]!;
      const gradient = soft.map((p, option) => (advantage * drawn * ((option === index ? 1 : 0) - p)) / temperature);
      adamStep(state.choices[parameter]!, gradient, { learningRate });
    });
  }
}

function priceOf(state: DesignSearchState, cost: DesignCost, multiplierRate: number): number {
  if (!cost.ok) return (state.baseline ?? 0) + rejectionPenalty;
  let price = cost.logCost;
  cost.usage.forEach((use, resource) => {
    price += state.multipliers[resource]! * use;
    state.multipliers[resource] = Math.max(0, state.multipliers[resource]! + multiplierRate * (use - 1));
  });
  return price;
}

/** Evaluates designs that are known to be worth a look, before the search draws its own. */
export async function considerDesigns(
  state: DesignSearchState,
  designs: readonly (readonly number[])[],
  evaluate: (design: readonly number[]) => DesignCost | Promise<DesignCost>,
): Promise<void> {
  for (const design of designs) {
    state.evaluations++;
    const cost = await evaluate(design);
    if (isBetter(cost, state)) state.best = { design, logCost: cost.logCost };
  }
}

/**
 * Coordinate descent from the best design so far: one parameter a step up or down at a time, the first improvement taken,
 * until none is left or the evaluations are used up.
 */
export async function refineDesign(
  state: DesignSearchState,
  space: DesignSpace,
  evaluate: (design: readonly number[]) => DesignCost | Promise<DesignCost>,
  options: { readonly evaluations: number },
): Promise<void> {
  const end = state.evaluations + options.evaluations;
  let improved = state.best !== undefined;
  while (improved) {
    improved = false;
    for (const design of neighbours(state.best!.design, space)) {
      if (state.evaluations >= end) return;
      state.evaluations++;
      const cost = await evaluate(design);
      if (!isBetter(cost, state)) continue;
      state.best = { design, logCost: cost.logCost };
      improved = true;
      break;
    }
  }
}

function neighbours(design: readonly number[], { parameters }: DesignSpace): number[][] {
  return parameters.flatMap(({ options }, parameter) =>
    [-1, 1].flatMap((step) => {
      const option = design[parameter]! + step;
      return option < 0 || option >= options
        ? []
        : [design.map((value, index) => (index === parameter ? option : value))];
    }),
  );
}

function isBetter(cost: DesignCost, { best }: DesignSearchState): cost is Extract<DesignCost, { ok: true }> {
  return cost.ok && cost.usage.every((use) => use <= 1) && (best === undefined || cost.logCost < best.logCost);
}

/** The likeliest design. */
export function likeliestDesign(state: DesignSearchState): number[] {
  return state.choices.map(({ logits }) => argmax(logits));
}

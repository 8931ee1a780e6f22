// Progressive fractional quantization (FracTrain): precision rises when the loss no longer falls.

import { inputError } from "@dovetail/core";
import { z } from "zod";

/** Settings of the indicator. The published code's defaults are 0.15 and 0.4; its instructions run 0.05 and 0.3. */
export interface PfqOptions {
  /** Largest difference of losses, relative to the mean of the first ones, that counts as standing still. */
  readonly epsilon: number;
  /** Factor of `epsilon` at each of the first two turning points. */
  readonly alpha: number;
  /** Turning points after which nothing changes any more; 3 by default. */
  readonly turningPoints?: number | undefined;
  /** Losses that are compared, the latest included; 5 by default. */
  readonly window?: number | undefined;
  /** First losses whose mean is the unit; 10 by default. */
  readonly reference?: number | undefined;
}

export const publishedPfq = { epsilon: 0.05, alpha: 0.3 } as const satisfies PfqOptions;

/** All that a PFQ controller remembers. */
export interface PfqState {
  readonly turningPoints: number;
  readonly epsilon: number;
  /** The latest losses since the last turning point, oldest first. */
  readonly recent: readonly number[];
  /** Sum and number of the first losses. */
  readonly referenceSum: number;
  readonly referenceCount: number;
}

export const pfqStateSchema = z.strictObject({
  turningPoints: z.number().int().nonnegative(),
  epsilon: z.number().positive(),
  recent: z.array(z.number()),
  referenceSum: z.number(),
  referenceCount: z.number().int().nonnegative(),
});

/** ε shrinks at this many turning points, as published. */
const shrinkingTurningPoints = 2;

/** Throws the input error `pfq_options` for settings that make no indicator. */
export function startPfq(options: PfqOptions): PfqState {
  const { epsilon, alpha } = options;
  if (!(epsilon > 0) || !(alpha > 0)) {
    throw inputError("pfq_options", "no settings of PFQ", {
      expected: "epsilon and alpha above 0",
      received: `epsilon ${epsilon}, alpha ${alpha}`,
    });
  }
  return { turningPoints: 0, epsilon, recent: [], referenceSum: 0, referenceCount: 0 };
}

/**
 * The state after an epoch with this mean loss. A turning point: the window is full and every older loss ℓ in it has
 * |ℓ − loss| ≤ ε · (mean of the first losses). Then the window is emptied, and ε shrinks the first two times.
 */
export function advancePfq(state: PfqState, loss: number, options: PfqOptions): PfqState {
  const { turningPoints = 3, window = 5, reference = 10 } = options;
  const counts = state.referenceCount < reference;
  const referenceSum = state.referenceSum + (counts ? loss : 0);
  const referenceCount = state.referenceCount + (counts ? 1 : 0);
  const recent = [...state.recent, loss].slice(-window);
  const next = { ...state, recent, referenceSum, referenceCount };
  if (state.turningPoints >= turningPoints || recent.length < window) return next;
  const unit = referenceSum / referenceCount;
  const stands = recent.slice(0, -1).every((older) => Math.abs(older - loss) / unit <= state.epsilon);
  if (!stands) return next;
  return {
    ...next,
    turningPoints: state.turningPoints + 1,
    epsilon: state.turningPoints < shrinkingTurningPoints ? state.epsilon * options.alpha : state.epsilon,
    recent: [],
  };
}

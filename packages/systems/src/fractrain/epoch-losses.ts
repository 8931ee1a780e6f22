import { z } from "zod";
import { advancePfq, type PfqOptions, type PfqState, pfqStateSchema, startPfq } from "./pfq.js";

// PFQ sees the mean loss of some steps at a time; the published code calls 400 of them an epoch.

export interface LossWatchOptions extends PfqOptions {
  readonly epochSteps: number;
}

export const lossWatchStateSchema = z.strictObject({
  pfq: pfqStateSchema,
  sum: z.number(),
  steps: z.number().int().nonnegative(),
});

export interface LossWatchState {
  readonly pfq: PfqState;
  /** Of the steps since the last epoch's end. */
  readonly sum: number;
  readonly steps: number;
}

export function startLossWatch(options: LossWatchOptions): LossWatchState {
  return { pfq: startPfq(options), sum: 0, steps: 0 };
}

/** The state after a step with this loss. */
export function advanceLossWatch(state: LossWatchState, loss: number, options: LossWatchOptions): LossWatchState {
  const sum = state.sum + loss;
  const steps = state.steps + 1;
  if (steps < options.epochSteps) return { ...state, sum, steps };
  return { pfq: advancePfq(state.pfq, sum / steps, options), sum: 0, steps: 0 };
}

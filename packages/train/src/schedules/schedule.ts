// Schedules are pure functions from the number of optimizer steps done so far to a value.

/** The value of a hyper-parameter at step 0, 1, 2, … */
export type Schedule = (step: number) => number;

/** A value that is the same at every step, or follows a schedule. */
export type Scheduled = number | Schedule;

/** The value at a step. */
export function valueAt(value: Scheduled, step: number): number {
  return typeof value === "number" ? value : value(step);
}

export const constant =
  (value: number): Schedule =>
  () =>
    value;

export interface StepScheduleOptions {
  readonly value: number;
  /** Steps at which the value is multiplied, in rising order. */
  readonly milestones: readonly number[];
  /** 0.1 by default. */
  readonly factor?: number | undefined;
}

/** Multiplied by `factor` at each milestone: `torch.optim.lr_scheduler.MultiStepLR`. */
export function stepSchedule({ value, milestones, factor = 0.1 }: StepScheduleOptions): Schedule {
  return (step) => value * factor ** milestones.filter((milestone) => step >= milestone).length;
}

export interface CosineOptions {
  readonly value: number;
  readonly steps: number;
  /** Where it ends; 0 by default. */
  readonly final?: number | undefined;
}

/** Half a cosine from `value` at step 0 to `final` at `steps`, where it stays (Loshchilov and Hutter 2017, one cycle). */
export function cosine({ value, steps, final = 0 }: CosineOptions): Schedule {
  return (step) => cosineBetween(value, final, Math.min(step / steps, 1));
}

export interface LinearWarmUpOptions {
  /** Steps of the warm-up. */
  readonly steps: number;
  /** Where it starts, as a share of what follows. */
  readonly startFactor: number;
  /** What follows; its step 0 is the first after the warm-up. */
  readonly next: Schedule;
}

/** Rises linearly to the first value of `next`: PyTorch's LinearLR followed, by SequentialLR, with `next`. */
export function linearWarmUp({ steps, startFactor, next }: LinearWarmUpOptions): Schedule {
  return (step) => {
    if (step >= steps) return next(step - steps);
    return next(0) * (startFactor + (1 - startFactor) * (step / steps));
  };
}

export interface OneCycleOptions {
  readonly maximum: number;
  readonly steps: number;
  /** Share of the steps that rise; 0.3 by default. */
  readonly riseFraction?: number | undefined;
  /** maximum / first value; 25 by default. */
  readonly startDivisor?: number | undefined;
  /** First value / last value; 1e4 by default. */
  readonly finalDivisor?: number | undefined;
}

/**
 * One cycle with cosine flanks (Smith and Topin 2018), as `torch.optim.lr_scheduler.OneCycleLR` defines it with two
 * phases: maximum / startDivisor → maximum → that start / finalDivisor, reached at the last step (`steps` − 1).
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { maximum, startDivisor = 25, finalDivisor = 1e4 } = options;
  const start = maximum / startDivisor;
  return cycle(options, start, maximum, start / finalDivisor);
}

export interface OneCycleMomentumOptions {
  readonly steps: number;
  /** As that of the learning rate; 0.3 by default. */
  readonly riseFraction?: number | undefined;
  /** While the learning rate is highest; 0.85 by default. */
  readonly minimum?: number | undefined;
  /** At both ends; 0.95 by default. */
  readonly maximum?: number | undefined;
}

/** The momentum that goes with `oneCycle`: down while the learning rate rises, and up again. */
export function oneCycleMomentum(options: OneCycleMomentumOptions): Schedule {
  const { minimum = 0.85, maximum = 0.95 } = options;
  return cycle(options, maximum, minimum, maximum);
}

function cycle(
  { steps, riseFraction = 0.3 }: { readonly steps: number; readonly riseFraction?: number | undefined },
  start: number,
  top: number,
  final: number,
): Schedule {
  const turn = riseFraction * steps - 1;
  const last = steps - 1;
  return (step) =>
    step <= turn ? cosineBetween(start, top, step / turn) : cosineBetween(top, final, (step - turn) / (last - turn));
}

function cosineBetween(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}

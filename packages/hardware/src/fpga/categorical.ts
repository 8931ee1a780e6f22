import type { RandomStream } from "@dovetail/core";

/** One discrete choice with a logit per option, moved by Adam. */
export interface Categorical {
  readonly logits: Float64Array;
  /** Probabilities of the last draw's options: of the logits, or of the logits with that draw's Gumbel noise. */
  readonly probabilities: Float64Array;
  readonly firstMoment: Float64Array;
  readonly secondMoment: Float64Array;
  /** Option that was drawn last. */
  drawn: number;
}

/** How the gradient of an expected cost is estimated from one draw. */
export type GradientEstimator =
  /** Straight-through Gumbel softmax: cost times the gradient of the drawn option's noisy soft probability. */
  | "straightThrough"
  /** Score function (REINFORCE): cost times the gradient of the drawn option's log probability; unbiased. */
  | "scoreFunction";

/** Settings of Adam (Kingma and Ba 2015). */
export interface AdamSettings {
  readonly step: number;
  readonly betas: readonly [number, number];
}

/** A choice among `options` options, all equally likely. */
export function createCategorical(options: number): Categorical {
  return {
    logits: new Float64Array(options),
    probabilities: new Float64Array(options),
    firstMoment: new Float64Array(options),
    secondMoment: new Float64Array(options),
    drawn: 0,
  };
}

/** Draws an allowed option by the Gumbel maximum; returns it. At least one option must be allowed. */
export function drawOption(
  categorical: Categorical,
  options: {
    readonly random: RandomStream;
    readonly estimator: GradientEstimator;
    readonly allowed: (option: number) => boolean;
  },
): number {
  const { logits, probabilities } = categorical;
  let largest = Number.NEGATIVE_INFINITY;
  let largestScore = Number.NEGATIVE_INFINITY;
  for (let option = 0; option < logits.length; option++) {
    probabilities[option] = Number.NEGATIVE_INFINITY;
    if (!options.allowed(option)) continue;
    const noisy = logits[option]! + options.random.gumbel();
    const score = options.estimator === "straightThrough" ? noisy : logits[option]!;
    probabilities[option] = score;
    largestScore = Math.max(largestScore, score);
    if (noisy > largest) {
      largest = noisy;
      categorical.drawn = option;
    }
  }
  softmaxInPlace(probabilities, largestScore);
  return categorical.drawn;
}

/**
 * One Adam step on the logits from the last draw: `cost` is what the draw cost (above a baseline: more than expected),
 * `time` counts the steps from 1.
 */
export function updateLogits(
  categorical: Categorical,
  options: {
    readonly cost: number;
    readonly time: number;
    readonly estimator: GradientEstimator;
    readonly adam: AdamSettings;
  },
): void {
  const { logits, probabilities, firstMoment, secondMoment, drawn } = categorical;
  const [beta1, beta2] = options.adam.betas;
  const correction1 = 1 - beta1 ** options.time;
  const correction2 = 1 - beta2 ** options.time;
  const scale = options.cost * (options.estimator === "straightThrough" ? probabilities[drawn]! : 1);
  for (let option = 0; option < logits.length; option++) {
    const gradient = scale * ((option === drawn ? 1 : 0) - probabilities[option]!);
    firstMoment[option] = beta1 * firstMoment[option]! + (1 - beta1) * gradient;
    secondMoment[option] = beta2 * secondMoment[option]! + (1 - beta2) * gradient * gradient;
    const direction = firstMoment[option]! / correction1 / (Math.sqrt(secondMoment[option]! / correction2) + 1e-8);
    logits[option] = logits[option]! - options.adam.step * direction;
  }
}

function softmaxInPlace(scores: Float64Array, largest: number): void {
  let sum = 0;
  for (let option = 0; option < scores.length; option++) {
    scores[option] = Math.exp(scores[option]! - largest);
    sum += scores[option]!;
  }
  for (let option = 0; option < scores.length; option++) scores[option] = scores[option]! / sum;
}

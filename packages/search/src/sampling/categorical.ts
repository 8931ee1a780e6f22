// A categorical choice with logits that are learnt: sampling, distributions, and the steps of Adam.
import type { RandomStream } from "@dovetail/core";

/** Logits of one choice with the state of their Adam optimizer. Plain data: it is saved and restored as JSON. */
export interface Categorical {
  readonly logits: number[];
  readonly firstMoment: number[];
  readonly secondMoment: number[];
  step: number;
}

/** A choice among `count` options, all logits equal. */
export function createCategorical(count: number): Categorical {
  const zeros = (): number[] => new Array<number>(count).fill(0);
  return { logits: zeros(), firstMoment: zeros(), secondMoment: zeros(), step: 0 };
}

/** softmax(logits / temperature). */
export function probabilities(logits: readonly number[], temperature = 1): number[] {
  const highest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp((logit - highest) / temperature));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Entropy of softmax(logits) as a fraction of its maximum, ln(count); 0 for a single option. */
export function entropyFraction(logits: readonly number[]): number {
  if (logits.length < 2) return 0;
  const entropy = probabilities(logits).reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
  return entropy / Math.log(logits.length);
}

/** Index of the largest entry; the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index;
  return best;
}

/** A draw of Gumbel-softmax (Jang et al., ICLR 2017): the winner, and the softened distribution that carries its gradient. */
export interface GumbelDraw {
  readonly index: number;
  readonly soft: readonly number[];
}

export function drawGumbel(logits: readonly number[], temperature: number, random: RandomStream): GumbelDraw {
  const perturbed = logits.map((logit) => logit + random.gumbel());
  return { index: argmax(perturbed), soft: probabilities(perturbed, temperature) };
}

/** Indices of the `count` highest Gumbel-perturbed logits, highest first: a sample without replacement. */
export function drawTop(logits: readonly number[], count: number, temperature: number, random: RandomStream): number[] {
  const perturbed = logits.map((logit) => logit / temperature + random.gumbel());
  return perturbed
    .map((value, index) => ({ value, index }))
    .sort((a, b) => b.value - a.value)
    .slice(0, count)
    .map(({ index }) => index);
}

/** Settings of Adam (Kingma & Ba, ICLR 2015). */
export interface AdamOptions {
  readonly learningRate: number;
  readonly betas?: readonly [number, number] | undefined;
  readonly epsilon?: number | undefined;
}

/** One step of Adam on the logits, in place. The default betas are those of the DNA line of work (0.5, 0.999). */
export function adamStep(categorical: Categorical, gradient: readonly number[], options: AdamOptions): void {
  const { learningRate, betas = [0.5, 0.999], epsilon = 1e-8 } = options;
  const step = ++categorical.step;
  const firstCorrection = 1 - betas[0] ** step;
  const secondCorrection = 1 - betas[1] ** step;
  for (let index = 0; index < categorical.logits.length; index++) {
    const g = gradient[index]!;
    const first = betas[0] * categorical.firstMoment[index]! + (1 - betas[0]) * g;
    const second = betas[1] * categorical.secondMoment[index]! + (1 - betas[1]) * g * g;
    categorical.firstMoment[index] = first;
    categorical.secondMoment[index] = second;
    categorical.logits[index]! -=
      (learningRate * (first / firstCorrection)) / (Math.sqrt(second / secondCorrection) + epsilon);
  }
}

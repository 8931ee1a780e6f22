import { type AdamOptions, adamStep, type Categorical, probabilities } from "./categorical.js";

// Two-path sampling ("proxy hard", K = 2) of ProxylessNAS and of the DNA line of work: two operators are active;
// the forward value is the first one's alone, and the softmax over the two logits carries the gradient of both.

/**
 * Gradient of the loss with respect to the two active logits. With p = softmax(logit₁, logit₂) the output is
 * O₁·((1−p₁)₀+p₁) + O₂·((0−p₂)₀+p₂), ( )₀ a stop-gradient; so ∂L/∂p_k = ⟨∂L/∂y, O_k⟩.
 */
export function proxyHardGradient(
  logits: readonly [number, number],
  products: readonly [number, number],
): readonly [number, number] {
  const [p1, p2] = probabilities(logits) as [number, number];
  const first = p1 * p2 * (products[0] - products[1]);
  return [first, -first];
}

/**
 * A step of Adam on the two active logits, after which both are shifted by log(Σ exp(old) / Σ exp(new)),
 * so that every inactive operator keeps its probability. An active one's Adam state moves, an inactive one's rests.
 */
export function proxyHardStep(
  categorical: Categorical,
  active: readonly [number, number],
  gradient: readonly [number, number],
  options: AdamOptions,
): void {
  const [first, second] = active;
  const view: Categorical = {
    logits: [categorical.logits[first]!, categorical.logits[second]!],
    firstMoment: [categorical.firstMoment[first]!, categorical.firstMoment[second]!],
    secondMoment: [categorical.secondMoment[first]!, categorical.secondMoment[second]!],
    step: categorical.step,
  };
  const before = logSumExp(view.logits);
  adamStep(view, gradient, options);
  const shift = before - logSumExp(view.logits);
  active.forEach((index, position) => {
    categorical.logits[index] = view.logits[position]! + shift;
    categorical.firstMoment[index] = view.firstMoment[position]!;
    categorical.secondMoment[index] = view.secondMoment[position]!;
  });
  categorical.step = view.step;
}

function logSumExp(values: readonly number[]): number {
  const highest = Math.max(...values);
  return highest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}

import type { AdamOptions } from "./adam.js";
import type { Optimizer } from "./optimizer.js";

/**
 * Rectified Adam (Liu et al. 2020) with weight decay added to the gradient, as `torch.optim.RAdam`; no decay by default.
 *
 * m = β₁m + (1 − β₁)g; v = β₂v + (1 − β₂)g²; with ρ∞ = 2/(1 − β₂) − 1 and ρ = ρ∞ − 2tβ₂ᵗ/(1 − β₂ᵗ), p −= learningRate /
 * (1 − β₁ᵗ) · m · r · √(1 − β₂ᵗ) / (√v + ε), r = √((ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ)); while ρ ≤ 5, without
 * everything from r on. Which of the two holds is known from the step, so one of the two step sizes fed is zero.
 */
export function radam(options: AdamOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  return {
    name: "radam",
    memory: ["mean", "square"],
    hyperparameters: { beta1, beta2, epsilon, weightDecay },
    inputs: ["plainStep", "rectifiedStep", "kept1", "new1", "kept2", "new2", "epsilon", "decay"],
    feeds: (values, step) => {
      const { learningRate, beta1, beta2, epsilon, weightDecay } = values as Record<string, number>;
      const unbiased = learningRate! / (1 - beta1! ** (step + 1));
      const rectification = rectificationOf(beta2!, step + 1);
      return {
        plainStep: rectification === undefined ? unbiased : 0,
        rectifiedStep: unbiased * (rectification ?? 0),
        kept1: beta1!,
        new1: 1 - beta1!,
        kept2: beta2!,
        new2: 1 - beta2!,
        epsilon: epsilon!,
        decay: weightDecay!,
      };
    },
    update: (g, { parameter, gradient, memory, decay }, scalars) => {
      const slope = decay ? g.add(gradient, g.mul(parameter, scalars.decay!)) : gradient;
      const mean = g.add(g.mul(memory.mean!, scalars.kept1!), g.mul(slope, scalars.new1!));
      const square = g.add(g.mul(memory.square!, scalars.kept2!), g.mul(g.mul(slope, slope), scalars.new2!));
      const rectified = g.div(scalars.rectifiedStep!, g.add(g.sqrt(square), scalars.epsilon!));
      const step = g.mul(mean, g.add(rectified, scalars.plainStep!));
      return { parameter: g.sub(parameter, step), memory: { mean, square } };
    },
  };
}

/** r · √(1 − β₂ᵗ), or undefined where the variance of v is not bounded yet. */
function rectificationOf(beta2: number, t: number): number | undefined {
  const correction = 1 - beta2 ** t;
  const limit = 2 / (1 - beta2) - 1;
  const length = limit - (2 * t * beta2 ** t) / correction;
  if (length <= 5) return undefined;
  const ratio = ((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length);
  return Math.sqrt(ratio * correction);
}

import type { Optimizer } from "./optimizer.js";

export interface AdamOptions {
  /** Decay of the gradient's mean; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Decay of its square's mean; 0.999 by default. */
  readonly beta2?: number | undefined;
  /** 1e-8 by default. */
  readonly epsilon?: number | undefined;
  readonly weightDecay?: number | undefined;
}

/**
 * Adam (Kingma and Ba 2015) with weight decay added to the gradient, as `torch.optim.Adam`; no decay by default.
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return adaptive("adam", { weightDecay: 0, ...options }, false);
}

/** AdamW: Adam with decay applied to the parameter itself (Loshchilov and Hutter 2019); 0.01 by default. */
export function adamW(options: AdamOptions = {}): Optimizer {
  return adaptive("adamW", { weightDecay: 0.01, ...options }, true);
}

/**
 * m = β₁m + (1 − β₁)g; v = β₂v + (1 − β₂)g²; p −= learningRate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
 * The bias corrections are computed outside of the graph, in double precision, from the number of the step.
 */
function adaptive(name: string, options: AdamOptions, decoupled: boolean): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  return {
    name,
    memory: ["mean", "square"],
    hyperparameters: { beta1, beta2, epsilon, weightDecay },
    inputs: ["stepSize", "kept1", "new1", "kept2", "new2", "inverseRootCorrection", "epsilon", "decay"],
    feeds: (values, step) => {
      const { learningRate, beta1, beta2, epsilon, weightDecay } = values as Record<string, number>;
      return {
        stepSize: learningRate! / (1 - beta1! ** (step + 1)),
        kept1: beta1!,
        new1: 1 - beta1!,
        kept2: beta2!,
        new2: 1 - beta2!,
        inverseRootCorrection: 1 / Math.sqrt(1 - beta2! ** (step + 1)),
        epsilon: epsilon!,
        decay: decoupled ? 1 - learningRate! * weightDecay! : weightDecay!,
      };
    },
    update: (g, { parameter, gradient, memory, decay }, scalars) => {
      const slope = decay && !decoupled ? g.add(gradient, g.mul(parameter, scalars.decay!)) : gradient;
      const start = decay && decoupled ? g.mul(parameter, scalars.decay!) : parameter;
      const mean = g.add(g.mul(memory.mean!, scalars.kept1!), g.mul(slope, scalars.new1!));
      const square = g.add(g.mul(memory.square!, scalars.kept2!), g.mul(g.mul(slope, slope), scalars.new2!));
      const root = g.add(g.mul(g.sqrt(square), scalars.inverseRootCorrection!), scalars.epsilon!);
      const step = g.mul(g.div(mean, root), scalars.stepSize!);
      return { parameter: g.sub(start, step), memory: { mean, square } };
    },
  };
}

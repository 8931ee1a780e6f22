import type { Optimizer } from "./optimizer.js";

export interface SgdOptions {
  /** 0.9 by default. */
  readonly momentum?: number | undefined;
  /** 0 by default. */
  readonly weightDecay?: number | undefined;
  /** Nesterov's momentum in Sutskever's form; false by default. */
  readonly nesterov?: boolean | undefined;
}

/**
 * Stochastic gradient descent with momentum, as `torch.optim.SGD` defines it (dampening 0): d = g + weightDecay · p;
 * v = momentum · v + d; p −= learningRate · v, or · (d + momentum · v) with Nesterov's.
 */
export function sgd({ momentum = 0.9, weightDecay = 0, nesterov = false }: SgdOptions = {}): Optimizer {
  const inputs = ["learningRate", "momentum", "weightDecay"];
  return {
    name: "sgd",
    memory: ["momentum"],
    hyperparameters: { momentum, weightDecay },
    inputs,
    feeds: (values) => Object.fromEntries(inputs.map((name) => [name, values[name]!])),
    update: (g, { parameter, gradient, memory, decay }, scalars) => {
      const direction = decay ? g.add(gradient, g.mul(parameter, scalars.weightDecay!)) : gradient;
      const velocity = g.add(g.mul(memory.momentum!, scalars.momentum!), direction);
      const step = nesterov ? g.add(direction, g.mul(velocity, scalars.momentum!)) : velocity;
      return { parameter: g.sub(parameter, g.mul(step, scalars.learningRate!)), memory: { momentum: velocity } };
    },
  };
}

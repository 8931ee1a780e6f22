import type { ParameterRole } from "@dovetail/models";
import type { Optimizer, UpdateRule } from "./optimizer.js";

export interface SplitOptions {
  /** Whose parameters the other optimizer trains. */
  readonly roles: readonly ParameterRole[];
  /** Its learning rate as a multiple of the training's; 1 by default. */
  readonly rate?: number | undefined;
}

/**
 * An optimizer that leaves parameters of some roles to another one. The other's hyper-parameters and inputs carry its name
 * before their own: `radam.beta1`.
 */
export function splitByRole(base: Optimizer, other: Optimizer, { roles, rate = 1 }: SplitOptions): Optimizer {
  const named = (name: string): string => `${other.name}.${name}`;
  const renamed = (values: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [named(name), value]));
  const rule: UpdateRule = {
    memory: other.memory,
    memoryTypes: other.memoryTypes,
    update: (g, optimized, inputs) =>
      other.update(g, optimized, Object.fromEntries(other.inputs.map((name) => [name, inputs[named(name)]!]))),
  };
  return {
    ...base,
    name: `${base.name}-${other.name}`,
    hyperparameters: { ...base.hyperparameters, ...renamed(other.hyperparameters) },
    inputs: [...base.inputs, ...other.inputs.map(named)],
    feeds: (values, step) => {
      const own = Object.keys(other.hyperparameters).map((name) => [name, values[named(name)]!] as const);
      const learningRate = rate * values.learningRate!;
      return {
        ...base.feeds(values, step),
        ...renamed(other.feeds({ ...Object.fromEntries(own), learningRate }, step)),
      };
    },
    rules: { ...base.rules, ...Object.fromEntries(roles.map((role) => [role, rule])) },
  };
}

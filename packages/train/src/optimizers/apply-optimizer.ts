import { inputError } from "@dovetail/core";
import { type ElementType, elementCount, type GraphBuilder, type Tensor, tensor, type Value } from "@dovetail/graph";
import { isChosenRow, type ParameterSpec } from "@dovetail/models";
import { scaledGradient } from "./adaptive-rate.js";
import type { Optimizer, UpdateRule } from "./optimizer.js";

/** What a step of the optimizer changes. */
export interface ParameterUpdates {
  /** From each parameter or memory input to the output that replaces it. */
  readonly statePairs: Readonly<Record<string, string>>;
  /** Optimizer memory, all zeros, by input name. */
  readonly initialMemory: () => Map<string, Tensor>;
}

/**
 * Adds the optimizer's step for each parameter to a graph: inputs for its memory (`NAME:KIND`), outputs for what replaces
 * parameters and memory (`NAME:next`, `NAME:KIND:next`). Gradients of add layers are scaled first (`scaledGradient`). A
 * parameter with bounds is clipped to them. Where a scalar input chooses a row of a parameter, other rows stay as they
 * are, memory included; `partOf` says otherwise which part of a parameter changes. `scalars` are the optimizer's
 * hyper-parameters, by its name.
 */
export function applyOptimizer(
  g: GraphBuilder,
  optimizer: Optimizer,
  trained: readonly ParameterSpec[],
  gradients: readonly Value[],
  scalars: Readonly<Record<string, Value>>,
  partOf: (g: GraphBuilder, parameter: ParameterSpec) => Value | undefined = chosenPart,
): ParameterUpdates {
  const statePairs: Record<string, string> = {};
  const memoryTypes = new Map<string, readonly [ElementType, readonly number[]]>();
  const replaceBy = (name: string, value: Value): void => {
    statePairs[name] = `${name}:next`;
    g.output(value, `${name}:next`);
  };
  trained.forEach((spec, index) => {
    const { name, shape, decay, bounds } = spec;
    const rule = ruleOf(optimizer, spec);
    const typeOf = (kind: string): ElementType => rule.memoryTypes?.[kind] ?? "float32";
    const memory = Object.fromEntries(
      rule.memory.map((kind) => [kind, g.input(`${name}:${kind}`, typeOf(kind), shape)]),
    );
    const gradient = g.scope(`optimizer/${name}`, () => scaledGradient(g, spec, gradients[index]!));
    const optimized = { parameter: g.value(name), gradient, memory, decay };
    const updated = g.scope(`optimizer/${name}`, () => rule.update(g, optimized, scalars));
    const next = bounds ? g.clip(updated.parameter, ...bounds) : updated.parameter;
    const isUpdated = partOf(g, spec);
    const inRow = (value: Value, old: Value): Value => (isUpdated ? g.where(isUpdated, value, old) : value);
    replaceBy(name, inRow(next, optimized.parameter));
    for (const kind of rule.memory) {
      memoryTypes.set(`${name}:${kind}`, [typeOf(kind), shape]);
      replaceBy(`${name}:${kind}`, inRow(updated.memory[kind]!, memory[kind]!));
    }
  });
  const initialMemory = (): Map<string, Tensor> =>
    new Map([...memoryTypes].map(([name, [elementType, shape]]) => [name, zeros(elementType, shape)]));
  return { statePairs, initialMemory };
}

/** Throws when the parameter is a code and the optimizer has no rule for its role. */
function ruleOf(optimizer: Optimizer, { name, role, trainedBy }: ParameterSpec): UpdateRule {
  const rule = optimizer.rules?.[role];
  if (rule === undefined && trainedBy !== undefined) {
    throw inputError("optimizer_rule", `optimizer "${optimizer.name}" cannot train "${name}", which is a code`, {
      expected: `a rule for the role ${role}`,
    });
  }
  return rule ?? optimizer;
}

/** The value whose gradient trains a parameter. */
export function trainedValue(g: GraphBuilder, { name, trainedBy }: ParameterSpec): Value {
  return g.value(trainedBy ?? name);
}

/** True in the row that the parameter's scalar input chooses; undefined where it has none. */
export function chosenPart(g: GraphBuilder, { name, row }: ParameterSpec): Value | undefined {
  return row === undefined ? undefined : isChosenRow(g, g.value(name), g.value(row));
}

function zeros(elementType: ElementType, shape: readonly number[]): Tensor {
  return tensor(elementType, shape, new Array<number>(elementCount(shape)).fill(0));
}

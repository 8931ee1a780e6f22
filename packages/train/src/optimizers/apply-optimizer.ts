import { type GraphBuilder, type Tensor, tensorFromData, type Value } from "@dovetail/graph";
import { isChosenRow, type ParameterSpec } from "@dovetail/models";
import type { Optimizer } from "./optimizer.js";

/** What a step of the optimizer changes. */
export interface ParameterUpdates {
  /** From each parameter or memory input to the output that replaces it. */
  readonly statePairs: Readonly<Record<string, string>>;
  /** Optimizer memory, all zeros, by input name. */
  readonly initialMemory: () => Map<string, Tensor>;
}

/**
 * Adds the optimizer's step for each parameter to a graph: inputs for its memory (`NAME:KIND`), outputs for what replaces
 * parameters and memory (`NAME:next`, `NAME:KIND:next`). A parameter with bounds is clipped to them. Where a scalar input
 * chooses a row of a parameter, other rows stay as they are, memory included; `partOf` says otherwise which part of a
 * parameter changes. `scalars` are the optimizer's hyper-parameters, by its name.
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
  const memoryShapes = new Map<string, readonly number[]>();
  const replaceBy = (name: string, value: Value): void => {
    statePairs[name] = `${name}:next`;
    g.output(value, `${name}:next`);
  };
  trained.forEach((spec, index) => {
    const { name, shape, decay, bounds } = spec;
    const memory = Object.fromEntries(
      optimizer.memory.map((kind) => [kind, g.input(`${name}:${kind}`, "float32", shape)]),
    );
    const optimized = { parameter: g.value(name), gradient: gradients[index]!, memory, decay };
    const updated = g.scope(`optimizer/${name}`, () => optimizer.update(g, optimized, scalars));
    const next = bounds ? g.clip(updated.parameter, ...bounds) : updated.parameter;
    const isUpdated = partOf(g, spec);
    const inRow = (value: Value, old: Value): Value => (isUpdated ? g.where(isUpdated, value, old) : value);
    replaceBy(name, inRow(next, optimized.parameter));
    for (const kind of optimizer.memory) {
      memoryShapes.set(`${name}:${kind}`, shape);
      replaceBy(`${name}:${kind}`, inRow(updated.memory[kind]!, memory[kind]!));
    }
  });
  return { statePairs, initialMemory: () => new Map([...memoryShapes].map(([name, shape]) => [name, zeros(shape)])) };
}

/** True in the row that the parameter's scalar input chooses; undefined where it has none. */
export function chosenPart(g: GraphBuilder, { name, row }: ParameterSpec): Value | undefined {
  return row === undefined ? undefined : isChosenRow(g, g.value(name), g.value(row));
}

function zeros(shape: readonly number[]): Tensor {
  return tensorFromData("float32", shape, new Float32Array(shape.reduce((product, size) => product * size, 1)));
}

import { inputError } from "@dovetail/core";
import { type Dimension, type Graph, inferTypes, isStatic, type TensorType, type Value } from "@dovetail/graph";

/** Numbers for the sizes that a graph knows by name. */
export interface SizeOptions {
  /** For a first size of an input that has only a name. 1 by default. */
  readonly batchSize?: number | undefined;
  /** For other sizes known by name, by that name. */
  readonly sizes?: Readonly<Record<string, number>> | undefined;
}

/**
 * The graph with numbers for all named sizes of its inputs, and all types inferred from them.
 *
 * @throws DovetailError `unknown_size` for a name other than the batch that `sizes` does not give.
 */
export function withSizes(graph: Graph, options: SizeOptions): Graph {
  if (graph.inputs.every(({ type }) => isStatic(type.shape))) return graph;
  const sizes = new Map(Object.entries(options.sizes ?? {}));
  for (const { type } of graph.inputs) {
    const batch = type.shape?.[0];
    if (typeof batch === "string" && !sizes.has(batch)) sizes.set(batch, options.batchSize ?? 1);
  }
  const replace = (size: Dimension): Dimension => (typeof size === "string" ? (sizes.get(size) ?? size) : size);
  const retyped = (type: TensorType): TensorType => ({ ...type, shape: type.shape?.map(replace) });
  const inputs = graph.inputs.map(({ name, type }): Value => {
    const known = retyped(type);
    if (!isStatic(known.shape)) throw missingSize(name, known);
    return { name, type: known };
  });
  const types = new Map([...graph.types].map(([name, type]) => [name, retyped(type)]));
  return inferTypes({ ...graph, inputs, types });
}

function missingSize(name: string, { shape }: TensorType): Error {
  return inputError("unknown_size", `input "${name}" has sizes that are not known`, {
    expected: "a number for every name, in the option sizes",
    received: shape ? `[${shape.join(",")}]` : "a value of unknown rank",
  });
}

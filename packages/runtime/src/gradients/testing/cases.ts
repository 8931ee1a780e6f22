// Cases that an oracle wrote: a node, its inputs, and what PyTorch computed.

import {
  type AttributeInput,
  type Dimension,
  differentiate,
  float,
  type Graph,
  GraphBuilder,
  type Tensor,
  tensorFromData,
  type Value,
} from "@dovetail/graph";

/** A tensor in a file: data in base64, little-endian; small integers as plain numbers. */
export interface StoredTensor {
  readonly type: "float32" | "int64" | "bool";
  readonly shape: readonly number[];
  readonly data: string | readonly number[];
}

/** One operator with one configuration. */
export interface OperatorCase {
  readonly name: string;
  readonly operator: string;
  readonly domain?: string;
  readonly attributes: Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;
  /** Null where an optional input is absent. */
  readonly inputs: readonly (StoredTensor | null)[];
  /** Indices of inputs that are constants of the graph. */
  readonly constants: readonly number[];
  /** How many outputs the node has. */
  readonly outputs: number;
  /** The first output. */
  readonly y: StoredTensor;
  /** Gradient that arrives there. */
  readonly dy: StoredTensor;
  /** Gradient to each input, null where none is asked for. */
  readonly gradients: readonly (StoredTensor | null)[];
}

export function loadTensor({ type, shape, data }: StoredTensor): Tensor {
  if (typeof data !== "string") {
    const values = type === "int64" ? BigInt64Array.from(data, BigInt) : Uint8Array.from(data);
    return tensorFromData(type, shape, values);
  }
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  return tensorFromData("float32", shape, new Float32Array(bytes.buffer));
}

/** Which sizes are known when the graph is built; "channels" and "all but the batch" are about the first input. */
export type KnownSizes = "all" | "all but the batch" | "channels" | "none";

/** A graph with the case's node and the gradients of Σ y·dy: outputs `y` and `gradient<index>`. */
export function operatorGraph(operatorCase: OperatorCase, known: KnownSizes): Graph {
  const g = new GraphBuilder(operatorCase.name);
  const inputs = operatorCase.inputs.map((stored, index) => stored && declare(g, operatorCase, index, stored, known));
  const attributes = Object.fromEntries(
    Object.entries(operatorCase.attributes).map(([name, value]): [string, AttributeInput] => [
      name,
      typeof value === "object" && "float" in value ? float(value.float) : value,
    ]),
  );
  const [y] = g.node(
    operatorCase.operator,
    inputs.map((input) => input ?? undefined),
    attributes,
    { domain: operatorCase.domain ?? "", outputs: operatorCase.outputs },
  );
  const lossGradient = g.input("dy", "float32", y!.type.shape!);
  const sources = operatorCase.gradients.flatMap((gradient, index) => (gradient ? [index] : []));
  const gradients = differentiate(g, { loss: y!, withRespectTo: sources.map((index) => inputs[index]!), lossGradient });
  g.output(y!, "y");
  gradients.forEach((gradient, position) => {
    g.output(gradient, `gradient${sources[position]}`);
  });
  return g.build();
}

function declare(
  g: GraphBuilder,
  operatorCase: OperatorCase,
  index: number,
  stored: StoredTensor,
  known: KnownSizes,
): Value {
  const name = `x${index}`;
  if (operatorCase.constants.includes(index)) return g.constant(loadTensor(stored), name);
  const shape = sizes(stored.shape, index, known);
  // GatherND's rank depends on the length of the index tuples.
  const last = stored.type === "int64" ? stored.shape.slice(-1) : shape.slice(-1);
  return g.input(name, stored.type, [...shape.slice(0, -1), ...last]);
}

function sizes(shape: readonly number[], index: number, known: KnownSizes): readonly Dimension[] {
  if (known === "all" || (known !== "none" && index > 0)) return shape;
  const isKnown = (axis: number): boolean =>
    (known === "all but the batch" && axis > 0) || (known === "channels" && axis === 1);
  return shape.map((size, axis) => (isKnown(axis) ? size : `size${index}_${axis}`));
}

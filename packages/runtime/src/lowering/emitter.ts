// Adds nodes to the lowered graph. Values are names; inner types are ONNX Runtime's business.

import {
  type Attribute,
  type AttributeInput,
  type Graph,
  int64Vector,
  type Node,
  type Tensor,
  tensor,
} from "@dovetail/graph";

/** The domain of ONNX Runtime's blocked kernels. */
export const blockedDomain = "com.microsoft.nchwc";

export interface EmitOptions {
  readonly domain?: string | undefined;
  /** Names of the outputs; one fresh name by default. */
  readonly outputs?: readonly string[] | undefined;
}

type Attributes = Readonly<Record<string, AttributeInput>>;

export interface Emitter {
  nodes: Node[];
  readonly initializers: Map<string, Tensor>;
  /** Names of the nodes that follow begin with this. */
  stem: string;
  /** A name that no value and no node has. */
  fresh(stem: string): string;
  /** Adds a node and returns its first output. */
  op(operator: string, inputs: readonly string[], attributes?: Attributes, options?: EmitOptions): string;
  /** Adds a node of the blocked kernels' domain. */
  blockedOp(operator: string, inputs: readonly string[], attributes?: Attributes): string;
  /** The value of one of two bodies, of which only that one is computed. They read values from outside by name. */
  branch(condition: string, whenTrue: (inner: Emitter) => string, whenFalse: (inner: Emitter) => string): string;
  /** A shared constant. */
  int64s(values: readonly number[]): string;
  /** A shared float32 constant. */
  floats(dimensions: readonly number[], values: readonly number[]): string;
  /** The same memory with other dimensions. */
  reshape(value: string, dimensions: readonly number[]): string;
  transpose(value: string, permutation: readonly number[]): string;
  /**
   * Sum over the next to last axis, of `count` entries, times `scale`: as a product with a vector, because ReduceSum's
   * order of summation depends on the number of threads.
   */
  sum(value: string, count: number, scale?: number): string;
}

export function createEmitter(taken: Iterable<string>): Emitter {
  const names = new Set(taken);
  const counters = new Map<string, number>();
  const shared = new Map<string, string>();

  const constant = (key: string, make: () => Tensor): string => {
    let name = shared.get(key);
    if (name === undefined) {
      name = emitter.fresh("constant");
      emitter.initializers.set(name, make());
      shared.set(key, name);
    }
    return name;
  };
  const emitter: Emitter = {
    nodes: [],
    initializers: new Map(),
    stem: "lowered",
    fresh: (stem) => {
      for (;;) {
        const count = counters.get(stem) ?? 0;
        counters.set(stem, count + 1);
        const name = `${stem}#${count}`;
        if (names.has(name)) continue;
        names.add(name);
        return name;
      }
    },
    op: (operator, inputs, attributes = {}, options = {}) => {
      const name = emitter.fresh(`${emitter.stem}/${operator}`);
      const outputs = options.outputs ?? [name];
      const node = {
        name,
        domain: options.domain ?? "",
        operator,
        inputs,
        outputs,
        attributes: toAttributes(attributes),
      };
      emitter.nodes.push(node);
      return outputs[0]!;
    },
    branch: (condition, whenTrue, whenFalse) => {
      const body = (build: (inner: Emitter) => string): Attribute => {
        const outside = emitter.nodes;
        const nodes: Node[] = [];
        emitter.nodes = nodes;
        const name = build(emitter);
        emitter.nodes = outside;
        return { kind: "graph", value: bodyGraph(nodes, name) };
      };
      const attributes = { then_branch: body(whenTrue), else_branch: body(whenFalse) };
      return emitter.op("If", [condition], attributes);
    },
    blockedOp: (operator, inputs, attributes) => emitter.op(operator, inputs, attributes, { domain: blockedDomain }),
    int64s: (values) => constant(`int64:${values.join(",")}`, () => int64Vector(values)),
    floats: (dimensions, values) =>
      constant(`float32:[${dimensions.join(",")}]${values.join(",")}`, () => tensor("float32", dimensions, values)),
    reshape: (value, dimensions) => emitter.op("Reshape", [value, emitter.int64s(dimensions)]),
    transpose: (value, permutation) => emitter.op("Transpose", [value], { perm: permutation }),
    sum: (value, count, scale = 1) =>
      emitter.op("MatMul", [emitter.floats([count], new Array<number>(count).fill(scale)), value]),
  };
  return emitter;
}

/** A float32 result of nodes; everything else that they read is outside. */
function bodyGraph(nodes: readonly Node[], result: string): Graph {
  return {
    name: result,
    inputs: [],
    outputs: [{ name: result, type: { elementType: "float32" } }],
    nodes,
    initializers: new Map(),
    types: new Map(),
    annotations: new Map(),
    customGradients: [],
  };
}

function toAttributes(inputs: Attributes): Record<string, Attribute> {
  const attributes: Record<string, Attribute> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input !== undefined) attributes[name] = toAttribute(input);
  }
  return attributes;
}

function toAttribute(input: Exclude<AttributeInput, undefined>): Attribute {
  if (typeof input === "number") return { kind: "int", value: input };
  if (typeof input === "string") return { kind: "string", value: input };
  if ("kind" in input) return input;
  if ("elementType" in input) return { kind: "tensor", value: input };
  return { kind: "ints", value: input };
}

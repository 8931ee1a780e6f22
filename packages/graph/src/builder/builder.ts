import { inputError } from "@dovetail/core";
import type { TensorAnnotation } from "../annotations/annotation.js";
import type { CustomGradient } from "../autodiff/rule.js";
import { type AttributeInput, toAttributes } from "../ir/attribute.js";
import type { ElementType } from "../ir/element-type.js";
import {
  defaultOpset,
  dovetailDomain,
  type Graph,
  type Node,
  type Shape,
  type Tensor,
  type TensorType,
  type Value,
} from "../ir/graph.js";
import { knownEntries } from "../shape/constants.js";
import { tensorOfEntries } from "../shape/entries.js";
import { inferNodeTypes, type KnownValues, printShape } from "../shape/infer.js";
import { Operators } from "./operators.js";

/** How a node is added. */
export interface NodeOptions {
  /** Domain of the operator; ONNX's own by default. */
  readonly domain?: string | undefined;
  /** Name of the node, inside the current scope; made from the operator by default. */
  readonly name?: string | undefined;
  /** How many outputs, or their names (an empty string leaves an optional one out). One by default. */
  readonly outputs?: number | readonly string[] | undefined;
}

/**
 * Builds a graph node by node, with every type inferred on the way: a node that does not fit is an error
 * that names the node, the operator and the shapes.
 *
 * ```ts
 * const g = new GraphBuilder("classifier");
 * const image = g.input("image", "float32", ["batch", 3, 32, 32]);
 * const weight = g.input("weight", "float32", [16, 3, 3, 3]);
 * g.output(g.relu(g.conv(image, weight, undefined, { pads: [1, 1, 1, 1] })), "features");
 * const graph = g.build();
 * ```
 */
export class GraphBuilder extends Operators {
  readonly name: string;
  readonly opset: number;
  private readonly inputValues: Value[] = [];
  private readonly outputValues: { value: Value; name: string }[] = [];
  private readonly nodes: Node[] = [];
  private readonly initializers = new Map<string, Tensor>();
  private readonly types = new Map<string, TensorType>();
  private readonly annotations = new Map<string, TensorAnnotation>();
  private readonly customGradients: CustomGradient[] = [];
  private readonly scopes: string[] = [];
  private readonly counters = new Map<string, number>();
  private readonly nodeNames = new Set<string>();
  private readonly reserved: ReadonlySet<string>;
  private readonly smallConstants = new Map<string, Value>();
  private readonly producers = new Map<string, Node>();
  private readonly known: KnownValues;

  /** Values that are added without a name take none of `reserved`. */
  constructor(name: string, options: { readonly opset?: number; readonly reserved?: Iterable<string> } = {}) {
    super();
    this.name = name;
    this.opset = options.opset ?? defaultOpset;
    this.reserved = new Set(options.reserved);
    this.known = {
      typeOf: (valueName) => this.types.get(valueName),
      constantOf: (valueName) => this.initializers.get(valueName),
      producerOf: (valueName) => this.producers.get(valueName),
      opset: this.opset,
    };
  }

  /** A builder that goes on where a graph ends: same values, outputs kept. */
  static from(graph: Graph, options: { readonly opset?: number } = {}): GraphBuilder {
    const builder = new GraphBuilder(graph.name, options);
    for (const value of graph.inputs) builder.inputValues.push(value);
    for (const [name, constant] of graph.initializers) builder.initializers.set(name, constant);
    for (const [name, type] of graph.types) builder.types.set(name, type);
    for (const node of graph.nodes) {
      builder.append(node);
      builder.nodeNames.add(node.name);
    }
    for (const [name, annotation] of graph.annotations) builder.annotations.set(name, annotation);
    builder.customGradients.push(...graph.customGradients);
    for (const value of graph.outputs) builder.outputValues.push({ value, name: value.name });
    return builder;
  }

  /** Declares an input of the graph. */
  input(name: string, elementType: ElementType, shape: Shape): Value {
    this.claim(name);
    const value = this.declare(name, { elementType, shape: [...shape] });
    this.inputValues.push(value);
    return value;
  }

  /** Adds a constant. Unnamed ones of up to 8 values are shared. */
  constant(constant: Tensor, name?: string): Value {
    const key = name === undefined ? smallConstantKey(constant) : undefined;
    const known = key === undefined ? undefined : this.smallConstants.get(key);
    if (known) return known;
    const valueName = name === undefined ? this.fresh("constant") : this.claim(this.scoped(name));
    this.initializers.set(valueName, constant);
    const value = this.declare(valueName, { elementType: constant.elementType, shape: constant.dimensions });
    if (key !== undefined) this.smallConstants.set(key, value);
    return value;
  }

  /** Adds a node and returns its outputs (absent ones too, with an empty name). */
  node(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    options: NodeOptions = {},
  ): readonly Value[] {
    const outputs = options.outputs ?? 1;
    const name = this.nodeName(options.name ?? operator, typeof outputs === "number");
    const outputNames =
      typeof outputs === "number"
        ? Array.from({ length: outputs }, (_, index) => this.claim(index === 0 ? `${name}:out` : `${name}:out${index}`))
        : outputs.map((output) => (output === "" ? "" : this.claim(this.scoped(output))));
    const inputNames = inputs.map((input) => input?.name ?? "");
    while (inputNames.at(-1) === "") inputNames.pop();
    const node: Node = {
      name,
      domain: options.domain ?? "",
      operator,
      inputs: inputNames,
      outputs: outputNames,
      attributes: toAttributes(attributes),
    };
    const inferred = inferNodeTypes(node, this.known);
    this.append(node);
    return outputNames.map((output, index) => {
      if (output === "") return { name: "", type: { elementType: "float32" } };
      const type = inferred[index];
      if (!type) {
        throw inputError("output_count", `node "${name}" (${operator}) has too many outputs`, {
          expected: `at most ${inferred.length}`,
          received: `${outputNames.length}`,
        });
      }
      return this.declare(output, type);
    });
  }

  /** Adds a node with one output and returns it. */
  op(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    options: NodeOptions = {},
  ): Value {
    return this.node(operator, inputs, attributes, options)[0]!;
  }

  /** Adds a node of Dovetail's own domain. */
  ownNode(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    options: NodeOptions = {},
  ): readonly Value[] {
    return this.node(operator, inputs, attributes, { ...options, domain: dovetailDomain });
  }

  /** Declares an output of the graph; `name` renames the value in the finished graph. */
  output(value: Value, name: string = value.name): void {
    this.outputValues.push({ value, name });
  }

  /** Outputs declared so far. */
  get outputs(): readonly Value[] {
    return this.outputValues.map(({ value }) => value);
  }

  /** A value of this graph by name. Throws when there is none. */
  value(name: string): Value {
    const type = this.types.get(name);
    if (!type) throw inputError("unknown_value", `graph "${this.name}" has no value "${name}"`);
    return { name, type };
  }

  /** The tensor behind a value that is a constant, or a small one that follows from constants and shapes. */
  constantOf(name: string): Tensor | undefined {
    const constant = this.initializers.get(name);
    if (constant) return constant;
    const entries = knownEntries(name, this.known);
    return entries && tensorOfEntries(entries);
  }

  /** True when this graph has a value of this name. */
  has(name: string): boolean {
    return this.types.has(name);
  }

  /**
   * States the shape of a value where inference could not express it (a size that only the caller knows).
   * Throws when the two contradict each other.
   */
  refineShape(value: Value, shape: Shape): Value {
    const inferred = this.value(value.name).type;
    const known = inferred.shape;
    const contradicts =
      known !== undefined &&
      (known.length !== shape.length ||
        known.some(
          (size, axis) => typeof size === "number" && typeof shape[axis] === "number" && size !== shape[axis],
        ));
    if (contradicts) {
      throw inputError("shape_mismatch", `value "${value.name}" has another shape`, {
        expected: printShape(shape),
        received: printShape(known),
      });
    }
    return this.declare(value.name, {
      ...inferred,
      shape: shape.map((size, axis) => (typeof known?.[axis] === "number" ? known[axis] : size)),
    });
  }

  /** Everything added inside gets names that begin with `name/`. */
  scope<T>(name: string, body: () => T): T {
    this.scopes.push(name);
    try {
      return body();
    } finally {
      this.scopes.pop();
    }
  }

  annotate(value: Value, annotation: TensorAnnotation): void {
    this.annotations.set(value.name, { ...this.annotations.get(value.name), ...annotation });
  }

  /**
   * Adds whatever `forward` adds, and differentiates it as one operation by `backward`.
   * The region's gradient ends at `inputs`: values used inside but not listed get none from it.
   */
  customGradient(
    inputs: readonly Value[],
    forward: (inputs: readonly Value[]) => readonly Value[],
    backward: CustomGradient["backward"],
  ): readonly Value[] {
    const outputs = forward(inputs).map((output) =>
      inputs.some((input) => input.name === output.name) ? this.op("Identity", [output]) : output,
    );
    this.customGradients.push({
      name: this.fresh("gradient"),
      inputs: inputs.map((input) => input.name),
      outputs: outputs.map((output) => output.name),
      backward,
    });
    return outputs;
  }

  /** The same value, through which no gradient flows. */
  stopGradient(value: Value): Value {
    return this.customGradient(
      [value],
      () => [this.op("Identity", [value])],
      () => [undefined],
    )[0]!;
  }

  /** `forward(value)` whose gradient is passed on to `value` unchanged (straight-through estimator, Bengio et al. 2013). */
  straightThrough(value: Value, forward: (value: Value) => Value): Value {
    return this.customGradient(
      [value],
      ([input]) => [forward(input!)],
      ([gradient]) => [gradient],
    )[0]!;
  }

  /**
   * Copies another graph's nodes into this one, its inputs bound to values of this graph.
   * Returns the values of the copied graph's outputs, by their names there.
   */
  include(graph: Graph, bindings: Readonly<Record<string, Value>>): Record<string, Value> {
    const renamed = new Map<string, string>([["", ""]]);
    for (const { name } of graph.inputs) {
      const bound = bindings[name];
      if (!bound) throw inputError("unbound_input", `graph "${graph.name}": input "${name}" is not bound`);
      renamed.set(name, bound.name);
    }
    for (const [name, constant] of graph.initializers) {
      if (!renamed.has(name)) renamed.set(name, this.constant(constant, this.unused(name)).name);
    }
    for (const node of graph.nodes) {
      const outputs = this.node(
        node.operator,
        node.inputs.map((input) => (input === "" ? undefined : this.value(renamed.get(input) ?? input))),
        node.attributes,
        {
          domain: node.domain,
          name: node.name,
          outputs: node.outputs.map((output) => (output === "" ? "" : this.unused(output))),
        },
      );
      node.outputs.forEach((output, index) => {
        if (output !== "") renamed.set(output, outputs[index]!.name);
      });
    }
    for (const region of graph.customGradients) {
      const rename = (name: string): string => renamed.get(name) ?? name;
      this.customGradients.push({ ...region, inputs: region.inputs.map(rename), outputs: region.outputs.map(rename) });
    }
    for (const [name, annotation] of graph.annotations) {
      const target = renamed.get(name);
      if (target !== undefined) this.annotations.set(target, annotation);
    }
    return Object.fromEntries(graph.outputs.map(({ name }) => [name, this.value(renamed.get(name)!)]));
  }

  /**
   * A graph for an attribute (body of Scan or Loop, branch of If) that reads `captured` of this one; the names inside
   * begin with that of the first.
   */
  subgraph(captured: readonly [Value, ...Value[]], build: (inner: GraphBuilder) => void): Graph {
    const stem = captured[0].name;
    const inner = new GraphBuilder(`${stem}/body`, { opset: this.opset });
    for (const { name, type } of captured) inner.declare(name, type);
    inner.scope(stem, () => build(inner));
    return inner.build();
  }

  /** The finished graph. The builder may go on afterwards. */
  build(): Graph {
    return renameOutputs(
      this.snapshot(),
      this.outputValues.map(({ name }) => name),
    );
  }

  /** The graph so far, every value under the name that it has in this builder (outputs are not yet renamed). */
  snapshot(): Graph {
    return {
      name: this.name,
      inputs: [...this.inputValues],
      outputs: this.outputValues.map(({ value }) => value),
      nodes: [...this.nodes],
      initializers: new Map(this.initializers),
      types: new Map(this.types),
      annotations: new Map(this.annotations),
      customGradients: [...this.customGradients],
    };
  }

  private append(node: Node): void {
    this.nodes.push(node);
    for (const output of node.outputs) this.producers.set(output, node);
  }

  private declare(name: string, type: TensorType): Value {
    this.types.set(name, type);
    return { name, type };
  }

  private scoped(name: string): string {
    return this.scopes.length === 0 ? name : `${this.scopes.join("/")}/${name}`;
  }

  private claim(name: string): string {
    if (this.types.has(name)) throw inputError("duplicate_name", `graph "${this.name}" has a value "${name}" already`);
    return name;
  }

  private fresh(stem: string): string {
    const base = this.scoped(stem);
    for (;;) {
      const count = this.counters.get(base) ?? 0;
      this.counters.set(base, count + 1);
      const name = count === 0 ? base : `${base}_${count}`;
      if (!this.types.has(name)) return name;
    }
  }

  private unused(name: string): string {
    return this.types.has(this.scoped(name)) ? this.fresh(name).slice(this.scoped("").length) : name;
  }

  private nodeName(stem: string, namesOutputs: boolean): string {
    for (;;) {
      const name = this.fresh(stem);
      const output = `${name}:out`;
      if (this.nodeNames.has(name) || this.types.has(output)) continue;
      if (namesOutputs && this.reserved.has(output)) continue;
      this.nodeNames.add(name);
      return name;
    }
  }
}

function smallConstantKey(constant: Tensor): string | undefined {
  const data = constant.data;
  if (data === undefined || data.length > 8) return undefined;
  const values = Array.from(data as ArrayLike<number | bigint | string>, (value) =>
    Object.is(value, -0) ? "-0" : String(value),
  );
  return `${constant.elementType}[${constant.dimensions.join(",")}]${values.join(",")}`;
}

/** Gives a graph's outputs these names. An output that is also an input, or is given two names, goes through an Identity. */
function renameOutputs(graph: Graph, names: readonly string[]): Graph {
  const renamed = new Map<string, string>();
  const extra: Node[] = [];
  const fixed = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  const outputs = graph.outputs.map((value, index): Value => {
    const name = names[index]!;
    if (name === value.name && !renamed.has(name)) return value;
    if (graph.types.has(name) && name !== value.name) {
      throw inputError("duplicate_name", `graph "${graph.name}": output name "${name}" is taken by another value`);
    }
    if (fixed.has(value.name) || renamed.has(value.name)) {
      const source = renamed.get(value.name) ?? value.name;
      extra.push({
        name: `${name}:identity`,
        domain: "",
        operator: "Identity",
        inputs: [source],
        outputs: [name],
        attributes: {},
      });
    } else {
      renamed.set(value.name, name);
    }
    return { name, type: value.type };
  });
  if (renamed.size === 0 && extra.length === 0) return graph;
  const rename = (name: string): string => renamed.get(name) ?? name;
  const types = new Map<string, TensorType>();
  for (const [name, type] of graph.types) types.set(rename(name), type);
  for (const { name, type } of outputs) types.set(name, type);
  return {
    ...graph,
    outputs,
    nodes: [
      ...graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) })),
      ...extra,
    ],
    types,
    annotations: new Map([...graph.annotations].map(([name, annotation]) => [rename(name), annotation])),
    customGradients: graph.customGradients.map((region) => ({
      ...region,
      inputs: region.inputs.map(rename),
      outputs: region.outputs.map(rename),
    })),
  };
}

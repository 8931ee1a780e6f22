import { type Dimension, type Graph, GraphBuilder, type Node, type Value } from "@dovetail/graph";

/** What a node's replacement sees. */
export interface RewriteContext {
  readonly node: Node;
  /** The node's inputs in the new graph; undefined where an optional one is absent. */
  readonly inputs: readonly (Value | undefined)[];
  /** Where the replacement adds its nodes. */
  readonly g: GraphBuilder;
  /** Adds the node as it was. */
  keep(): readonly Value[];
}

/** Adds what stands in a node's place and returns one value for each of its outputs. */
export type NodeRewrite = (context: RewriteContext) => readonly Value[];

export interface RewriteOptions {
  /** Sizes to put in the place of named dimensions of the inputs, e.g. `{ batch: 128 }`. All types are inferred anew. */
  readonly dimensions?: Readonly<Record<string, Dimension>> | undefined;
  /** Replacements by operator, of another domain than ONNX's `domain.Operator`; nodes of other operators stay as they are. */
  readonly nodes?: Readonly<Record<string, NodeRewrite>> | undefined;
  /** Called for each value before anything reads it: what it returns is read in its place. */
  readonly values?: ((value: Value, g: GraphBuilder) => Value) | undefined;
}

/**
 * A graph built anew, node by node, with replacements. Inputs, outputs, annotations and custom gradients are kept;
 * values keep their names wherever their node is kept. `find` leads from a name in the old graph to the value in the
 * new one.
 */
export function rewriteGraph(
  graph: Graph,
  options: RewriteOptions,
): { readonly graph: Graph; readonly find: (name: string) => Value } {
  const g = new GraphBuilder(graph.name, { reserved: graph.nodes.flatMap(({ outputs }) => outputs) });
  const values = new Map<string, Value>();
  const see = (name: string, value: Value): void => {
    values.set(name, options.values?.(value, g) ?? value);
  };
  const find = (name: string): Value => values.get(name) ?? g.value(name);

  for (const { name, type } of graph.inputs) {
    const shape = (type.shape ?? []).map((size) => options.dimensions?.[size] ?? size);
    g.input(name, type.elementType, shape);
  }
  for (const { name } of graph.inputs) see(name, g.value(name));
  for (const [name, constant] of graph.initializers) see(name, g.constant(constant, name));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : find(name)));
    const keep = (): readonly Value[] =>
      g.node(node.operator, inputs, node.attributes, { domain: node.domain, name: node.name, outputs: node.outputs });
    const rule = options.nodes?.[node.domain === "" ? node.operator : `${node.domain}.${node.operator}`];
    const outputs = rule ? rule({ node, inputs, g, keep }) : keep();
    node.outputs.forEach((name, index) => {
      if (name !== "") see(name, outputs[index]!);
    });
  }
  for (const { name } of graph.outputs) g.output(find(name), name);
  const built = g.build();
  return { graph: carryOver(graph, built, (name) => values.get(name)?.name ?? name), find };
}

/** Annotations and custom gradients of the old graph, under the new names, beside those that the new one has. */
function carryOver(old: Graph, built: Graph, rename: (name: string) => string): Graph {
  const annotations = new Map([...old.annotations].map(([name, annotation]) => [rename(name), annotation]));
  for (const [name, annotation] of built.annotations) annotations.set(name, annotation);
  const regions = old.customGradients.map((region) => ({
    ...region,
    inputs: region.inputs.map(rename),
    outputs: region.outputs.map(rename),
  }));
  return { ...built, annotations, customGradients: [...regions, ...built.customGradients] };
}

import { inputError } from "@dovetail/core";
import type { Attribute, FunctionDefinition, Graph, Model, Node } from "../ir/graph.js";
import { mapSubgraphs, subgraphsOf } from "../ir/subgraphs.js";
import { inferTypes } from "./infer-types.js";
import { renameInputs } from "./rename-values.js";

/** Functions that call functions can grow without bound in a hostile file. */
const defaultMaximumNodes = 1_000_000;

/**
 * Puts the bodies of model-local functions in the place of the nodes that call them, in subgraphs too, and infers all
 * types anew. Values inside a body are named after the calling node, `node/value`.
 *
 * Throws an input error when a function calls itself, or when the graph would have more than `maximumNodes` nodes (a
 * million by default).
 */
export function inlineFunctions(model: Model, options: { readonly maximumNodes?: number | undefined } = {}): Model {
  if (model.functions.length === 0) return model;
  const inliner = new Inliner(model, options.maximumNodes ?? defaultMaximumNodes);
  const graph = inliner.graph(model.graph);
  return { ...model, graph: inferTypes(graph, { opset: model.opsets.get("") }), functions: [] };
}

const keyOf = (domain: string, name: string): string => `${domain}.${name}`;

class Inliner {
  private readonly functions: ReadonlyMap<string, FunctionDefinition>;
  private readonly taken = new Set<string>();
  private readonly calls: string[] = [];
  private nodeCount = 0;

  constructor(
    { functions, graph }: Model,
    private readonly maximumNodes: number,
  ) {
    this.functions = new Map(functions.map((definition) => [keyOf(definition.domain, definition.name), definition]));
    this.take(graph);
  }

  graph(graph: Graph): Graph {
    return { ...graph, nodes: graph.nodes.flatMap((node) => this.node(node)) };
  }

  private take(graph: Graph): void {
    for (const { name } of graph.inputs) this.taken.add(name);
    for (const name of graph.initializers.keys()) this.taken.add(name);
    for (const node of graph.nodes) {
      for (const name of node.outputs) this.taken.add(name);
      for (const subgraph of subgraphsOf(node)) this.take(subgraph);
    }
  }

  private node(node: Node): readonly Node[] {
    const key = keyOf(node.domain, node.operator);
    const definition = this.functions.get(key);
    if (!definition) {
      if (++this.nodeCount > this.maximumNodes) {
        throw inputError("limit_exceeded", "the graph has too many nodes with its functions put in", {
          expected: `at most ${this.maximumNodes}`,
        });
      }
      return [mapSubgraphs(node, (subgraph) => this.graph(subgraph))];
    }
    if (this.calls.includes(key)) {
      throw inputError("recursive_function", `the function ${key} calls itself`, { received: this.calls.join(" → ") });
    }
    this.calls.push(key);
    const body = this.body(definition, node).flatMap((inner) => this.node(inner));
    this.calls.pop();
    return body;
  }

  /** The function's nodes with the caller's values and attributes. */
  private body(definition: FunctionDefinition, call: Node): readonly Node[] {
    const names = new Map<string, string>();
    definition.inputs.forEach((name, index) => {
      names.set(name, call.inputs[index] ?? "");
    });
    const passedOn: Node[] = [];
    definition.outputs.forEach((name, index) => {
      const target = call.outputs[index];
      if (!target) return;
      if (names.has(name)) passedOn.push(identity(call, names.get(name)!, target));
      else names.set(name, target);
    });
    for (const name of definedNames(definition.nodes)) {
      if (!names.has(name)) names.set(name, this.fresh(`${call.name}/${name}`));
    }
    const nodes = definition.nodes.map((inner): Node => {
      const renamed = renameInputs(withAttributes(inner, call, definition), names);
      const outputs = inner.outputs.map((name) => names.get(name) ?? name);
      return { ...renamed, name: `${call.name}/${inner.name}`, outputs };
    });
    return [...nodes, ...passedOn];
  }

  private fresh(stem: string): string {
    let name = stem;
    for (let count = 1; this.taken.has(name); count++) name = `${stem}_${count}`;
    this.taken.add(name);
    return name;
  }
}

/** Names that nodes define, in their subgraphs too; two branches may use the same name. */
function definedNames(nodes: readonly Node[]): readonly string[] {
  const names: string[] = [];
  for (const node of nodes) {
    for (const name of node.outputs) if (name !== "") names.push(name);
    for (const { inputs, initializers, nodes: inner } of subgraphsOf(node)) {
      names.push(...inputs.map(({ name }) => name), ...initializers.keys(), ...definedNames(inner));
    }
  }
  return names;
}

/** A body's node with the caller's attributes, or the function's defaults, where it refers to them. */
function withAttributes(node: Node, call: Node, definition: FunctionDefinition): Node {
  const attributes: Record<string, Attribute> = {};
  for (const [name, attribute] of Object.entries(node.attributes)) {
    if (attribute.kind !== "reference") {
      attributes[name] = attribute;
      continue;
    }
    const given = call.attributes[attribute.value] ?? definition.attributeDefaults?.[attribute.value];
    // An attribute that nobody gives is absent, and the inner operator's own default holds.
    if (given !== undefined) attributes[name] = given;
  }
  const resolveWithin = (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map((inner) => withAttributes(inner, call, definition)),
  });
  return mapSubgraphs({ ...node, attributes }, resolveWithin);
}

function identity(call: Node, source: string, target: string): Node {
  const name = `${call.name}/${target}`;
  return { name, domain: "", operator: "Identity", inputs: [source], outputs: [target], attributes: {} };
}

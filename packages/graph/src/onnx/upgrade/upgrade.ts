import { inputError } from "@dovetail/core";
import { defaultOpset, type FunctionDefinition, type Graph, type Node, type Tensor } from "../../ir/graph.js";
import { mapSubgraphs, subgraphsOf } from "../../ir/subgraphs.js";
import { TypeScope } from "../../passes/type-scope.js";
import type { UpgradeContext } from "./rule.js";
import { incompatibleSince, normalizationTable, upgradeTable } from "./table.js";

/** Operator sets of ONNX's own domain that are read. */
export const oldestOpset = 11;
export const newestOpset = 21;

/** Version of the operator set that a graph read from set `opset` is in afterwards. */
export const opsetAfterUpgrade = (opset: number): number => Math.max(opset, defaultOpset);

/**
 * A graph of operator set 11–21 with every node in the form of set 18 (of the file's own set, where that is newer), and
 * all types inferred. Throws an input error that names the node where the old form has no equal.
 */
export function upgradeGraph(graph: Graph, opset: number): Graph {
  checkCompatible(graph.nodes, opset);
  return upgradeWithin(graph, opset, new Names(graph));
}

function upgradeWithin(graph: Graph, opset: number, names: Names, parent?: TypeScope): Graph {
  const scope = new TypeScope(graph, graph.types, opsetAfterUpgrade(opset), parent);
  const initializers = new Map(graph.initializers);
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = mapSubgraphs(original, (subgraph) => upgradeWithin(subgraph, opset, names, scope));
    const context = contextOf(node, opset, scope, names, (name, constant) => {
      initializers.set(name, constant);
      scope.addConstant(name, constant);
    });
    for (const upgraded of upgradeNode(node, context)) nodes.push(scope.add(upgraded));
  }
  return { ...graph, nodes, initializers, outputs: scope.outputs(graph.outputs), types: scope.types };
}

/** A function's body in the same form; constants that the new form needs become Constant nodes. */
export function upgradeFunction(definition: FunctionDefinition, opset: number): FunctionDefinition {
  checkCompatible(definition.nodes, opset);
  const nothing = { inputs: [], outputs: [], initializers: new Map<string, Tensor>(), types: new Map() };
  const scope = new TypeScope(nothing, new Map(), opsetAfterUpgrade(opset));
  const outputs = definition.outputs.map((name) => ({ name }));
  const names = new Names({ ...nothing, nodes: definition.nodes, outputs });
  for (const name of definition.inputs) names.take(name);
  const nodes: Node[] = [];
  for (const original of definition.nodes) {
    const node = mapSubgraphs(original, (subgraph) => upgradeWithin(subgraph, opset, names, scope));
    const context = contextOf(node, opset, scope, names, (name, constant) => {
      const attributes = { value: { kind: "tensor" as const, value: constant } };
      nodes.push({ name, domain: "", operator: "Constant", inputs: [], outputs: [name], attributes });
    });
    nodes.push(...upgradeNode(node, context));
  }
  return { ...definition, nodes };
}

/** Throws when a newer file's operators mean something else than in set 18; says which they are. */
function checkCompatible(nodes: readonly Node[], opset: number): void {
  const found = new Map<string, string>();
  const visit = (node: Node): void => {
    const since = node.domain === "" ? own(incompatibleSince, node.operator) : undefined;
    if (since !== undefined && opset >= since && !found.has(node.operator)) found.set(node.operator, node.name);
    for (const subgraph of subgraphsOf(node)) subgraph.nodes.forEach(visit);
  };
  nodes.forEach(visit);
  if (found.size === 0) return;
  const list = [...found].map(([operator, name]) => `${operator} (node "${name}")`).join(", ");
  throw inputError("incompatible_operators", `operator set ${opset} gives other meanings to: ${list}`, {
    expected: `operators that mean the same as in operator set ${defaultOpset}`,
    hint: `export the model with operator set ${defaultOpset}`,
  });
}

function upgradeNode(node: Node, context: UpgradeContext): readonly Node[] {
  if (node.domain !== "") return [node];
  const normalize = own(normalizationTable, node.operator);
  if (normalize) return normalize(context);
  const upgrade = own(upgradeTable, node.operator);
  return upgrade && context.opset < upgrade.changedIn ? upgrade.rule(context) : [node];
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function contextOf(
  node: Node,
  opset: number,
  scope: TypeScope,
  names: Names,
  addConstant: (name: string, constant: Tensor) => void,
): UpgradeContext {
  return {
    node,
    opset,
    typeOf: (name) => scope.typeOf(name),
    constantOf: (name) => scope.constantOf(name),
    isUsed: (name) => names.isUsed(name),
    fresh: (stem) => names.fresh(`${node.name}:${stem}`),
    constant: (stem, constant) => {
      const name = names.fresh(`${node.name}:${stem}`);
      addConstant(name, constant);
      return name;
    },
    fail: (message) =>
      inputError("opset_upgrade", `node "${node.name}" (${node.operator}, operator set ${opset}): ${message}`),
  };
}

/** All value names of a graph and its subgraphs, so that new ones clash with none. */
class Names {
  private readonly taken = new Set<string>();
  private readonly used = new Set<string>();

  constructor(graph: NamedParts) {
    this.collect(graph);
  }

  private collect(graph: NamedParts): void {
    for (const name of graph.types.keys()) this.taken.add(name);
    for (const { name } of graph.outputs) this.used.add(name);
    for (const node of graph.nodes) {
      this.taken.add(node.name);
      for (const name of node.outputs) this.taken.add(name);
      for (const name of node.inputs) this.used.add(name);
      for (const subgraph of subgraphsOf(node)) this.collect(subgraph);
    }
  }

  take(name: string): void {
    this.taken.add(name);
  }

  isUsed(name: string): boolean {
    return this.used.has(name);
  }

  fresh(stem: string): string {
    let name = stem;
    for (let count = 1; this.taken.has(name); count++) name = `${stem}_${count}`;
    this.taken.add(name);
    return name;
  }
}

interface NamedParts {
  readonly types: ReadonlyMap<string, unknown>;
  readonly outputs: readonly { readonly name: string }[];
  readonly nodes: readonly Node[];
}

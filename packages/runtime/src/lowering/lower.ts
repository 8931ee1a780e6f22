// From a graph to the operators that run fastest on a provider. One set of gradient rules, lowering differs.

import {
  capturedNames,
  dovetailDomain,
  eliminateDeadCode,
  expandOwnOperators,
  type Graph,
  type Node,
  subgraphsOf,
} from "@dovetail/graph";
import { createEmitter, type Emitter } from "./emitter.js";
import { createForms, type Forms } from "./forms.js";
import type { LoweringTable } from "./rule.js";
import { convolutionRules } from "./rules/convolution.js";
import { elementwiseRules } from "./rules/elementwise.js";
import { normalizationRules } from "./rules/normalization.js";
import { poolingRules } from "./rules/pooling.js";
import { quantizationRules } from "./rules/quantization.js";
import { weightGradientRules } from "./rules/weight-gradient.js";
import type { LoweringTarget } from "./target.js";

/** What operators become where there are blocked kernels. Others, and nodes that do not fit, are computed in plain order. */
export const blockedTable: LoweringTable = {
  ...convolutionRules,
  ...weightGradientRules,
  ...normalizationRules,
  ...elementwiseRules,
  ...poolingRules,
  ...quantizationRules,
};

/**
 * The same graph in the operators that run fastest on the target, without those that no output depends on (ONNX Runtime
 * would execute them). Inputs and outputs keep names, types and plain order.
 */
export function lower(graph: Graph, target: LoweringTarget): Graph {
  // Regions of custom gradients would keep alive what they alone read; nothing is differentiated any more.
  const live = eliminateDeadCode({ ...graph, customGradients: [] });
  return target.blockSize === undefined ? expandOwnOperators(live) : lowerBlocked(live, target.blockSize);
}

const keyOf = ({ domain, operator }: Node): string => (domain === "" ? operator : `${domain}.${operator}`);

function lowerBlocked(original: Graph, blockSize: number): Graph {
  const types = new Map(original.types);
  const graph: Graph = { ...original, types };
  const emitter = createEmitter([
    ...types.keys(),
    ...graph.initializers.keys(),
    ...graph.nodes.map(({ name }) => name),
  ]);
  const forms = createForms(graph, emitter, blockSize);
  const shared = { graph, emitter, forms, paddedVectors: new Map<string, string>(), memo: new Map<string, string>() };
  for (const name of [...graph.inputs.map((input) => input.name), ...graph.initializers.keys()]) {
    forms.setPlain(name, name);
  }
  const lowerNode = (node: Node): void => {
    emitter.stem = node.name;
    if (blockedTable[keyOf(node)]?.({ ...shared, node })) return;
    if (node.domain !== dovetailDomain) {
      copyPlain(node, emitter, forms);
      return;
    }
    const expanded = expandOwnOperators({ ...graph, nodes: [node], initializers: new Map() });
    for (const [name, type] of expanded.types) types.set(name, type);
    for (const [name, constant] of expanded.initializers) {
      emitter.initializers.set(name, constant);
      forms.setPlain(name, name);
    }
    for (const inner of expanded.nodes) lowerNode(inner);
  };
  for (const node of graph.nodes) {
    lowerNode(node);
    forms.used(node.inputs);
  }
  return finished(graph, emitter, forms);
}

/** The node as it is, on operands in plain order. */
function copyPlain(node: Node, emitter: Emitter, forms: Forms): void {
  for (const name of subgraphsOf(node).flatMap(capturedNames)) {
    // Subgraphs name what they take from outside, so it must be there under its own name.
    const plain = forms.has(name) ? forms.plain(name) : name;
    if (plain === name) continue;
    emitter.op("Identity", [plain], {}, { outputs: [name] });
    forms.setPlain(name, name);
  }
  emitter.nodes.push({ ...node, inputs: node.inputs.map((name) => (name === "" ? "" : forms.plain(name))) });
  for (const name of node.outputs) if (name !== "") forms.setPlain(name, name);
}

/** Gives the graph's outputs their names back. */
function finished(graph: Graph, emitter: Emitter, forms: Forms): Graph {
  const fixed = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  const renamed = new Map<string, string>();
  for (const { name } of graph.outputs) {
    const plain = forms.plain(name);
    if (plain === name) continue;
    if (fixed.has(plain) || renamed.has(plain)) emitter.op("Identity", [plain], {}, { outputs: [name] });
    else renamed.set(plain, name);
  }
  const rename = (name: string): string => renamed.get(name) ?? name;
  return {
    ...graph,
    nodes: emitter.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    })),
    initializers: new Map([...graph.initializers, ...emitter.initializers]),
    customGradients: [],
  };
}

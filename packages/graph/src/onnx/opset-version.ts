import { inputError } from "@dovetail/core";
import {
  defaultOpset,
  type FunctionDefinition,
  type Graph,
  type Model,
  type Node,
  type TensorType,
} from "../ir/graph.js";
import { subgraphsOf } from "../ir/subgraphs.js";
import { incompatibleSince } from "./upgrade/table.js";

const wideQuantizationOpset = 21;

/**
 * Version of ONNX's operator set that a graph needs: 18, or 21 where QuantizeLinear or DequantizeLinear work on 4- or
 * 16-bit integers, or block by block.
 */
export function requiredOpset(graph: Graph): number {
  let required = defaultOpset;
  visitNodes(graph, (node, { types }) => {
    if (needsWideQuantization(node, types)) required = wideQuantizationOpset;
  });
  return required;
}

function needsWideQuantization(node: Node, types: ReadonlyMap<string, TensorType>): boolean {
  if (node.domain !== "") return false;
  if (node.operator !== "QuantizeLinear" && node.operator !== "DequantizeLinear") return false;
  if (node.attributes.block_size || node.attributes.output_dtype) return true;
  return [...node.inputs, ...node.outputs].some((name) => wideTypes.has(types.get(name)?.elementType ?? ""));
}

const wideTypes: ReadonlySet<string> = new Set(["int4", "uint4", "int16", "uint16"]);

/** Version of the file format that came out with the operator set. */
export const irVersionOf = (opset: number): number => (opset >= 21 ? 10 : opset >= 19 ? 9 : 8);

/** Operator sets of every domain in use; domains that nobody gave a version get 1. */
export function requiredOpsets(graph: Graph, functions: readonly FunctionDefinition[]): Map<string, number> {
  const opsets = new Map([["", requiredOpset(graph)]]);
  const add = (domain: string): void => {
    if (!opsets.has(domain)) opsets.set(domain, 1);
  };
  visitNodes(graph, ({ domain }) => add(domain));
  for (const { domain, nodes } of functions) {
    add(domain);
    for (const node of nodes) add(node.domain);
  }
  return opsets;
}

/**
 * The model's operator sets, raised to what its nodes need. Throws an input error when the raise changes the meaning of
 * another node.
 */
export function writtenOpsets(model: Model): Map<string, number> {
  const required = requiredOpsets(model.graph, model.functions);
  const declared = model.opsets.get("") ?? defaultOpset;
  const opset = Math.max(declared, required.get("")!);
  visitNodes(model.graph, (node) => {
    const since =
      node.domain === "" && Object.hasOwn(incompatibleSince, node.operator) && incompatibleSince[node.operator];
    if (since && declared < since && opset >= since) {
      throw inputError("opset_conflict", `node "${node.name}" (${node.operator}) cannot be written`, {
        expected: `an operator set below ${since}`,
        received: `${opset}, which the model's 4- or 16-bit quantization needs`,
      });
    }
  });
  return new Map([...required, ...model.opsets, ["", opset]]);
}

function visitNodes(graph: Graph, visit: (node: Node, graph: Graph) => void): void {
  for (const node of graph.nodes) {
    visit(node, graph);
    for (const subgraph of subgraphsOf(node)) visitNodes(subgraph, visit);
  }
}

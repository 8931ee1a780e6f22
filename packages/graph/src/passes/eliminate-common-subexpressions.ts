import type { Attribute, Graph, Node, Tensor } from "../ir/graph.js";
import { regionNodes } from "../ir/regions.js";
import { subgraphsOf } from "../ir/subgraphs.js";
import { forgetVanishedValues } from "./keep-values.js";
import { renameInputs } from "./rename-values.js";

/**
 * Of nodes that compute the same from the same values the first one stays, and its outputs serve the users of the
 * others.
 *
 * Not merged: random operators, nodes with subgraphs, nodes inside custom-gradient regions, nodes whose outputs are
 * outputs of the graph (their names are its interface), and nodes whose outputs are annotated differently.
 */
export function eliminateCommonSubexpressions(graph: Graph): Graph {
  const fixed = new Set(graph.outputs.map(({ name }) => name));
  const inRegion = regionNodes(graph);
  for (const region of graph.customGradients) for (const name of region.inputs) fixed.add(name);
  const firsts = new Map<string, Node>();
  const replaced = new Map<string, string>();
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = renameInputs(original, replaced);
    const key = inRegion.has(original) ? undefined : keyOf(node, graph);
    const first = key === undefined ? undefined : firsts.get(key);
    if (first && !node.outputs.some((name) => fixed.has(name))) {
      node.outputs.forEach((name, index) => {
        replaced.set(name, first.outputs[index]!);
      });
      continue;
    }
    nodes.push(node);
    if (key !== undefined && !first) firsts.set(key, node);
  }
  return replaced.size === 0 ? graph : forgetVanishedValues({ ...graph, nodes });
}

const randomOperators: ReadonlySet<string> = new Set([
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
  "Multinomial",
  "Bernoulli",
  "Dropout",
]);

/** Equal for nodes that compute the same; undefined for those that must not be merged. */
function keyOf(node: Node, graph: Graph): string | undefined {
  if (randomOperators.has(node.operator) || subgraphsOf(node).length > 0) return undefined;
  const attributes: string[] = [];
  for (const name of Object.keys(node.attributes).sort()) {
    const text = attributeText(node.attributes[name]!);
    if (text === undefined) return undefined;
    attributes.push(JSON.stringify(name), text);
  }
  const presentOutputs = node.outputs.map((name) => name !== "");
  const annotations = node.outputs.map((name) => graph.annotations.get(name) ?? null);
  return JSON.stringify([node.domain, node.operator, node.inputs, attributes, presentOutputs, annotations]);
}

const largestComparedTensor = 64;

function attributeText(attribute: Attribute): string | undefined {
  switch (attribute.kind) {
    case "tensor":
      return tensorText(attribute.value);
    case "tensors":
    case "graph":
    case "graphs":
      return undefined;
    case "float":
    case "floats":
      // JSON has no infinities, no NaN and no negative zero.
      return `${attribute.kind}:${[attribute.value].flat().map((value) => (Object.is(value, -0) ? "-0" : `${value}`))}`;
    default:
      return JSON.stringify(attribute);
  }
}

function tensorText({ elementType, dimensions, data }: Tensor): string | undefined {
  if (data === undefined || data.length > largestComparedTensor) return undefined;
  const values = Array.from(data as ArrayLike<unknown>, (value) => (Object.is(value, -0) ? "-0" : String(value)));
  return JSON.stringify([elementType, dimensions, values]);
}

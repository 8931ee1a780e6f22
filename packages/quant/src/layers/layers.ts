import { attributeOf, type Node } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { valuesFrom } from "../quantizers/dependence.js";
import { channelAxes } from "../quantizers/points.js";

/** A layer's place in its network. */
export type LayerRole =
  /** No layer stands before it. */
  | "stem"
  /** No layer stands behind it. */
  | "classifier"
  /** The only layer of a residual branch, 1×1, beside a branch with layers of its own. */
  | "shortcut"
  /** A convolution with one input channel a group. */
  | "depthwise"
  | "inner";

/** A convolution or matrix product of a value that depends on the image with one that does not. */
export interface Layer {
  readonly node: Node;
  /** The weight's name without a final `.weight`: `stage1.0.first.conv`, say. */
  readonly name: string;
  readonly operator: string;
  /** The first that applies, in the order of `LayerRole`. */
  readonly role: LayerRole;
  /** Names of the values that it multiplies. */
  readonly input: string;
  readonly weight: string;
  /** Axis of the weight's output channels. */
  readonly channelAxis: number;
  /** Channels of the input of a depth-wise convolution, else undefined. */
  readonly depthwiseChannels: number | undefined;
}

/** The layers of a network, in the order of its nodes. */
export function layersOf(network: Network): readonly Layer[] {
  const fromImage = valuesFrom(network, new Set([network.image]));
  const nodes = network.graph.nodes.filter(
    ({ domain, operator, inputs: [data, ...others] }) =>
      domain === "" &&
      Object.hasOwn(channelAxes, operator) &&
      fromImage.has(data!) &&
      !others.some((name) => fromImage.has(name)),
  );
  const fromLayers = valuesFrom(network, new Set(nodes.map(({ outputs }) => outputs[0]!)));
  const toLayers = valuesTo(network, new Set(nodes.map(({ inputs }) => inputs[0]!)));
  const shortcuts = shortcutsOf(network, new Set(nodes), fromImage);
  return nodes.map((node) => {
    const [input, weight] = node.inputs as readonly [string, string];
    const rank = network.graph.types.get(weight)!.shape!.length;
    const depthwiseChannels = depthwiseChannelsOf(network, node);
    const roles: Readonly<Record<Exclude<LayerRole, "inner">, boolean>> = {
      stem: !fromLayers.has(input),
      classifier: !toLayers.has(node.outputs[0]!),
      shortcut: shortcuts.has(node),
      depthwise: depthwiseChannels !== undefined,
    };
    const role = (Object.keys(roles) as (keyof typeof roles)[]).find((name) => roles[name]) ?? "inner";
    const channelAxis = channelAxes[node.operator]!(node, rank);
    const name = weight.replace(/\.weight$/, "");
    return { node, name, operator: node.operator, role, input, weight, channelAxis, depthwiseChannels };
  });
}

/** The values that are, or that lead to, one of these. */
function valuesTo({ graph }: Network, targets: ReadonlySet<string>): ReadonlySet<string> {
  const leading = new Set(targets);
  for (const node of graph.nodes.toReversed()) {
    if (node.outputs.some((name) => leading.has(name))) for (const name of node.inputs) leading.add(name);
  }
  return leading;
}

function depthwiseChannelsOf({ graph }: Network, node: Node): number | undefined {
  const groups = attributeOf(node, "group", "int", 1);
  const isDepthwise = node.operator === "Conv" && groups > 1 && graph.types.get(node.inputs[1]!)?.shape?.[1] === 1;
  return isDepthwise ? groups : undefined;
}

/** The 1×1 layers that are alone on their branch of a sum, while the other branch has layers too. */
function shortcutsOf({ graph }: Network, layers: ReadonlySet<Node>, fromImage: ReadonlySet<string>): ReadonlySet<Node> {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  // Back from a value, along the first operand of each node that depends on the image.
  const chainTo = (name: string): string[] => {
    const chain = [name];
    for (let node = producers.get(name); node; node = producers.get(chain.at(-1)!)) {
      const before = node.inputs.find((input) => fromImage.has(input));
      if (before === undefined) break;
      chain.push(before);
    }
    return chain;
  };
  const layersBefore = (chain: readonly string[], meeting: string): Node[] =>
    chain
      .slice(0, chain.indexOf(meeting))
      .map((name) => producers.get(name)!)
      .filter((node) => layers.has(node));
  const shortcuts = new Set<Node>();
  for (const { operator, inputs } of graph.nodes) {
    if (operator !== "Add" || !inputs.every((name) => fromImage.has(name))) continue;
    const [left, right] = inputs.map(chainTo) as [string[], string[]];
    const meeting = left.find((name) => right.includes(name));
    if (meeting === undefined) continue;
    const branches = [layersBefore(left, meeting), layersBefore(right, meeting)] as const;
    branches.forEach((branch, side) => {
      const [only] = branch;
      if (
        branch.length === 1 &&
        branches[1 - side]!.length > 1 &&
        isPointwise(graph.types.get(only!.inputs[1]!)?.shape)
      ) {
        shortcuts.add(only!);
      }
    });
  }
  return shortcuts;
}

function isPointwise(weightShape: readonly unknown[] | undefined): boolean {
  return weightShape?.length === 4 && weightShape.slice(2).every((size) => size === 1);
}

// Any network's layers as shifts, as additions, or as one after the other.

import { type ShiftOptions, shiftLayers } from "@dovetail/compress";
import { type DovetailError, inputError } from "@dovetail/core";
import { type GraphBuilder, type Node, type Value, type Window, windowAttributes, windowOf } from "@dovetail/graph";
import {
  batchNormalization,
  type Network,
  NetworkBuilder,
  type NodeRewrite,
  type ParameterSpec,
  parameterSpec,
  rewriteGraph,
} from "@dovetail/models";
import { layersOf } from "@dovetail/quant";
import { countOperations, isAddLayer } from "./networks.js";

/**
 * - `shift`: the weights of all convolutions and matrix products are powers of two (DeepShift)
 * - `add`: add layers in the place of convolutions (AdderNet)
 * - `shiftAdd`: shifts, and behind each convolution an add layer of its kernel at stride 1 (ShiftAddNet)
 */
export type LayerForm = "shift" | "add" | "shiftAdd";

/**
 * A network in one of the forms. Two-dimensional convolutions of one group with another layer before them take part in
 * additions; stem, linear layers, grouped and depth-wise convolutions do not. An add layer needs a batch normalization
 * behind it and gets one of its own where none reads it. `NAME.weight` becomes `NAME.weight:exponent` and `:sign` or
 * `:latent`, or an add layer's weight; an add layer behind has `NAME.add.weight`, a new normalization `NAME.bn.*`.
 * Throws `add_layers` where there are add layers already, `no_layers` where none can be made.
 */
export function convertLayers(network: Network, form: LayerForm, shift: ShiftOptions = {}): Network {
  if (network.graph.nodes.some(isAddLayer)) {
    throw inputError("add_layers", `network "${network.name}" has add layers already`, {
      hint: "train it as it is, without a method",
    });
  }
  if (form === "add") return withAddLayers(network, "instead");
  const shifted = shiftLayers(form === "shift" ? network : withAddLayers(network, "behind"), shift);
  if (countOperations(shifted).shift === 0) throw noLayers(network, "weights that are trained");
  return shifted;
}

const noLayers = ({ name }: Network, expected: string): DovetailError =>
  inputError("no_layers", `network "${name}" has no layers for this method`, { expected });

function withAddLayers(network: Network, place: "instead" | "behind"): Network {
  const plan = addableLayers(network);
  if (plan.size === 0) throw noLayers(network, "a trained convolution of one group behind another layer");
  const added: ParameterSpec[] = [];
  const rule: NodeRewrite = ({ node, inputs, g, keep }) => {
    const layer = plan.get(node);
    if (!layer) return keep();
    const n = new NetworkBuilder(network.name, g);
    const [x, weight] = inputs as readonly [Value, Value];
    const sums =
      place === "instead"
        ? addLayer(g, node.name, x, weight, layer.window)
        : addLayerBehind(n, `${node.name}/add`, keep()[0]!, layer);
    const output = layer.isNormalized ? sums : batchNormalization(n, `${layer.name}.bn`, sums);
    added.push(...n.parameters);
    return [output];
  };
  const { graph, find } = rewriteGraph(network.graph, { nodes: { Conv: rule } });
  const becameAddLayers = new Set(place === "instead" ? [...plan.values()].map(({ weight }) => weight) : []);
  const own = network.parameters.map((spec) =>
    becameAddLayers.has(spec.name) ? parameterSpec(spec.name, spec.shape, adderWeight) : spec,
  );
  // Without the biases of convolutions that are no more.
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const dropped = new Set(own.flatMap(({ name }) => (read.has(name) ? [] : [name])));
  return {
    ...network,
    graph: { ...graph, inputs: graph.inputs.filter(({ name }) => !dropped.has(name)) },
    logits: find(network.logits).name,
    parameters: [...own.filter(({ name }) => !dropped.has(name)), ...added],
  };
}

/** A convolution that takes part in additions. */
interface AddableLayer {
  readonly name: string;
  readonly weight: string;
  /** Output channels. */
  readonly channels: number;
  readonly window: Window;
  /** A batch normalization reads it, and nothing else. */
  readonly isNormalized: boolean;
}

function addableLayers(network: Network): ReadonlyMap<Node, AddableLayer> {
  const { graph } = network;
  const parameters = new Set(network.parameters.map(({ name }) => name));
  const readers = readersOf(network);
  const plan = new Map<Node, AddableLayer>();
  for (const { node, name, role, weight, input } of layersOf(network)) {
    if (node.operator !== "Conv" || (role !== "inner" && role !== "shortcut")) continue;
    const [channels, groupChannels, ...kernel] = graph.types.get(weight)!.shape as readonly number[];
    const [, inputChannels, ...spatial] = graph.types.get(input)!.shape!;
    const window = windowOf(node, kernel, spatial);
    const isOneGroup = kernel.length === 2 && groupChannels === inputChannels;
    if (!isOneGroup || !window || !parameters.has(weight) || readers.get(weight)!.length > 1) continue;
    const [reader, ...others] = readers.get(node.outputs[0]!) ?? [];
    const isNormalized = others.length === 0 && reader === "BatchNormalization";
    plan.set(node, { name, weight, channels: channels!, window, isNormalized });
  }
  return plan;
}

/** By value the operators that read it; an output of the graph counts as one. */
function readersOf({ graph }: Network): ReadonlyMap<string, readonly string[]> {
  const readers = new Map<string, string[]>(graph.outputs.map(({ name }) => [name, ["output"]]));
  for (const { operator, inputs } of graph.nodes) {
    for (const name of inputs) readers.set(name, [...(readers.get(name) ?? []), operator]);
  }
  return readers;
}

const adderWeight = {
  role: "adderWeight",
  initialization: { kind: "normal", mean: 0, standardDeviation: 1 },
} as const;

const addLayer = (g: GraphBuilder, name: string, x: Value, weight: Value, window: Window): Value =>
  g.ownNode("AdderConv", [x, weight], windowAttributes(window), { name })[0]!;

/** From as many channels as the convolution gives, of its kernel, same size. */
function addLayerBehind(n: NetworkBuilder, node: string, x: Value, layer: AddableLayer): Value {
  const { name, channels } = layer;
  const { kernel } = layer.window;
  const weight = n.parameter(`${name}.add.weight`, [channels, channels, ...kernel], adderWeight);
  const begins = kernel.map((size) => Math.floor((size - 1) / 2));
  const ends = kernel.map((size) => Math.ceil((size - 1) / 2));
  const ones = kernel.map(() => 1);
  return addLayer(n.g, node, x, weight, { kernel, strides: ones, pads: [...begins, ...ends], dilations: ones });
}

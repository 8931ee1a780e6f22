// Quantization-aware retraining of the baselines: in every step a layer computes with its weights as they would be stored,
// and the gradient goes to the weights as if nothing lay between. Scales are fixed within an epoch.

import type { PackedTensor, WeightLayer } from "@dovetail/compress";
import { elementCount, type Tensor, tensor } from "@dovetail/graph";
import { type Network, parameterSpec, rewriteGraph } from "@dovetail/models";
import type { MaskedIntegers } from "./projection.js";

/** A network that trains the weights of its layers through integers. */
export interface StraightThroughNetwork {
  readonly network: Network;
  /** The parameters that hold the scales, and the masks of what stays zero. */
  form(tensors: ReadonlyMap<string, PackedTensor>): Map<string, Tensor>;
}

/** The network with layers as integers; their bits, and which weights are zero for good, are those of `start`. */
export function straightThroughNetwork(
  network: Network,
  layers: readonly WeightLayer[],
  start: ReadonlyMap<string, PackedTensor>,
): StraightThroughNetwork {
  const form = (tensors: ReadonlyMap<string, PackedTensor>): Map<string, Tensor> =>
    new Map(layers.flatMap(({ name }) => formOf(name, tensors.get(name) as MaskedIntegers)));
  const names = new Set(layers.map(({ name }) => name));
  const specs = [...form(start)].map(([name, { dimensions }]) =>
    parameterSpec(name, dimensions, {
      role: "stepSize",
      initialization: { kind: "constant", value: 1 },
      trainable: false,
      decay: false,
    }),
  );
  const inputs = specs.map(({ name, shape }) => ({ name, type: { elementType: "float32", shape } }) as const);
  const { graph, find } = rewriteGraph(
    { ...network.graph, inputs: [...network.graph.inputs, ...inputs] },
    {
      values: (weight, g) => {
        if (!names.has(weight.name)) return weight;
        const { bitWidth, mask } = start.get(weight.name) as MaskedIntegers;
        const most = 2 ** (bitWidth - 1) - 1;
        const scale = g.value(scaleName(weight.name));
        return g.scope(`integers/${weight.name}`, () =>
          g.straightThrough(weight, (value) => {
            const rounded = g.mul(g.clip(g.round(g.div(value, scale)), -most, most), scale);
            return mask ? g.mul(rounded, g.value(maskName(weight.name))) : rounded;
          }),
        );
      },
    },
  );
  return {
    network: { ...network, graph, logits: find(network.logits).name, parameters: [...network.parameters, ...specs] },
    form,
  };
}

const scaleName = (weight: string): string => `${weight}:scale`;
const maskName = (weight: string): string => `${weight}:mask`;

function formOf(name: string, { dimensions, isTransposed, scales, mask }: MaskedIntegers): [string, Tensor][] {
  const channels = dimensions.map((_, axis) => (axis === (isTransposed ? 1 : 0) ? scales.length : 1));
  // A channel without weights has no scale; its weights are rounded to zero by one that is larger than all.
  const scale = tensor(
    "float32",
    channels,
    Float32Array.from(scales, (value) => (value === 0 ? 1e6 : value)),
  );
  if (!mask) return [[scaleName(name), scale]];
  const inOrder = tensor("float32", dimensions, inTensorOrder(mask, dimensions, isTransposed));
  return [
    [scaleName(name), scale],
    [maskName(name), inOrder],
  ];
}

function inTensorOrder(mask: Uint8Array, dimensions: readonly number[], isTransposed: boolean): Float32Array {
  if (!isTransposed) return Float32Array.from(mask);
  const [inputs, outputs] = dimensions as [number, number];
  return Float32Array.from({ length: elementCount(dimensions) }, (_, index) => {
    const [input, output] = [Math.floor(index / outputs), index % outputs];
    return mask[output * inputs + input]!;
  });
}

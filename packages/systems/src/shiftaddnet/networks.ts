// ShiftAddNet's residual networks and what they are compared with (You et al., NeurIPS 2020).

import { type ShiftOptions, shiftLayers } from "@dovetail/compress";
import { dovetailDomain } from "@dovetail/graph";
import type { PointOperation } from "@dovetail/hardware";
import {
  adderConvolution,
  batchNormalization,
  type ConvolutionLayer,
  countDistances,
  kaimingConvolution,
  type Network,
  nodeMacs,
  type ParameterSpec,
  type ResNetOptions,
  resNet,
} from "@dovetail/models";

/**
 * - `convolution`: as it is
 * - `shift`: all convolutions and the classifier by shifts (DeepShift)
 * - `add`: add layers in the blocks and shortcuts; stem and classifier stay (AdderNet)
 * - `shiftAdd`: in blocks and shortcuts a shift convolution, then an add layer; stem and classifier by shifts alone
 * - `fixedShiftAdd`: the same with frozen shifts, so that only add layers and normalizations learn
 */
export const variants = ["convolution", "shift", "add", "shiftAdd", "fixedShiftAdd"] as const;
export type Variant = (typeof variants)[number];

export interface VariantOptions extends Omit<ResNetOptions, "layer" | "classifier"> {
  /** Of learnt shift layers; DeepShift-PS of 5 bits by default. */
  readonly shift?: ShiftOptions | undefined;
}

/** A shift convolution that carries kernel, stride and channels, then an add layer of its kernel and of stride 1. */
const shiftThenAdd: ConvolutionLayer = (n, name, x, options) =>
  n.scope(name, () => {
    const { channels, kernel, padding } = options;
    return adderConvolution(n, "add", kaimingConvolution(n, "shift", x, options), { channels, kernel, padding });
  });

/** The mean over all positions, a 1×1 convolution, batch normalization: the classifier of the authors' shift networks. */
const normalizedClassifier: NonNullable<ResNetOptions["classifier"]> = (n, features, classCount) =>
  n.scope("classifier", () => {
    const pooled = n.g.globalAveragePool(features);
    const scores = kaimingConvolution(n, "conv", pooled, { channels: classCount, kernel: 1 });
    return n.g.flatten(batchNormalization(n, "bn", scores));
  });

/** A ResNet-(6n+2) in one of the forms. Throws when the depth is not 6n + 2. */
export function shiftAddNetwork(variant: Variant, { shift = {}, ...options }: VariantOptions): Network {
  switch (variant) {
    case "convolution":
      return resNet(options);
    case "add":
      return renamed(resNet({ ...options, layer: adderConvolution }), variant);
    case "shift":
      return renamed(shiftLayers(resNet({ ...options, classifier: normalizedClassifier }), shift), variant);
    case "shiftAdd":
      return renamed(shiftLayers(shiftAddForm(options), shift), variant);
    case "fixedShiftAdd":
      return renamed(shiftLayers(shiftAddForm(options), { form: "fixed", optionsOf: fixedStart }), variant);
  }
}

const shiftAddForm = (options: ResNetOptions): Network =>
  resNet({ ...options, layer: shiftThenAdd, classifier: normalizedClassifier });

/** The authors' frozen stem and classifier have exponents uniform over all. */
const fixedStart = ({ name }: ParameterSpec): ShiftOptions => ({
  fixedStart: /^(stem|classifier)\./.test(name) ? "uniform" : "normal",
});

const renamed = (network: Network, variant: Variant): Network => ({ ...network, name: `${network.name}-${variant}` });

/** Points of a network's layers for one image, by what they do. */
export type OperationCounts = Readonly<Record<PointOperation, number>>;

/** Multiply–accumulates, shifts with accumulation, and distances. */
export function countOperations({ graph }: Network): OperationCounts {
  const of = (isShift: boolean): number =>
    nodeMacs(graph)
      .filter(({ node }) => (graph.annotations.get(node.inputs[1]!)?.powerOfTwo ?? false) === isShift)
      .reduce((sum, { macs }) => sum + macs, 0);
  return { multiply: of(false), shift: of(true), add: countDistances(graph) };
}

/** The weights of a network's layers, by what their points do. */
export function weightKinds({ graph }: Network): ReadonlyMap<string, PointOperation> {
  const kinds = new Map<string, PointOperation>();
  for (const { node } of nodeMacs(graph)) {
    const weight = node.inputs[1]!;
    kinds.set(weight, graph.annotations.get(weight)?.powerOfTwo ? "shift" : "multiply");
  }
  for (const node of graph.nodes.filter(isAddLayer)) kinds.set(node.inputs[1]!, "add");
  return kinds;
}

/** True for the nodes of add layers. */
export const isAddLayer = ({ domain, operator }: { readonly domain: string; readonly operator: string }): boolean =>
  domain === dovetailDomain && operator === "AdderConv";

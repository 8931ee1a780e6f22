import { type Node, tensorNumbers } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { nonNegativeValues, passingOperators } from "../quantizers/points.js";
import { apot } from "./families/apot.js";
import { dorefa } from "./families/dorefa.js";
import type { QuantizerFamily, SiteQuantizer } from "./families/family.js";
import { lsq } from "./families/lsq.js";
import { minMax } from "./families/min-max.js";
import { pact } from "./families/pact.js";
import { sbmOriginal } from "./families/sbm-original.js";
import { wageubn } from "./families/wageubn.js";
import { type Layer, layersOf } from "./layers.js";

/** Published ways to quantize layers, by name. */
export const quantizerFamilies = { minMax, sbmOriginal, lsq, pact, apot, dorefa, wageubn } as const satisfies Record<
  string,
  QuantizerFamily
>;

export interface PlanOptions {
  /** `minMax` by default. */
  readonly quantizer?: keyof typeof quantizerFamilies | undefined;
  /** Layers that are left as they are; those that the published code leaves by default. */
  readonly fullPrecision?: ((layer: Layer) => boolean) | undefined;
  /** Layers of a named group have scalar inputs of their own, `<group>.weightBits` and so on. */
  readonly group?: ((layer: Layer) => string | undefined) | undefined;
}

/** A value that is quantized. */
export interface Site {
  /** Beginning of its parameters' names. */
  readonly key: string;
  /** Name of the value in the network. */
  readonly value: string;
  readonly group: string | undefined;
  readonly quantizer: SiteQuantizer;
}

export interface LayerPlan {
  readonly layer: Layer;
  readonly group: string | undefined;
  readonly weight: Site;
  /** Shared by layers that read the same value in the same way. */
  readonly input: Site;
}

/** Which layers of a network are quantized, and how. */
export function planLayers(network: Network, options: PlanOptions): readonly LayerPlan[] {
  const family: QuantizerFamily = quantizerFamilies[options.quantizer ?? "minMax"];
  const { fullPrecision = family.fullPrecision, group = () => undefined } = options;
  const nonNegative = nonNegativeValues(network);
  const producers = new Map(network.graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const inputs = new Map<string, Site>();
  const weights = new Map<string, Site>();
  return layersOf(network)
    .filter((layer) => !fullPrecision(layer))
    .map((layer) => {
      const source = sourceOf(layer.input, producers);
      const isRectified = rectifies(network, producers.get(source));
      const quantizer = family.input({ layer, isSigned: !nonNegative.has(layer.input), isRectified });
      const value = quantizer.replacesActivation ? source : layer.input;
      const own = group(layer);
      const channels = layer.depthwiseChannels === undefined ? "" : ":channels";
      const key = scalarName(own, quantizer.replacesActivation ? value : `${value}${channels}`);
      const known = quantizer.replacesActivation
        ? [...inputs.values()].find((site) => site.value === value)
        : undefined;
      const input = known ?? inputs.get(key) ?? { key, value, group: own, quantizer };
      inputs.set(input.key, input);
      const ofWeight = { value: layer.weight, group: own, quantizer: family.weight(layer, network) };
      const weight = weights.get(layer.weight) ?? { key: layer.weight, ...ofWeight };
      weights.set(layer.weight, weight);
      return { layer, group: own, weight, input };
    });
}

/** Name of a scalar input, of a group's own or of all layers without one. */
export const scalarName = (group: string | undefined, kind: string): string =>
  group === undefined ? kind : `${group}.${kind}`;

/** The value behind operators that only pass values on. */
function sourceOf(name: string, producers: ReadonlyMap<string, Node>): string {
  const producer = producers.get(name);
  return producer && passingOperators.has(producer.operator) ? sourceOf(producer.inputs[0]!, producers) : name;
}

function rectifies({ graph }: Network, node: Node | undefined): boolean {
  if (node?.operator === "Relu") return true;
  const low = node?.operator === "Clip" ? graph.initializers.get(node.inputs[1] ?? "") : undefined;
  return low !== undefined && tensorNumbers(low)[0]! >= 0;
}

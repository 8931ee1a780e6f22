import type { GraphBuilder, Value } from "@dovetail/graph";
import {
  chosenRow,
  type Network,
  type NodeRewrite,
  type NoiseInput,
  type ObservedRange,
  type ParameterSpec,
  rewriteGraph,
  type ScalarInput,
} from "@dovetail/models";
import { bitInputs, withInputs } from "../quantizers/fake-quantize.js";
import {
  type GradientQuantizer,
  gradientBitInputs,
  gradientQuantizers,
  withGradientPrecision,
} from "../quantizers/gradient-precision.js";
import { requireUnquantized } from "../quantizers/order.js";
import type { QuantizerFamily, QuantizerParameter } from "./families/family.js";
import { type LayerPlan, type PlanOptions, planLayers, quantizerFamilies, type Site, scalarName } from "./plan.js";

// Training in low precision: what computes in few bits are the products of layers, forward and backward.

export interface QuantizeLayersOptions extends PlanOptions {
  /** Bit-widths where nothing else is fed; 8 by default (the original SBM's weight gradients: 32). 0, and 17 and more: full precision. */
  readonly weightBits?: number | undefined;
  readonly activationBits?: number | undefined;
  readonly errorBits?: number | undefined;
  readonly weightGradientBits?: number | undefined;
  /**
   * What rounds the gradients, if not what the published quantizer takes; `none` leaves them, and there are no inputs for
   * their bits.
   */
  readonly gradients?: keyof typeof gradientQuantizers | "none" | undefined;
  /** Rounds gradients stochastically, with noises that training feeds; true by default. */
  readonly stochastic?: boolean | undefined;
  /** Share of a batch's range in the new running one; 0.9 by default (the published code; its "momentum" is the old one's share). */
  readonly rangeMomentum?: number | undefined;
}

/** Parameters of quantizers of which each setting has its own, see `ParameterSpec.row`. */
export interface ParameterRows {
  readonly count: number;
  /** Scalar input that chooses. */
  readonly index: string;
}

/**
 * The network with its layers computing in low precision: each chosen layer reads its weight and its input quantized, and
 * the gradient that arrives is quantized for each of the other two products. Everything else is in full precision.
 *
 * By default as FracTrain's static baseline: affinely, weights between the smallest and largest value of each output channel,
 * inputs between those of the tensor (of each channel for depth-wise convolutions), of the batch while training, running
 * averages in inference form. Other quantizers, their parameters and what they leave in full precision: `quantizer`.
 *
 * All bit-widths are scalar inputs: `weightBits`, `activationBits`, and where gradients are quantized `errorBits` and
 * `weightGradientBits`. Throws when the network is quantized already.
 */
export function quantizeLayers(network: Network, options: QuantizeLayersOptions = {}): Network {
  return quantizeLayersWithRows(network, options, undefined);
}

/** As `quantizeLayers`; with `rows`, each setting has parameters of its own, and the caller adds the scalar input. */
export function quantizeLayersWithRows(
  network: Network,
  options: QuantizeLayersOptions,
  rows: ParameterRows | undefined,
): Network {
  requireUnquantized(network);
  const family: QuantizerFamily = quantizerFamilies[options.quantizer ?? "minMax"];
  const gradient = gradientQuantizerOf(family, options);
  const plans = planLayers(network, options);
  const sites = [...new Set(plans.flatMap(({ weight, input }) => [input, weight]))];
  const scalars = scalarsOf([...new Set(plans.map(({ group }) => group))], family, gradient, options);
  const parameters = sites.flatMap((site) => (site.quantizer.parameters ?? []).map(specOf(site, rows)));
  const noises = (options.stochastic ?? true) ? noisesOf(network, plans, family, gradient) : [];
  const noiseNames = new Set(noises.map(({ input }) => input));
  const noise = (g: GraphBuilder, name: string): Value | undefined =>
    noiseNames.has(name) ? g.value(name) : undefined;

  const quantize = (g: GraphBuilder, value: Value, site: Site): Value => {
    const read = readParameters(g, site, rows);
    const isWeight = plans.some(({ weight }) => weight === site);
    return g.scope(`quantize/${site.key}`, () =>
      site.quantizer.build(g, value, {
        bits: g.value(scalarName(site.group, isWeight ? bitInputs.weights : bitInputs.activations)),
        errorBits: gradient && g.value(scalarName(site.group, gradientBitInputs.error)),
        read,
        noise: noise(g, noiseName(site.key)),
      }),
    );
  };
  const planOf = new Map(plans.map((plan) => [plan.layer.node, plan]));
  const replaced = new Map(
    plans.flatMap(({ input }) => (input.quantizer.replacesActivation ? [[input.value, input] as const] : [])),
  );
  const quantizedInputs = new Map<Site, Value>();
  const layerRule: NodeRewrite = ({ node, inputs: operands, g, keep }) => {
    const plan = planOf.get(node);
    if (!plan) return keep();
    const [x, weight, ...bias] = operands as readonly [Value, Value, ...Value[]];
    const isThere = replaced.has(plan.input.value);
    const data = isThere ? x : (quantizedInputs.get(plan.input) ?? quantize(g, x, plan.input));
    quantizedInputs.set(plan.input, data);
    const layer = [data, quantize(g, weight, plan.weight), ...bias];
    if (!gradient) return g.node(node.operator, layer, node.attributes, node);
    const output = withGradientPrecision(g, node, layer, {
      errorBits: g.value(scalarName(plan.group, gradientBitInputs.error)),
      weightGradientBits: g.value(scalarName(plan.group, gradientBitInputs.weightGradient)),
      noise: noise(g, noiseName(node.name)),
      quantizer: gradient,
    });
    return [output];
  };
  const added = [
    ...parameters,
    ...scalars.map(({ name }) => ({ name, shape: [] })),
    ...noises.map(({ input, shape }) => ({ name: input, shape })),
    ...(rows ? [{ name: rows.index, shape: [] }] : []),
  ];
  const { graph, find } = rewriteGraph(withInputs(network.graph, added), {
    nodes: Object.fromEntries(plans.map(({ layer }) => [layer.operator, layerRule])),
    values: (value, g) => {
      const site = replaced.get(value.name);
      return site ? quantize(g, value, site) : value;
    },
  });
  return {
    ...network,
    graph,
    logits: find(network.logits).name,
    parameters: [...network.parameters, ...parameters],
    scalars: [...network.scalars, ...scalars],
    noises: [...network.noises, ...noises],
    observedRanges: [
      ...network.observedRanges,
      ...sites.flatMap((site) => observedRangesOf(site, options.rangeMomentum ?? 0.9)),
    ],
  };
}

function gradientQuantizerOf(
  family: QuantizerFamily,
  { gradients }: QuantizeLayersOptions,
): GradientQuantizer | undefined {
  if (gradients === undefined) return family.gradient;
  return gradients === "none" ? undefined : gradientQuantizers[gradients];
}

const noiseName = (of: string): string => `${of}:noise`;

/** One for each layer's gradient, and for each weight's where that is rounded too. */
function noisesOf(
  network: Network,
  plans: readonly LayerPlan[],
  family: QuantizerFamily,
  gradient: GradientQuantizer | undefined,
): NoiseInput[] {
  const shapeOf = (value: string): NoiseInput["shape"] => network.graph.types.get(value)!.shape!;
  const ofLayers = plans.map(({ layer: { node } }) => ({
    input: noiseName(node.name),
    shape: shapeOf(node.outputs[0]!),
  }));
  const ofWeights = plans.map(({ weight }) => ({ input: noiseName(weight.key), shape: shapeOf(weight.value) }));
  return [...(gradient ? ofLayers : []), ...(family.roundsWeightGradients ? ofWeights : [])];
}

function scalarsOf(
  groups: readonly (string | undefined)[],
  family: QuantizerFamily,
  gradient: GradientQuantizer | undefined,
  { weightBits = 8, activationBits = 8, errorBits = 8, ...options }: QuantizeLayersOptions,
): ScalarInput[] {
  const weightGradientBits = options.weightGradientBits ?? family.weightGradientBits ?? 8;
  const forward = { [bitInputs.weights]: weightBits, [bitInputs.activations]: activationBits };
  const backward = { [gradientBitInputs.error]: errorBits, [gradientBitInputs.weightGradient]: weightGradientBits };
  const bits = gradient ? { ...forward, ...backward } : forward;
  const further = Object.entries(family.scalars ?? {}).map(([name, value]) => ({ name, value }));
  return [
    ...groups.flatMap((group) =>
      Object.entries(bits).map(([kind, value]) => ({ name: scalarName(group, kind), value })),
    ),
    ...further,
  ];
}

const parameterName = ({ key }: Site, parameter: string): string => `${key}:${parameter}`;

const specOf =
  (site: Site, rows: ParameterRows | undefined) =>
  ({ name, shape, ...rest }: QuantizerParameter): ParameterSpec => ({
    ...rest,
    name: parameterName(site, name),
    shape: rows ? [rows.count, ...shape] : shape,
    ...(rows ? { row: rows.index } : {}),
  });

const readName = (site: Site, parameter: string): string => `${parameterName(site, parameter)}:read`;

/** The parameters' values, under names that the training form knows observed ranges by. */
function readParameters(g: GraphBuilder, site: Site, rows: ParameterRows | undefined): (parameter: string) => Value {
  const values = new Map(
    (site.quantizer.parameters ?? []).map(({ name }) => {
      const parameter = g.value(parameterName(site, name));
      const row = rows ? chosenRow(g, parameter, g.value(rows.index)) : parameter;
      return [name, g.op("Identity", [row], {}, { outputs: [readName(site, name)] })];
    }),
  );
  return (parameter) => values.get(parameter)!;
}

function observedRangesOf(site: Site, momentum: number): ObservedRange[] {
  return Object.entries(site.quantizer.observed ?? {}).map(([name, observed]) => ({
    ...observed,
    range: readName(site, name),
    observed: site.value,
    momentum,
    batchInTraining: true,
  }));
}

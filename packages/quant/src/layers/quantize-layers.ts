import type { GraphBuilder, Value } from "@dovetail/graph";
import {
  chosenRow,
  type Network,
  type NodeRewrite,
  type NoiseInput,
  type ObservedRange,
  type ParameterSpec,
  parameterSpec,
  rewriteGraph,
  type ScalarInput,
} from "@dovetail/models";
import { type MinMax, quantizeAffine } from "../quantizers/affine.js";
import { bitInputs, withInputs } from "../quantizers/fake-quantize.js";
import { gradientBitInputs, gradientQuantizers, withGradientPrecision } from "../quantizers/gradient-precision.js";
import { requireUnquantized } from "../quantizers/order.js";
import { minMaxOf } from "../quantizers/ranges.js";
import { type Layer, layersOf } from "./layers.js";

// Static low-precision training, as in the published SBM baseline of FracTrain, and the forward half of InstantNet's and
// Double-Win-Quant's networks.

export interface QuantizeLayersOptions {
  /** Bit-widths where nothing else is fed; 8 by default. 0, and 17 and more: full precision. */
  readonly weightBits?: number | undefined;
  readonly activationBits?: number | undefined;
  readonly errorBits?: number | undefined;
  readonly weightGradientBits?: number | undefined;
  /** Layers that are left as they are; those of role `classifier` by default. */
  readonly fullPrecision?: ((layer: Layer) => boolean) | undefined;
  /** Layers of a named group have scalar inputs of their own, `<group>.weightBits` and so on. */
  readonly group?: ((layer: Layer) => string | undefined) | undefined;
  /** What rounds the gradients; `none` leaves them, and there are no inputs for their bits. `minMax` by default. */
  readonly gradients?: keyof typeof gradientQuantizers | "none" | undefined;
  /** Rounds gradients stochastically, with noises that training feeds; true by default. */
  readonly stochastic?: boolean | undefined;
  /** Share of a batch's range in the new running one; 0.9 by default (the published code; its "momentum" is the old one's share). */
  readonly rangeMomentum?: number | undefined;
}

/** Ranges of which each setting has its own, see `ParameterSpec.row`. */
export interface RangeRows {
  readonly count: number;
  /** Scalar input that chooses. */
  readonly index: string;
}

/**
 * The network with its layers computing in low precision. Each chosen layer reads its weight quantized affinely between
 * the smallest and largest value of each output channel, and its input quantized affinely between those of the tensor (of
 * each channel for depth-wise convolutions): of the batch while training, running averages in inference form. The
 * gradient that arrives is quantized for each of the other two products. Everything else is in full precision.
 *
 * All bit-widths are scalar inputs: `weightBits`, `activationBits`, `errorBits`, `weightGradientBits`. Throws when the
 * network is quantized already.
 */
export function quantizeLayers(network: Network, options: QuantizeLayersOptions = {}): Network {
  return quantizeLayersWithRows(network, options, undefined);
}

/** As `quantizeLayers`; with `rows`, each setting has ranges of its own, and the caller adds the scalar input. */
export function quantizeLayersWithRows(
  network: Network,
  options: QuantizeLayersOptions,
  rows: RangeRows | undefined,
): Network {
  requireUnquantized(network);
  const { fullPrecision = ({ role }) => role === "classifier", group = () => undefined } = options;
  const { gradients = "minMax", stochastic = true, rangeMomentum = 0.9 } = options;
  const chosen = layersOf(network).filter((layer) => !fullPrecision(layer));
  const inputs = new Map(chosen.map((layer) => [layer.node, quantizedInputOf(layer, group(layer))]));
  const ranges = new Map([...inputs.values()].map((input) => [input.key, input]));
  const scalars = scalarsOf([...new Set(chosen.map(group))], options);
  const parameters = [...ranges.values()].flatMap((input) => rangeParameters(input, rows));
  const noises: NoiseInput[] =
    gradients === "none" || !stochastic
      ? []
      : chosen.map(({ node }) => ({
          input: noiseName(node.name),
          shape: network.graph.types.get(node.outputs[0]!)!.shape!,
        }));

  const quantized = new Map<string, Value>();
  const layerRule: NodeRewrite = ({ node, inputs: operands, g, keep }) => {
    const input = inputs.get(node);
    if (!input) return keep();
    const [x, weight, ...bias] = operands as readonly [Value, Value, ...Value[]];
    const bits = (kind: string): Value => g.value(scalarName(input.group, kind));
    const data = quantized.get(input.key) ?? quantizeInput(g, x, input, rows, bits(bitInputs.activations));
    quantized.set(input.key, data);
    const { channelAxis } = input.layer;
    const quantizedWeight = g.scope(`quantize/${weight.name}`, () =>
      quantizeAffine(g, weight, { bits: bits(bitInputs.weights), ...minMaxOf(g, weight, { axis: channelAxis }) }),
    );
    const layer = [data, quantizedWeight, ...bias];
    if (gradients === "none") return g.node(node.operator, layer, node.attributes, node);
    const output = withGradientPrecision(g, node, layer, {
      errorBits: bits(gradientBitInputs.error),
      weightGradientBits: bits(gradientBitInputs.weightGradient),
      noise: stochastic ? g.value(noiseName(node.name)) : undefined,
      quantizer: gradientQuantizers[gradients],
    });
    return [output];
  };
  const added = [...parameters, ...scalars.map(({ name }) => ({ name, shape: [] })), ...noises.map(noiseAsInput)];
  const rowIndex = rows ? [{ name: rows.index, shape: [] }] : [];
  const { graph, find } = rewriteGraph(withInputs(network.graph, [...added, ...rowIndex]), {
    nodes: Object.fromEntries(chosen.map(({ operator }) => [operator, layerRule])),
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
      ...[...ranges.values()].flatMap((input) => observedRangesOf(input, rangeMomentum)),
    ],
  };
}

const noiseName = (node: string): string => `${node}:noise`;

const noiseAsInput = ({
  input,
  shape,
}: NoiseInput): { readonly name: string; readonly shape: NoiseInput["shape"] } => ({
  name: input,
  shape,
});

const scalarName = (group: string | undefined, kind: string): string =>
  group === undefined ? kind : `${group}.${kind}`;

function scalarsOf(
  groups: readonly (string | undefined)[],
  { weightBits = 8, activationBits = 8, errorBits = 8, weightGradientBits = 8, gradients }: QuantizeLayersOptions,
): ScalarInput[] {
  const forward = { [bitInputs.weights]: weightBits, [bitInputs.activations]: activationBits };
  const backward = { [gradientBitInputs.error]: errorBits, [gradientBitInputs.weightGradient]: weightGradientBits };
  const bits = gradients === "none" ? forward : { ...forward, ...backward };
  return groups.flatMap((group) =>
    Object.entries(bits).map(([kind, value]) => ({ name: scalarName(group, kind), value })),
  );
}

/** The input of one or more layers that read it quantized in the same way. */
interface QuantizedInput {
  readonly layer: Layer;
  readonly group: string | undefined;
  /** Beginning of its ranges' names; layers with the same key share them, and the quantized value. */
  readonly key: string;
}

function quantizedInputOf(layer: Layer, group: string | undefined): QuantizedInput {
  const key = scalarName(group, layer.depthwiseChannels === undefined ? layer.input : `${layer.input}:channels`);
  return { layer, group, key };
}

const ends = ["min", "max"] as const;

/** Ranges start at [0, 1]. */
function rangeParameters({ key, layer }: QuantizedInput, rows: RangeRows | undefined): ParameterSpec[] {
  const channels = layer.depthwiseChannels;
  const shape = [...(rows ? [rows.count] : []), ...(channels === undefined ? [] : [channels])];
  return ends.map((end) =>
    parameterSpec(`${key}:${end}`, shape, {
      role: "activationRange",
      initialization: { kind: "constant", value: end === "min" ? 0 : 1 },
      row: rows?.index,
    }),
  );
}

const rangeValue = (key: string, end: string): string => `${key}:${end}:read`;

function observedRangesOf({ key, layer }: QuantizedInput, momentum: number): ObservedRange[] {
  return ends.map((end) => ({
    range: rangeValue(key, end),
    observed: layer.input,
    statistic: end,
    axis: layer.depthwiseChannels === undefined ? undefined : 1,
    momentum,
    batchInTraining: true,
  }));
}

/** Quantizes the input between values under the names `rangeValue`, which the training form replaces by the batch's. */
function quantizeInput(
  g: GraphBuilder,
  x: Value,
  { key, layer }: QuantizedInput,
  rows: RangeRows | undefined,
  bits: Value,
): Value {
  const read = (end: string): Value => {
    const parameter = g.value(`${key}:${end}`);
    const row = rows ? chosenRow(g, parameter, g.value(rows.index)) : parameter;
    const value = g.op("Identity", [row], {}, { outputs: [rangeValue(key, end)] });
    return layer.depthwiseChannels === undefined
      ? value
      : g.reshape(
          value,
          x.type.shape!.map((_, axis) => (axis === 1 ? -1 : 1)),
        );
  };
  const range: MinMax = { min: read("min"), max: read("max") };
  return g.scope(`quantize/${key}`, () => quantizeAffine(g, x, { bits, ...range }));
}

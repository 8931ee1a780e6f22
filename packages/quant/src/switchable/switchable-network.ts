import { inputError } from "@dovetail/core";
import { type Tensor, tensorData, tensorFromData } from "@dovetail/graph";
import { chosenRow, type Network, type NodeRewrite, type ParameterSpec, rewriteGraph } from "@dovetail/models";
import { type QuantizeLayersOptions, quantizeLayersWithRows } from "../layers/quantize-layers.js";
import { bitInputs } from "../quantizers/fake-quantize.js";

export interface SwitchableOptions
  extends Pick<
    QuantizeLayersOptions,
    "quantizer" | "fullPrecision" | "rangeMomentum" | "stochastic" | "errorBits" | "weightGradientBits"
  > {
  /** Bits of weights and activations of each precision, e.g. [4, 8, 12, 16, 32]; 17 and more are full precision. */
  readonly bitWidths: readonly number[];
  /** What rounds the gradients; `none` by default, as in InstantNet and Double-Win-Quant. */
  readonly gradients?: QuantizeLayersOptions["gradients"];
}

/** One set of weights that computes at several precisions. */
export interface SwitchableNetwork {
  /** Its scalars choose the precision; the last one where nothing is fed. */
  readonly network: Network;
  readonly bitWidths: readonly number[];
  /** The scalar inputs that choose a precision. Throws when it is none of `bitWidths`. */
  setting(bits: number): Readonly<Record<string, number>>;
}

/** Name of the rank-0 input that chooses the rows of what exists once a precision. */
export const precisionIndex = "precisionIndex";

/**
 * A network that switches its precision by a few numbers that it is fed: weights are shared; scale, shift, running mean
 * and variance of batch normalizations, and the ranges of activations, exist once a precision, as rows of parameters
 * [precisions, channels] (or [precisions]). A training step at one precision leaves the others' rows as they are.
 *
 * Layers are quantized as in `quantizeLayers`; stem and classifier stay in full precision unless `fullPrecision` says
 * otherwise. Throws when the bit-widths are none, repeat themselves or are no positive integers, and when the network is
 * quantized already.
 */
export function switchableNetwork(network: Network, options: SwitchableOptions): SwitchableNetwork {
  const { bitWidths, gradients = "none" } = options;
  requireBitWidths(network, bitWidths);
  const last = bitWidths.length - 1;
  const { fullPrecision = ({ role }) => role === "stem" || role === "classifier" } = options;
  const quantized = quantizeLayersWithRows(
    network,
    { ...options, gradients, fullPrecision, weightBits: bitWidths[last]!, activationBits: bitWidths[last]! },
    { count: bitWidths.length, index: precisionIndex },
  );
  const scalars = [...quantized.scalars, { name: precisionIndex, value: last }];
  const switched = withNormalizationRows({ ...quantized, scalars }, bitWidths.length);
  const settings = new Map(
    bitWidths.map((bits, index) => [
      bits,
      { [precisionIndex]: index, [bitInputs.weights]: bits, [bitInputs.activations]: bits },
    ]),
  );
  return {
    network: switched,
    bitWidths: [...bitWidths],
    setting: (bits) => {
      const setting = settings.get(bits);
      if (setting) return setting;
      throw inputError("unknown_precision", `precision of network "${network.name}"`, {
        expected: bitWidths.join(", "),
        received: `${bits}`,
      });
    },
  };
}

function requireBitWidths(network: Network, bitWidths: readonly number[]): void {
  const isValid = bitWidths.every((bits) => Number.isInteger(bits) && bits >= 1);
  if (isValid && bitWidths.length > 0 && new Set(bitWidths).size === bitWidths.length) return;
  throw inputError("bit_width", `precisions of network "${network.name}"`, {
    expected: "different positive integers",
    received: `[${bitWidths.join(", ")}]`,
  });
}

/** Gives each precision its own parameters of all batch normalizations. */
function withNormalizationRows(network: Network, count: number): Network {
  const normalized = parametersOfNormalizations(network);
  const stacked = (spec: ParameterSpec): ParameterSpec =>
    normalized.has(spec.name) ? { ...spec, shape: [count, ...spec.shape], row: precisionIndex } : spec;
  const parameters = network.parameters.map(stacked);
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  const inputs = network.graph.inputs.map(({ name, type }) => ({
    name,
    type: { ...type, shape: shapes.get(name) ?? type.shape },
  }));
  const rule: NodeRewrite = ({ node, inputs: operands, g }) => {
    const rows = operands.map((operand) =>
      operand && normalized.has(operand.name) ? chosenRow(g, operand, g.value(precisionIndex)) : operand,
    );
    return g.node(node.operator, rows, node.attributes, node);
  };
  const { graph, find } = rewriteGraph({ ...network.graph, inputs }, { nodes: { BatchNormalization: rule } });
  return { ...network, graph, logits: find(network.logits).name, parameters };
}

/** Parameters that batch normalizations alone read. */
function parametersOfNormalizations({ graph, parameters }: Network): ReadonlySet<string> {
  const others = graph.nodes.filter(({ operator }) => operator !== "BatchNormalization");
  const readElsewhere = new Set(others.flatMap(({ inputs }) => inputs));
  const read = new Set(
    graph.nodes.flatMap(({ operator, inputs }) => (operator === "BatchNormalization" ? inputs.slice(1) : [])),
  );
  return new Set(parameters.flatMap(({ name }) => (read.has(name) && !readElsewhere.has(name) ? [name] : [])));
}

/**
 * Weights of the network that was made switchable, for the switchable one: every precision starts from the same rows.
 * What has no weight (the ranges) is left out.
 */
export function spreadOverPrecisions(
  { network, bitWidths }: SwitchableNetwork,
  weights: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const spread = new Map<string, Tensor>();
  for (const { name, shape, row } of network.parameters) {
    const weight = weights.get(name);
    if (!weight) continue;
    spread.set(name, row === undefined ? weight : repeated(weight, name, bitWidths.length, shape));
  }
  return spread;
}

function repeated(weight: Tensor, name: string, count: number, shape: readonly number[]): Tensor {
  const values = tensorData(weight, name) as Float32Array;
  const rows = new Float32Array(values.length * count);
  for (let row = 0; row < count; row++) rows.set(values, row * values.length);
  return tensorFromData("float32", shape, rows);
}

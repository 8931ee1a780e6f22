import { inputError } from "@dovetail/core";
import {
  type Graph,
  type GraphBuilder,
  type Model,
  scalar,
  type Tensor,
  tensor,
  tensorFromData,
  tensorNumbers,
  type Value,
} from "@dovetail/graph";
import { type ExportOptions, exportModel, type Network, rewriteGraph } from "@dovetail/models";
import { type BitWidths, bitWidthsOf } from "../quantizers/bit-widths.js";
import { rangeName } from "../quantizers/fake-quantize.js";
import { type ActivationPoint, quantizationPoints } from "../quantizers/points.js";
import { activationScale, quantizeChannels, rangeForWeights, signedLevelsOf, weightScales } from "./scales.js";

export interface QdqExportOptions extends Omit<ExportOptions, "scalars">, BitWidths {
  /**
   * What holds integers of 4 bits and less: 4-bit tensors, which need ONNX's operator set 21 and which ONNX Runtime takes
   * back to float32 before it computes (`smallest`, the default), or 8-bit ones, on which it computes (`bytes`).
   */
  readonly containers?: "smallest" | "bytes" | undefined;
}

/**
 * The network with integer weights and activations in ONNX's QDQ form, which plain ONNX Runtime executes, at 5 to 8 bits
 * with integer arithmetic: weights with a scale per output channel, activations unsigned where they are never negative,
 * int32 biases. 2 to 16 bits are held in tensors of 4, 8 or 16, with a Clip
 * before where those are wider (activations of 2 and 3 bits in 8). Bit-widths stand in the annotations, and as JSON under the metadata key `quantization`.
 *
 * `network` is the one that was given to `fakeQuantize` (batch norms folded before), `weights` holds its parameters and
 * the ranges. Throws when a range is missing or bits do not lie in [2, 16].
 */
export function exportQdqModel(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  options: QdqExportOptions,
): Model {
  requireBits("weightBits", options.weightBits);
  requireBits("activationBits", options.activationBits);
  const held: Readonly<Record<"weights" | "activations", Container>> = {
    weights: containerOf(options.weightBits, options),
    // ONNX Runtime 1.30 refuses a Clip in front of 4-bit integers, which narrower activations would need.
    activations: options.activationBits < 4 ? 8 : containerOf(options.activationBits, options),
  };
  const { weightBits, activationBits } = options;
  const quantization = JSON.stringify({ weightBits, activationBits, containerBits: held });
  const model = exportModel(network, weights, { ...options, metadata: { ...options.metadata, quantization } });
  const activations = activationScales(network, weights, options);
  const constants = integerConstants(network, weights, activations, { ...options, container: held.weights });
  const { graph } = rewriteGraph(model.graph, {
    values: (value, g) => {
      const constant = constants.get(value.name);
      if (constant) return dequantizeConstant(g, value.name, constant);
      const activation = activations.get(value.name);
      return activation ? quantizeDequantize(g, value, activation, options.activationBits, held.activations) : value;
    },
  });
  const widths = bitWidthsOf(network, options);
  return { ...model, graph: annotate(withoutUnusedConstants(graph), widths, network.graph.annotations) };
}

function requireBits(name: string, bits: number): void {
  if (Number.isInteger(bits) && bits >= 2 && bits <= 16) return;
  throw inputError("bit_width", `${name} of a QDQ export`, { expected: "an integer in [2, 16]", received: `${bits}` });
}

type Container = 4 | 8 | 16;

/** Bits of the integers that hold `bits`. */
function containerOf(bits: number, { containers = "smallest" }: QdqExportOptions): Container {
  if (bits > 8) return 16;
  return bits <= 4 && containers === "smallest" ? 4 : 8;
}

interface ScaledActivation extends ActivationPoint {
  readonly range: number;
  readonly scale: number;
}

function activationScales(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  { weightBits, activationBits }: BitWidths,
): Map<string, ScaledActivation> {
  const { activations, distances } = quantizationPoints(network);
  return new Map(
    activations.map((point) => {
      const range = weights.get(rangeName(point.value));
      if (!range) {
        throw inputError("missing_parameter", `range of activation "${point.value}"`, {
          expected: `parameter "${rangeName(point.value)}"`,
          received: "nothing",
          hint: "calibrate the network first",
        });
      }
      const needed = distances
        .filter(({ input }) => input.value === point.value)
        .map(({ value }) => rangeForWeights(weights.get(value)!, { weightBits, activationBits, signed: point.signed }));
      const value = Math.max(tensorNumbers(range)[0]!, ...needed);
      const scale = activationScale(value, { bits: activationBits, signed: point.signed });
      return [point.value, { ...point, range: value, scale }];
    }),
  );
}

/** A constant as integers with its scales along an axis. */
interface IntegerConstant {
  readonly integers: Tensor;
  readonly scales: Float32Array;
  readonly axis: number;
}

/** Weights and biases; weights of add layers have the scale of their input in every channel. */
function integerConstants(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  activations: ReadonlyMap<string, ScaledActivation>,
  { weightBits, container }: BitWidths & { readonly container: Container },
): Map<string, IntegerConstant> {
  const points = quantizationPoints(network);
  const levels = signedLevelsOf(weightBits);
  const constants = new Map<string, IntegerConstant>();
  for (const { value, axis } of points.weights) {
    const weight = weights.get(value)!;
    const bias = points.biases.find((point) => point.weight.value === value);
    const input = bias && activations.get(bias.input.value)!;
    const biasValues = bias && weights.get(bias.value)!;
    const scales = weightScales(weight, {
      axis,
      bits: weightBits,
      bias: biasValues && { value: biasValues, inputRange: input!.range },
    });
    const integers = tensor(`int${container}`, weight.dimensions, quantizeChannels(weight, scales, { axis, levels }));
    constants.set(value, { integers, scales, axis });
    if (!biasValues) continue;
    // In units of the products; where those are so small (16 bits) that the bias would not fit, in larger ones. (A bias left
    // in float32 would be quantized by ONNX Runtime 1.30, in units of the products and without a look at its size.)
    const magnitudes = tensorNumbers(biasValues).map(Math.abs);
    const biasScales = scales.map((scale, channel) => Math.max(scale * input!.scale, magnitudes[channel]! / 2 ** 30));
    const biasIntegers = quantizeChannels(biasValues, biasScales, { axis: 0, levels: 2 ** 31 - 1 });
    const integerBias = tensorFromData("int32", biasValues.dimensions, biasIntegers);
    constants.set(bias!.value, { integers: integerBias, scales: biasScales, axis: 0 });
  }
  for (const { value, input } of points.distances) {
    const weight = weights.get(value)!;
    const scales = new Float32Array(weight.dimensions[0]!).fill(activations.get(input.value)!.scale);
    const integers = quantizeChannels(weight, scales, { axis: 0, levels });
    constants.set(value, { integers: tensor(`int${container}`, weight.dimensions, integers), scales, axis: 0 });
  }
  return constants;
}

function dequantizeConstant(g: GraphBuilder, name: string, { integers, scales, axis }: IntegerConstant): Value {
  const quantized = g.constant(integers, `${name}:quantized`);
  const scale = g.constant(tensorFromData("float32", [scales.length], scales), `${name}:scale`);
  const zeros = g.constant(
    tensor(integers.elementType, [scales.length], new Uint8Array(scales.length)),
    `${name}:zero`,
  );
  return g.op("DequantizeLinear", [quantized, scale, zeros], { axis }, { outputs: [`${name}:dequantized`] });
}

function quantizeDequantize(
  g: GraphBuilder,
  value: Value,
  activation: ScaledActivation,
  bits: number,
  container: Container,
): Value {
  const { signed, range, scale } = activation;
  const scaleValue = g.constant(scalar(scale), `${value.name}:scale`);
  const zero = g.scalar(0, `${signed ? "int" : "uint"}${container}`);
  // A container that is full saturates by itself.
  const clipped = bits < container ? g.clip(value, signed ? -(range + scale) : 0, range) : value;
  const quantized = g.op("QuantizeLinear", [clipped, scaleValue, zero], {}, { outputs: [`${value.name}:quantized`] });
  return g.op("DequantizeLinear", [quantized, scaleValue, zero], {}, { outputs: [`${value.name}:dequantized`] });
}

function withoutUnusedConstants(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  return { ...graph, initializers: new Map([...graph.initializers].filter(([name]) => used.has(name))) };
}

/** What is known of the quantized tensors, and their bit-widths, under all the names that they have in the QDQ graph. */
function annotate(graph: Graph, widths: ReadonlyMap<string, number>, given: Graph["annotations"]): Graph {
  const annotations = new Map(graph.annotations);
  for (const [name, bitWidth] of widths) {
    for (const alias of [name, `${name}:quantized`, `${name}:dequantized`]) {
      if (graph.types.has(alias)) annotations.set(alias, { ...given.get(name), ...annotations.get(alias), bitWidth });
    }
  }
  return { ...graph, annotations };
}

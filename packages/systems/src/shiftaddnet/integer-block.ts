// A shift-add block in integers of stated widths: shift convolution, add layer, normalization with ReLU.

import { inputError } from "@dovetail/core";
import {
  attributeOf,
  explicitWindow,
  type Graph,
  type Node,
  roundHalfToEven,
  type Tensor,
  tensorNumbers,
} from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { isAddLayer } from "./networks.js";

/** Widths of a block's registers in bits. The factor's product with the sums of the add layer fits 52 bits. */
export const blockWidths = {
  shiftInput: 16,
  /** Shifts 0…14 and zero. */
  exponent: 4,
  shiftAccumulator: 44,
  addOperand: 8,
  addAccumulator: 24,
  factor: 20,
  output: 16,
} as const;

/** A layer's window over square kernels. */
export interface BlockWindow {
  /** [output channels, input channels, height, width]. */
  readonly shape: readonly [number, number, number, number];
  readonly stride: number;
  /** Zeros on each side. */
  readonly padding: number;
}

/** Everything that a block computes with; values are integers times powers of two, the units. */
export interface IntegerBlock {
  /** Of the block's layers, e.g. `stage1.0.first`. */
  readonly name: string;
  readonly inputUnit: number;
  readonly outputUnit: number;
  /** Signs −1, 0, 1 and shifts to the left, by the weight's order. */
  readonly shift: BlockWindow & { readonly signs: Int8Array; readonly shifts: Uint8Array };
  /** Bits that the shift layer's sums lose on their way to the add layer. */
  readonly toAdd: number;
  readonly add: BlockWindow & { readonly weights: Int8Array };
  /** A channel's normalization: (sum · factor + offset) / 2^shift, rectified. */
  readonly normalization: {
    readonly factors: Int32Array;
    readonly offsets: readonly number[];
    readonly shift: number;
  };
}

const smallestExponent = -14;

/**
 * The blocks of a trained network that end in a ReLU, in the network's order. `network` is in fixed point with baked shift
 * weights; its scales are those of inference.
 *
 * Throws `integer_block` where a block has no scale, or weights that are wider than the units take.
 */
export function integerBlocks(network: Network, weights: ReadonlyMap<string, Tensor>): readonly IntegerBlock[] {
  const { graph } = network;
  return graph.nodes.filter(isAddLayer).flatMap((add) => {
    const place = placeOf(graph, add);
    return place ? [blockOf(graph, place, weights)] : [];
  });
}

interface Place {
  readonly shift: Node;
  readonly add: Node;
  readonly normalization: Node;
  readonly output: string;
}

/** Shift layer before and normalization with ReLU behind an add layer, past the quantizers; undefined without ReLU. */
function placeOf(graph: Graph, add: Node): Place | undefined {
  const reader = (name: string, operator: string): Node | undefined =>
    graph.nodes.find((node) => node.operator === operator && node.inputs[0] === name);
  const normalization = reader(add.outputs[0]!, "BatchNormalization");
  const relu = normalization && reader(normalization.outputs[0]!, "Relu");
  const shiftWeight = weightOf(graph, add).replace(/add\.weight$/, "shift.weight");
  const shift = graph.nodes.find(({ operator, inputs }) => operator === "Conv" && inputs[1] === shiftWeight);
  return normalization && relu && shift && { shift, add, normalization, output: relu.outputs[0]! };
}

function blockOf(graph: Graph, place: Place, weights: ReadonlyMap<string, Tensor>): IntegerBlock {
  const { shift, add, normalization, output } = place;
  const number = (name: string): number => {
    const value = weights.get(name);
    if (!value) throw blockError(name, "a parameter of this name", "none");
    return tensorNumbers(value)[0]!;
  };
  const shiftWeight = weights.get(shift.inputs[1]!)!;
  const addName = weightOf(graph, add);
  const addWeight = weights.get(addName)!;
  const name = addName.replace(/\.conv\.add\.weight$/, "");
  const inputUnit = unitOf(number(`${sourceOf(graph, shift.inputs[0]!)}:magnitude`), blockWidths.shiftInput);
  const addMagnitude = Math.max(number(`${shift.outputs[0]!}:magnitude`), largest(addWeight));
  const addUnit = unitOf(addMagnitude, blockWidths.addOperand);
  const outputUnit = unitOf(number(`${output}:magnitude`), blockWidths.output);
  return {
    name,
    inputUnit,
    outputUnit,
    shift: { ...windowOf(shift, shiftWeight), ...fieldsOf(shiftWeight, name) },
    toAdd: Math.log2(addUnit) - Math.log2(inputUnit) - smallestExponent,
    add: { ...windowOf(add, addWeight), weights: codesOf(addWeight, addUnit, blockWidths.addOperand) },
    normalization: normalizationOf(normalization, weights, addUnit, outputUnit),
  };
}

/** The parameter that an add layer's quantized weight is made of. */
function weightOf(graph: Graph, add: Node): string {
  const parameters = new Set(graph.inputs.map(({ name }) => name));
  return unquantized(graph, add.inputs[1]!, (name) => parameters.has(name));
}

/** The value that a layer's quantized input is made of: it has a running magnitude. */
function sourceOf(graph: Graph, quantized: string): string {
  const parameters = new Set(graph.inputs.map(({ name }) => name));
  return unquantized(graph, quantized, (name) => parameters.has(`${name}:magnitude`));
}

/** Back through a quantizer, which ends in Where(is quantizing, rounded, value), to the value that is sought. */
function unquantized(graph: Graph, quantized: string, isSought: (name: string) => boolean): string {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  for (let name = quantized; ; ) {
    if (isSought(name)) return name;
    const node = producers.get(name);
    if (node?.operator !== "Where" && node?.operator !== "Identity") break;
    name = node.inputs[node.operator === "Where" ? 2 : 0]!;
  }
  throw blockError(quantized, "a value quantized in fixed point", "none");
}

/** Unit of the integers of b bits whose largest stands for 2^round(log₂ magnitude). */
export function unitOf(magnitude: number, bits: number): number {
  return 2 ** (Math.round(Math.log2(Math.max(magnitude, 2 ** -126))) - (bits - 1));
}

function windowOf(node: Node, weight: Tensor): BlockWindow {
  const { strides, pads } = explicitWindow(node);
  return {
    shape: weight.dimensions as BlockWindow["shape"],
    stride: strides[0] ?? 1,
    padding: pads[0] ?? 0,
  };
}

function fieldsOf(weight: Tensor, block: string): { readonly signs: Int8Array; readonly shifts: Uint8Array } {
  const values = tensorNumbers(weight);
  const signs = Int8Array.from(values, Math.sign);
  const shifts = Uint8Array.from(values, (value) => {
    if (value === 0) return 0;
    const shift = Math.log2(Math.abs(value)) - smallestExponent;
    if (Number.isInteger(shift) && shift >= 0 && shift <= 14) return shift;
    throw blockError(`${block}: shift weight`, "0 or ±2^k, k from −14 to 0", `${value}`);
  });
  return { signs, shifts };
}

/** Integers of b bits, half to even, clipped to the same magnitude on both sides. */
export function codesOf(tensor: Tensor, unit: number, bits: 8): Int8Array;
export function codesOf(tensor: Tensor, unit: number, bits: number): Int32Array;
export function codesOf(tensor: Tensor, unit: number, bits: number): Int8Array | Int32Array {
  const limit = 2 ** (bits - 1) - 1;
  const codes = tensorNumbers(tensor).map((value) => Math.min(limit, Math.max(-limit, roundHalfToEven(value / unit))));
  return bits === 8 ? Int8Array.from(codes) : Int32Array.from(codes);
}

/** a · sum + b of a channel as integers with one shift for all channels, the largest factor filling its width. */
function normalizationOf(
  node: Node,
  weights: ReadonlyMap<string, Tensor>,
  addUnit: number,
  outputUnit: number,
): IntegerBlock["normalization"] {
  const [scale, offset, mean, variance] = [1, 2, 3, 4].map((place) => tensorNumbers(weights.get(node.inputs[place]!)!));
  const epsilon = attributeOf(node, "epsilon", "float", 1e-5);
  const slopes = scale!.map((value, channel) => value / Math.sqrt(variance![channel]! + epsilon));
  const factors = slopes.map((slope) => (slope * addUnit) / outputUnit);
  const offsets = slopes.map((slope, channel) => (offset![channel]! - slope * mean![channel]!) / outputUnit);
  const most = factors.reduce((largestSoFar, factor) => Math.max(largestSoFar, Math.abs(factor)), 2 ** -126);
  const shift = blockWidths.factor - 2 - Math.floor(Math.log2(most));
  return {
    factors: Int32Array.from(factors, (factor) => Math.round(factor * 2 ** shift)),
    offsets: offsets.map((value) => Math.round(value * 2 ** shift)),
    shift,
  };
}

const largest = (tensor: Tensor): number =>
  tensorNumbers(tensor).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function blockError(of: string, expected: string, received: string): Error {
  return inputError("integer_block", `no shift-add block in integers: ${of}`, { expected, received });
}

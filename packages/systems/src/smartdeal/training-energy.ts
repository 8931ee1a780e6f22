// Modelled energy of a training step, part by part, of dense SGD and of coefficients and bases, on one machine.

import { basisBitWidth, scaleBitWidth } from "@dovetail/compress";
import { dram, extractWorkloads, type Problem } from "@dovetail/hardware";
import type { Network } from "@dovetail/models";
import { layersOf } from "@dovetail/quant";
import { codeBits } from "./codes.js";
import { costOf, masterBits, type ProductCost, productsOf, wordsOf } from "./product-energy.js";
import {
  type Arithmetic,
  bufferBytes,
  floatAdditionPj,
  multiplyAccumulatePj,
  rebuildAdditionPj,
  rebuildRoundingPj,
  wordBits,
} from "./training-machine.js";

/** A layer's weights as they are kept: sizes of its coefficient matrices and bases. */
export interface KeptWeights {
  readonly columns: number;
  readonly rows: number;
  /** Rows with a coefficient that may differ from zero. */
  readonly keptRows: number;
  readonly bases: number;
}

/** Bits of what a step reads and writes for each coefficient in kept rows beside its code. */
export interface CoefficientState {
  /** Counter, or a float32 master: kept from step to step. */
  readonly ownBits: number;
  readonly momentumBits: number;
}

/** Parameters of a method as the step moves them. */
export type Parameters =
  | { readonly kind: "dense" }
  | { readonly kind: "factored"; readonly kept: ReadonlyMap<string, KeptWeights>; readonly state: CoefficientState };

export interface StepOptions {
  readonly batchSize: number;
  /** Of all layers but the classifier, which is trained in float32. */
  readonly arithmetic: Arithmetic;
  readonly parameters: Parameters;
}

export const stepParts = ["forward", "error", "weightGradient", "update"] as const;
export type StepPart = (typeof stepParts)[number];

/** Picojoules of a step of one batch. */
export interface PartEnergy {
  /** Weights, or what stands for them, in DRAM and buffer; optimizer state too. */
  readonly weightsPj: number;
  /** Activations and their gradients in DRAM and buffer, stored for the backward pass or not. */
  readonly activationsPj: number;
  /** Multiply-accumulates with their registers, and additions of the update. */
  readonly arithmeticPj: number;
  /** Additions that rebuild weights, and their rounding to 8 bits. */
  readonly rebuildPj: number;
}

export type StepEnergy = Readonly<Record<StepPart, PartEnergy>>;

const dramPjPerBit = dram({ kind: "LPDDR4" }).energyPjPerBit;

/** Sum of all parts. */
export function totalPj(step: StepEnergy): number {
  return stepParts.reduce((sum, part) => sum + partPj(step[part]), 0);
}

export function partPj({ weightsPj, activationsPj, arithmeticPj, rebuildPj }: PartEnergy): number {
  return weightsPj + activationsPj + arithmeticPj + rebuildPj;
}

/**
 * Energy of a training step. Every product of every layer runs under the mapping of least energy that a search finds for
 * dense weights; the dataflow is the same for all methods. Weights in factored form take their own bits in DRAM and
 * buffer and are rebuilt whenever they leave the buffer, and products with rows that are zero for good are skipped.
 * The gradient of a layer's weights stays on chip where it fits half of the buffer, the update follows at once.
 * Element-wise operations are not charged; they would be the same for all methods.
 * `kept` of the parameters is by the name of the layer's weight.
 */
export function stepEnergy(network: Network, options: StepOptions): StepEnergy {
  const { batchSize, parameters } = options;
  const { layers } = extractWorkloads(network.graph, { batchSize });
  const sum: Record<StepPart, PartEnergy> = { forward: none, error: none, weightGradient: none, update: none };
  const arithmeticOf = layerArithmetic(network, options.arithmetic);
  layers.forEach(({ name, problem, weights }, index) => {
    const arithmetic = arithmeticOf(name);
    const kept = parameters.kind === "factored" ? parameters.kept.get(weights.name) : undefined;
    const count = wordsOf(problem, "Weights");
    const products = productsOf(problem, wordBits[arithmetic]);
    const weighted = (product: Problem): PartEnergy =>
      partOf(weightedEnergy(costOf(product, arithmetic), arithmetic, kept, count, trainedBasis));
    sum.forward = added(sum.forward, weighted(products.forward));
    if (index > 0) sum.error = added(sum.error, weighted(products.error));
    sum.weightGradient = added(sum.weightGradient, gradientEnergy(costOf(products.gradient, arithmetic), kept, count));
    sum.update = added(sum.update, updateEnergy(count, kept, parameters, arithmetic));
  });
  return sum;
}

/** Arithmetic of a layer by the name of its node: `quantizeLayers` leaves the classifier in float32. */
export function layerArithmetic(network: Network, arithmetic: Arithmetic): (node: string) => Arithmetic {
  const classifiers = new Set(
    layersOf(network)
      .filter(({ role }) => role === "classifier")
      .map(({ node }) => node.name),
  );
  return (node) => (classifiers.has(node) ? "float32" : arithmetic);
}

/** Bits of a basis: of an element, and of what all of its elements share. */
interface BasisBits {
  readonly element: number;
  readonly scale: number;
}

/** Between steps, and as stored for inference. */
const trainedBasis: BasisBits = { element: masterBits, scale: 0 };
export const storedBasis: BasisBits = { element: basisBitWidth, scale: scaleBitWidth };

const none: PartEnergy = { weightsPj: 0, activationsPj: 0, arithmeticPj: 0, rebuildPj: 0 };

function added(a: PartEnergy, b: PartEnergy): PartEnergy {
  return {
    weightsPj: a.weightsPj + b.weightsPj,
    activationsPj: a.activationsPj + b.activationsPj,
    arithmeticPj: a.arithmeticPj + b.arithmeticPj,
    rebuildPj: a.rebuildPj + b.rebuildPj,
  };
}

/** A product with a layer's weights, its activations apart. */
export interface WeightedEnergy {
  readonly weightsPj: number;
  readonly inputsPj: number;
  readonly outputsPj: number;
  readonly arithmeticPj: number;
  readonly rebuildPj: number;
}

/** The forward product of a layer; `kept` has the sizes of its factors. */
export function forwardEnergy(
  problem: Problem,
  arithmetic: Arithmetic,
  kept: KeptWeights | undefined,
  basis: BasisBits,
): WeightedEnergy {
  const { forward } = productsOf(problem, wordBits[arithmetic]);
  return weightedEnergy(costOf(forward, arithmetic), arithmetic, kept, wordsOf(problem, "Weights"), basis);
}

function weightedEnergy(
  { weights, inputs, outputs, arithmeticPj }: ProductCost,
  arithmetic: Arithmetic,
  kept: KeptWeights | undefined,
  count: number,
  basis: BasisBits,
): WeightedEnergy {
  const inputsPj = inputs.dramPj + inputs.bufferPj;
  const outputsPj = outputs.dramPj + outputs.bufferPj;
  const denseWeightsPj = weights.dramPj + weights.bufferPj;
  if (!kept) return { weightsPj: denseWeightsPj, inputsPj, outputsPj, arithmeticPj, rebuildPj: 0 };
  // A weight of a kept row takes an addition for each column of its coefficients.
  const rebuiltPj = kept.columns * rebuildAdditionPj + rebuildRoundingPj(arithmetic);
  const rebuiltShare = (kept.keptRows * kept.columns) / count;
  return {
    weightsPj: (denseWeightsPj * factoredBits(kept, basis)) / (count * wordBits[arithmetic]),
    inputsPj,
    outputsPj,
    arithmeticPj: arithmeticPj * keptShare(kept),
    rebuildPj: weights.bufferReads * rebuiltShare * rebuiltPj,
  };
}

function partOf({ inputsPj, outputsPj, ...part }: WeightedEnergy): PartEnergy {
  return { ...part, activationsPj: inputsPj + outputsPj };
}

/** The weights' gradient: both operands are activations or their gradients. */
function gradientEnergy(
  { weights, inputs, outputs, arithmeticPj }: ProductCost,
  kept: KeptWeights | undefined,
  count: number,
): PartEnergy {
  const staysOnChip = count * masterBits <= (bufferBytes * 8) / 2;
  const share = kept ? keptShare(kept) : 1;
  return {
    weightsPj: (outputs.bufferPj + (staysOnChip ? 0 : 2 * outputs.dramPj)) * share,
    activationsPj: weights.dramPj + weights.bufferPj + inputs.dramPj + inputs.bufferPj,
    arithmeticPj: arithmeticPj * share,
    rebuildPj: 0,
  };
}

/**
 * Dense: weight and momentum, float32, are read and written, and with 8-bit arithmetic the 8-bit weight is written too.
 * Factored: codes with their state, bases with their momentum; gradients of coefficients are the weights' times the
 * bases, those of bases are sums of shifted gradients, in float32.
 */
function updateEnergy(
  count: number,
  kept: KeptWeights | undefined,
  parameters: Parameters,
  arithmetic: Arithmetic,
): PartEnergy {
  const unitPj = multiplyAccumulatePj("float32");
  if (!kept || parameters.kind === "dense") {
    const copyBits = arithmetic === "integer8" ? wordBits.integer8 : 0;
    return { ...none, weightsPj: count * (4 * masterBits + copyBits) * dramPjPerBit, arithmeticPj: 2 * count * unitPj };
  }
  const { ownBits, momentumBits } = parameters.state;
  const coefficients = kept.keptRows * kept.columns;
  const basisElements = kept.bases * kept.columns ** 2;
  const bits = 2 * coefficients * (codeBits + ownBits + momentumBits) + 4 * basisElements * masterBits;
  const gradients = coefficients * kept.columns * (unitPj + floatAdditionPj);
  return {
    ...none,
    weightsPj: bits * dramPjPerBit,
    arithmeticPj: gradients + 2 * (coefficients + basisElements) * unitPj,
  };
}

/** Bits of a layer's codes, row marks and bases. */
export function factoredBits({ columns, rows, keptRows, bases }: KeptWeights, basis: BasisBits): number {
  return keptRows * columns * codeBits + rows + bases * (columns ** 2 * basis.element + basis.scale);
}

function keptShare({ rows, keptRows }: KeptWeights): number {
  return keptRows / rows;
}

// Modelled energy of a training step, part by part, of dense SGD and of coefficients and bases, on one machine.

import { createRandomStream, inputError } from "@dovetail/core";
import {
  convolutionProblem,
  dataSpaceWords,
  dram,
  extractWorkloads,
  type LevelCost,
  mapOnAccelerator,
  type Problem,
} from "@dovetail/hardware";
import type { Network } from "@dovetail/models";
import {
  type Arithmetic,
  bufferBytes,
  multiplyAccumulatePj,
  rebuildAdditionPj,
  trainingMachine,
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
  /** Additions that rebuild weights. */
  readonly rebuildPj: number;
}

export type StepEnergy = Readonly<Record<StepPart, PartEnergy>>;

const evaluations = 2000;
const codeBits = 4;
const masterBits = 32;
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
export function stepEnergy(network: Network, { batchSize, arithmetic, parameters }: StepOptions): StepEnergy {
  const { layers } = extractWorkloads(network.graph, { batchSize });
  const sum: Record<StepPart, PartEnergy> = { forward: none, error: none, weightGradient: none, update: none };
  layers.forEach(({ problem, weights }, index) => {
    const kept = parameters.kind === "factored" ? parameters.kept.get(weights.name) : undefined;
    const count = wordsOf(problem, "Weights");
    const products = productsOf(problem, wordBits[arithmetic]);
    sum.forward = added(sum.forward, withWeights(costOf(products.forward, arithmetic), kept, count, arithmetic));
    if (index > 0)
      sum.error = added(sum.error, withWeights(costOf(products.error, arithmetic), kept, count, arithmetic));
    sum.weightGradient = added(sum.weightGradient, gradientEnergy(costOf(products.gradient, arithmetic), kept, count));
    sum.update = added(sum.update, updateEnergy(count, kept, parameters, arithmetic));
  });
  return sum;
}

const none: PartEnergy = { weightsPj: 0, activationsPj: 0, arithmeticPj: 0, rebuildPj: 0 };

function added(a: PartEnergy, b: PartEnergy): PartEnergy {
  return {
    weightsPj: a.weightsPj + b.weightsPj,
    activationsPj: a.activationsPj + b.activationsPj,
    arithmeticPj: a.arithmeticPj + b.arithmeticPj,
    rebuildPj: a.rebuildPj + b.rebuildPj,
  };
}

/**
 * Forward: the layer. Error: channels exchanged; of a stride, the products that are not with inserted zeros. Weight
 * gradient: batch and channels exchanged, the output's gradient as the filter.
 */
function productsOf(problem: Problem, bits: number): Record<"forward" | "error" | "gradient", Problem> {
  const size = (name: string): number => problem.dimensions[name] ?? 1;
  const bitWidths = { weights: bits, inputs: bits, outputs: bits };
  const [strideHeight, strideWidth] = [strideOf(problem, "P"), strideOf(problem, "Q")];
  const kernel = { kernelHeight: size("R"), kernelWidth: size("S") };
  const output = { outputHeight: size("P"), outputWidth: size("Q") };
  const [batch, inputChannels, outputChannels] = [size("N"), size("C"), size("M")];
  return {
    forward: convolutionProblem({
      ...{ batch, inputChannels, outputChannels, strideHeight, strideWidth, bitWidths },
      ...kernel,
      ...output,
    }),
    error: convolutionProblem({
      ...{ batch, inputChannels: outputChannels, outputChannels: inputChannels, bitWidths },
      ...kernel,
      ...output,
    }),
    gradient: convolutionProblem({
      ...{ batch: inputChannels, inputChannels: batch, outputChannels },
      kernelHeight: output.outputHeight,
      kernelWidth: output.outputWidth,
      outputHeight: kernel.kernelHeight,
      outputWidth: kernel.kernelWidth,
      dilationHeight: strideHeight,
      dilationWidth: strideWidth,
      bitWidths: { ...bitWidths, outputs: masterBits },
    }),
  };
}

/** By how much an output's place moves the input's. */
function strideOf({ dataSpaces }: Problem, dimension: string): number {
  const inputs = dataSpaces.find(({ name }) => name === "Inputs")!;
  return inputs.projection.flat().find((term) => term.dimension === dimension)?.coefficient ?? 1;
}

function wordsOf(problem: Problem, name: string): number {
  return dataSpaceWords(problem, problem.dataSpaces.find((space) => space.name === name)!);
}

/** What a mapping moves and computes. */
interface ProductCost {
  readonly weights: Movement;
  readonly inputs: Movement;
  readonly outputs: Movement;
  /** Units and their registers. */
  readonly arithmeticPj: number;
}

interface Movement {
  readonly dramPj: number;
  readonly bufferPj: number;
  /** Words that leave the buffer for the units. */
  readonly bufferReads: number;
}

const known = new Map<string, ProductCost>();

/** The same product is asked for often: each is mapped once. */
function costOf(problem: Problem, arithmetic: Arithmetic): ProductCost {
  const key = JSON.stringify([problem.dimensions, problem.dataSpaces, arithmetic]);
  const cost = known.get(key) ?? mapped(problem, arithmetic, key);
  known.set(key, cost);
  return cost;
}

function mapped(problem: Problem, arithmetic: Arithmetic, key: string): ProductCost {
  const random = createRandomStream(0).split(key);
  const found = mapOnAccelerator(problem, trainingMachine(arithmetic), { random, evaluations, objective: "energy" });
  if (!found.ok) {
    throw inputError("layer_unmapped", `product of ${problem.name} has no mapping on the training machine`, {
      expected: "a tile that fits the memories",
      received: found.rejection.reason,
    });
  }
  const { levels, compute, energyPj } = found.cost;
  const movement = (name: string): Movement => {
    const at = (level: string) => spaceAt(levels, level, name);
    return { dramPj: at("DRAM").energyPj, bufferPj: at("buffer").energyPj, bufferReads: at("buffer").reads };
  };
  const moved = { weights: movement("Weights"), inputs: movement("Inputs"), outputs: movement("Outputs") };
  const outside = Object.values(moved).reduce((sum, { dramPj, bufferPj }) => sum + dramPj + bufferPj, 0);
  return { ...moved, arithmeticPj: Math.max(compute.energyPj, energyPj - outside) };
}

function spaceAt(levels: readonly LevelCost[], level: string, name: string): { energyPj: number; reads: number } {
  const space = levels.find((one) => one.level === level)?.dataSpaces.find(({ dataSpace }) => dataSpace === name);
  return space ?? { energyPj: 0, reads: 0 };
}

/** A product with the layer's weights. */
function withWeights(
  { weights, inputs, outputs, arithmeticPj }: ProductCost,
  kept: KeptWeights | undefined,
  count: number,
  arithmetic: Arithmetic,
): PartEnergy {
  const activationsPj = inputs.dramPj + inputs.bufferPj + outputs.dramPj + outputs.bufferPj;
  const denseWeightsPj = weights.dramPj + weights.bufferPj;
  if (!kept) return { weightsPj: denseWeightsPj, activationsPj, arithmeticPj, rebuildPj: 0 };
  const additions = (kept.keptRows * kept.columns ** 2) / count;
  return {
    weightsPj: (denseWeightsPj * factoredBits(kept)) / (count * wordBits[arithmetic]),
    activationsPj,
    arithmeticPj: arithmeticPj * keptShare(kept),
    rebuildPj: weights.bufferReads * additions * rebuildAdditionPj,
  };
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
 * bases, those of bases are sums of shifted gradients.
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
  const gradients = coefficients * kept.columns * (unitPj + rebuildAdditionPj);
  return {
    ...none,
    weightsPj: bits * dramPjPerBit,
    arithmeticPj: gradients + 2 * (coefficients + basisElements) * unitPj,
  };
}

/** Bits of a layer's codes, row marks and float32 bases. */
function factoredBits({ columns, rows, keptRows, bases }: KeptWeights): number {
  return keptRows * columns * codeBits + rows + bases * columns ** 2 * masterBits;
}

function keptShare({ rows, keptRows }: KeptWeights): number {
  return keptRows / rows;
}

// The three products of a layer in a training step, on the training machine.

import { createRandomStream, inputError } from "@dovetail/core";
import { convolutionProblem, dataSpaceWords, type LevelCost, mapOnAccelerator, type Problem } from "@dovetail/hardware";
import { type Arithmetic, trainingMachine } from "./training-machine.js";

/** Mappings tried for a product. */
const evaluations = 2000;
/** Bits of a gradient of weights, and of a sum. */
export const masterBits = 32;

/**
 * Forward: the layer. Error: channels exchanged; of a stride, the products that are not with inserted zeros. Weight
 * gradient: batch and channels exchanged, the output's gradient as the filter.
 */
export function productsOf(problem: Problem, bits: number): Record<"forward" | "error" | "gradient", Problem> {
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

/** Words of one of a layer's tensors. */
export function wordsOf(problem: Problem, name: string): number {
  return dataSpaceWords(problem, problem.dataSpaces.find((space) => space.name === name)!);
}

/** What a mapping moves and computes. */
export interface ProductCost {
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
export function costOf(problem: Problem, arithmetic: Arithmetic): ProductCost {
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

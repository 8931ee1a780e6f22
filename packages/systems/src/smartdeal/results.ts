// What SmartDeal's reproduction found, and the ratios that are read from it.

import type { EnergyRow, ModelledEnergy, PieceFigures } from "./figures.js";
import { type StepEnergy, totalPj } from "./training-energy.js";

export interface Results {
  readonly figures: (piece: string) => PieceFigures;
  readonly scratch: (method: string, seed: number) => PieceFigures;
  readonly energy: ModelledEnergy;
}

export function storageRatio({ storage: { denseWeightBits, weightBits, otherBits } }: PieceFigures): number {
  return (denseWeightBits + otherBits) / (weightBits + otherBits);
}

/** Dense SGD's bits of weights and momentum between steps over a training's of what stands for them. */
export function betweenStepsRatio({ storage: { denseWeightBits }, betweenSteps }: PieceFigures): number {
  const bits = Object.values(betweenSteps.layers)
    .flat()
    .reduce((sum, tensor) => sum + tensor.bits, 0);
  return (2 * denseWeightBits) / bits;
}

export interface RatioOptions {
  readonly network: string;
  readonly method: string;
  readonly arithmetic: EnergyRow["arithmetic"];
  /** Operands of the dense network. */
  readonly against: EnergyRow["arithmetic"];
  readonly batchSize: number;
}

export function partsOf(
  { energy }: Results,
  { network, method, arithmetic, batchSize }: Omit<RatioOptions, "against">,
): StepEnergy {
  const row = energy.steps.find(
    (one) =>
      one.network === network && one.method === method && one.arithmetic === arithmetic && one.batchSize === batchSize,
  );
  return row!.parts;
}

/** Training energy of the dense network over the method's. */
export function ratioOf(results: Results, { against, ...options }: RatioOptions): number {
  const dense = partsOf(results, { ...options, method: "dense", arithmetic: against });
  return totalPj(dense) / totalPj(partsOf(results, options));
}

/** Energy of one image at 8 bits. */
export function inferencePj({ energy }: Results, weights: "dense" | "ours", usesZeros: boolean): number {
  return energy.inference.find((row) => row.weights === weights && row.usesZeros === usesZeros)!.energyPj;
}

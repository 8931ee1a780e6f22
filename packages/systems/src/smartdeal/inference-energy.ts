// Modelled energy of inference: weights in their form, and zeros of activations that are neither stored nor multiplied.

import { extractWorkloads } from "@dovetail/hardware";
import type { Network } from "@dovetail/models";
import { forwardEnergy, type KeptWeights, layerArithmetic, storedBasis } from "./training-energy.js";
import { type Arithmetic, wordBits } from "./training-machine.js";

export interface InferenceOptions {
  /** By the name of the weight; dense where absent. */
  readonly kept?: ReadonlyMap<string, KeptWeights> | undefined;
  /** Share of zeros in each layer's input, by the name of its node; none are used where absent. */
  readonly inputZeros?: Readonly<Record<string, number>> | undefined;
}

/**
 * Energy of one image at 8 bits, the classifier in float32, in picojoules, on the training machine. With `inputZeros` activations are stored as a bit
 * a word and the words that are not zero, and products with a zero are skipped. What a layer puts out is stored with the
 * mean share of all inputs.
 */
export function inferenceEnergyPj(network: Network, { kept, inputZeros }: InferenceOptions): number {
  const { layers } = extractWorkloads(network.graph, { batchSize: 1 });
  const arithmeticOf = layerArithmetic(network, "integer8");
  const shares = Object.values(inputZeros ?? {});
  const mean = shares.length > 0 ? shares.reduce((sum, share) => sum + share, 0) / shares.length : 0;
  return layers.reduce((sum, { name, problem, weights }) => {
    const zeros = { input: inputZeros?.[name] ?? 0, output: mean };
    const arithmetic = arithmeticOf(name);
    const part = forwardEnergy(problem, arithmetic, kept?.get(weights.name), storedBasis);
    const { inputsPj, outputsPj } = part;
    const stored = (pj: number, share: number): number => (inputZeros ? pj * storedShare(share, arithmetic) : pj);
    const activationsPj = stored(inputsPj, zeros.input) + stored(outputsPj, zeros.output);
    return sum + part.weightsPj + activationsPj + part.rebuildPj + part.arithmeticPj * (1 - zeros.input);
  }, 0);
}

/** Bits that a word takes on average, over its width: never more than the width. */
function storedShare(zeroShare: number, arithmetic: Arithmetic): number {
  return Math.min(1, 1 - zeroShare + 1 / wordBits[arithmetic]);
}

// What is given up so that a whole network takes at most so many bits.

import {
  fitRows,
  integerTensor,
  type KeptRows,
  magnitudeMasks,
  packedBits,
  pruneRows,
  structuredBitsOf,
  type WeightLayer,
} from "@dovetail/compress";
import { inputError } from "@dovetail/core";
import { elementCount, type Tensor } from "@dovetail/graph";

type Weights = ReadonlyMap<string, Tensor>;

/** Throws the input error `compression_rate` where a network takes at least `least` bits, which is more than `bits`. */
export function requireReachable(
  weights: Weights,
  { least, bits }: { readonly least: number; readonly bits: number },
): void {
  if (least <= bits) return;
  const float32 = bitsOutside([], weights);
  const rate = (of: number): string => (Math.floor((100 * float32) / of) / 100).toFixed(2);
  throw inputError("compression_rate", "the network cannot be made as small by this method", {
    expected: `a rate of at most ${rate(least)}: biases, normalizations and layers of other kinds stay float32`,
    received: rate(bits),
  });
}

export interface RowTarget {
  /** What the whole network may take. */
  readonly bits: number;
  readonly groupFilters: number;
  /** Powers of two of a coefficient, which decide its bits; 7 by default. */
  readonly exponents?: number | undefined;
}

/** Rows of SmartExchange's form such that the whole network takes at most `bits`. Throws as `requireReachable`. */
export function rowsForStorage(
  layers: readonly WeightLayer[],
  weights: Weights,
  { bits, groupFilters, exponents }: RowTarget,
): KeptRows {
  const outside = bitsOutside(layers, weights);
  const none = pruneRows(layers, weights, { by: "energy", kept: 0, groupFilters });
  requireReachable(weights, { least: outside + structuredBitsOf(layers, none, exponents), bits });
  return fitRows(layers, weights, { bits: bits - outside, groupFilters, exponents });
}

/**
 * Masks of magnitude pruning such that the whole network in 8 bit takes at most `bits`, the fewest zeros that do. Throws as
 * `requireReachable`.
 */
export function masksForStorage(
  layers: readonly WeightLayer[],
  weights: Weights,
  bits: number,
  scope: "global" | "layer",
): ReadonlyMap<string, Uint8Array> {
  const outside = bitsOutside(layers, weights);
  const masksAt = (share: number) => magnitudeMasks(layers, weights, { share, scope });
  const bitsOf = (masks: ReadonlyMap<string, Uint8Array>): number => {
    let sum = outside;
    for (const layer of layers) {
      const mask = masks.get(layer.name);
      sum += packedBits(integerTensor(layer, weights.get(layer.name)!, { bitWidth: 8, mask }));
    }
    return sum;
  };
  let [low, high] = [0, 1];
  let best = masksAt(1);
  requireReachable(weights, { least: bitsOf(best), bits });
  for (let step = 0; step < 14; step++) {
    const share = (low + high) / 2;
    const masks = masksAt(share);
    if (bitsOf(masks) <= bits) [high, best] = [share, masks];
    else low = share;
  }
  return best;
}

/** Bits of what is no layer, as float32. */
function bitsOutside(layers: readonly WeightLayer[], weights: Weights): number {
  const names = new Set(layers.map(({ name }) => name));
  let elements = 0;
  for (const [name, { dimensions }] of weights) if (!names.has(name)) elements += elementCount(dimensions);
  return 32 * elements;
}

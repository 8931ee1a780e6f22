// Magnitude pruning of shift and add layers: of each kind the smallest weights of the whole network.

import { maskName, maskWeights } from "@dovetail/compress";
import { inputError } from "@dovetail/core";
import { type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import type { PointOperation } from "@dovetail/hardware";
import type { Network } from "@dovetail/models";
import { weightKinds } from "./networks.js";

export interface PrunedNetwork {
  /** With masks, which keep pruned weights at zero in further training. */
  readonly network: Network;
  readonly weights: Map<string, Tensor>;
  /** By kind of layer: zero weights, before and after, in parts of all. */
  readonly zeroFractions: Readonly<
    Partial<Record<PointOperation, { readonly before: number; readonly after: number }>>
  >;
}

/**
 * Zeroes a share of the weights that are not zero, of each kind of layer apart and over all of its layers together (the
 * published script: one threshold for shift layers, one for add layers). Of a shift weight the magnitude is 2^p before p is
 * rounded, so that equal powers have an order. (That script keeps the largest |p|, the smallest weights, and sets others
 * to 1.) A zero weight of a shift layer saves its shift and addition; of an add layer it saves storage alone: |x − 0| is
 * summed up all the same.
 *
 * Throws `pruning_share` for a share outside 0…1.
 */
export function pruneByMagnitude(network: Network, weights: ReadonlyMap<string, Tensor>, share: number): PrunedNetwork {
  if (!(share >= 0 && share <= 1)) {
    throw inputError("pruning_share", "no part of the weights", { expected: "0 to 1", received: `${share}` });
  }
  const kinds = weightKinds(network);
  const pruned = new Map(weights);
  const zeroFractions: Partial<Record<PointOperation, { before: number; after: number }>> = {};
  for (const kind of new Set(kinds.values())) {
    const names = [...kinds].flatMap(([name, of]) => (of === kind ? [name] : []));
    const magnitudes = names.map((name) => magnitudesOf(name, weights));
    const threshold = thresholdOf(magnitudes, share);
    let [all, before, after] = [0, 0, 0];
    names.forEach((name, index) => {
      const mask = magnitudes[index]!.map((magnitude) => (magnitude >= threshold ? 1 : 0));
      all += mask.length;
      before += magnitudes[index]!.filter((magnitude) => magnitude === 0).length;
      after += mask.filter((stays, place) => stays === 0 || magnitudes[index]![place] === 0).length;
      const shape = network.graph.types.get(name)!.shape as readonly number[];
      pruned.set(maskName(name), tensorFromData("float32", shape, Float32Array.from(mask)));
    });
    zeroFractions[kind] = { before: before / all, after: after / all };
  }
  return { network: maskWeights(network, [...kinds.keys()]), weights: pruned, zeroFractions };
}

function magnitudesOf(name: string, weights: ReadonlyMap<string, Tensor>): readonly number[] {
  const numbers = (parameter: string): readonly number[] | undefined => {
    const value = weights.get(parameter);
    return value && tensorNumbers(value);
  };
  const [exponents, signs] = [numbers(`${name}:exponent`), numbers(`${name}:sign`)];
  if (exponents && signs) {
    return exponents.map((exponent, index) => (Math.abs(signs[index]!) > 0.5 ? 2 ** exponent : 0));
  }
  const plain = numbers(`${name}:latent`) ?? numbers(name);
  if (!plain) {
    throw inputError("missing_parameter", `weights of layer "${name}"`, { expected: "a tensor", received: "none" });
  }
  return plain.map(Math.abs);
}

/** Magnitudes below it go: so many of those that are not zero. */
function thresholdOf(magnitudes: readonly (readonly number[])[], share: number): number {
  const sorted = Float64Array.from(magnitudes.flat().filter((magnitude) => magnitude > 0)).sort();
  const count = Math.floor(share * sorted.length);
  return count < sorted.length ? sorted[count]! : Number.POSITIVE_INFINITY;
}

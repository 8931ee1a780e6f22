// Magnitude pruning and whole numbers with a scale a channel: the usual compression that SmartExchange is held against.

import { inputError } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { filterSize, filtersOf, type WeightLayer } from "../layers/weight-layers.js";
import type { IntegerTensor } from "../packed/packed-tensor.js";

/**
 * The weights that stay, 1 or 0 filter by filter, when a part of them is zeroed by magnitude: the smallest of all layers
 * together (`global`), or so many of each. Of equal magnitudes the first ones go.
 *
 * @throws DovetailError `pruning_share` for a share outside 0…1.
 */
export function magnitudeMasks(
  layers: readonly WeightLayer[],
  weights: ReadonlyMap<string, Tensor>,
  { share, scope }: { readonly share: number; readonly scope: "global" | "layer" },
): Map<string, Uint8Array> {
  if (!(share >= 0 && share <= 1)) {
    throw inputError("pruning_share", "no part of the weights", { expected: "0 to 1", received: `${share}` });
  }
  const filters = layers.map((layer) => filtersOf(layer, weights.get(layer.name)!));
  const masks = filters.map((values) => new Uint8Array(values.length).fill(1));
  const groups = scope === "global" ? [filters.map((_, index) => index)] : filters.map((_, index) => [index]);
  for (const group of groups)
    zeroSmallest(
      group.map((index) => filters[index]!),
      group.map((index) => masks[index]!),
      share,
    );
  return new Map(layers.map(({ name }, index) => [name, masks[index]!]));
}

function zeroSmallest(values: readonly Float32Array[], masks: readonly Uint8Array[], share: number): void {
  const magnitudes = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const part of values) for (const value of part) magnitudes[place++] = Math.abs(value);
  const count = Math.floor(share * magnitudes.length + 1e-9);
  if (count === 0) return;
  const threshold = magnitudes.slice().sort()[count - 1]!;
  let left = count;
  for (const magnitude of magnitudes) if (magnitude < threshold) left--;
  // `left` of those that equal the threshold go too.
  place = 0;
  for (const [index, part] of values.entries()) {
    for (let at = 0; at < part.length; at++) {
      const magnitude = magnitudes[place++]!;
      if (magnitude < threshold || (magnitude === threshold && left-- > 0)) masks[index]![at] = 0;
    }
  }
}

/**
 * A layer's weights as whole numbers of `bitWidth` bits (2 to 8) with a scale for each output channel: the one with the
 * least squared error of 32 shares of the largest magnitude, unless `scales` are given. Weights whose entry in `mask` is 0
 * become zero.
 */
export function integerTensor(
  layer: WeightLayer,
  tensor: Tensor,
  {
    bitWidth,
    mask,
    scales: given,
  }: {
    readonly bitWidth: number;
    readonly mask?: Uint8Array | undefined;
    readonly scales?: Float32Array | undefined;
  },
): IntegerTensor {
  const filters = filtersOf(layer, tensor);
  const size = filterSize(layer.shape);
  const most = 2 ** (bitWidth - 1) - 1;
  const codes = new Int8Array(filters.length);
  const scales = new Float32Array(layer.shape.outputChannels);
  for (let channel = 0; channel < scales.length; channel++) {
    const values = filters.slice(channel * size, (channel + 1) * size);
    if (mask) for (let index = 0; index < size; index++) if (mask[channel * size + index] === 0) values[index] = 0;
    const scale = given ? given[channel]! : bestScale(values, most);
    scales[channel] = scale;
    if (scale === 0) continue;
    for (let index = 0; index < size; index++) codes[channel * size + index] = rounded(values[index]!, scale, most);
  }
  return { kind: "integers", dimensions: tensor.dimensions, isTransposed: layer.isTransposed, bitWidth, codes, scales };
}

function rounded(value: number, scale: number, most: number): number {
  return Math.max(-most, Math.min(most, Math.round(value / scale)));
}

function bestScale(values: Float32Array, most: number): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let step = 32; step > 0; step--) {
    const scale = Math.fround(((largest / most) * step) / 32);
    if (scale === 0) continue;
    let error = 0;
    for (const value of values) error += (value - rounded(value, scale, most) * scale) ** 2;
    if (error < least) [best, least] = [scale, error];
  }
  return best;
}

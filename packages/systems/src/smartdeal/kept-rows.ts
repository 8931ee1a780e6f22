import type { LayerWeightShape, StructuredForm } from "@dovetail/graph";

/** Filters that share a pattern of rows: it is what an accelerator can skip. Of linear layers, as published. */
const filtersTogether = 32;
const featuresTogether = 10;

/**
 * Structural pruning before the decomposition (systems.md section 1, by share): in each group of filters the rows of
 * smallest summed magnitude are given up in all of its filters. 1 where a row [outputChannels · rowsPerFilter] is kept.
 */
export function keptRowsOf(
  weights: ArrayLike<number>,
  shape: LayerWeightShape,
  { columns, filterWeights, rowsPerFilter }: StructuredForm,
  keptShare: number,
): Uint8Array {
  const isLinear = shape.kernelHeight * shape.kernelWidth === 1;
  const together = isLinear ? featuresTogether : filtersTogether;
  const kept = new Uint8Array(shape.outputChannels * rowsPerFilter);
  const count = Math.round(keptShare * rowsPerFilter);
  for (let first = 0; first < shape.outputChannels; first += together) {
    const last = Math.min(shape.outputChannels, first + together);
    const sums = new Float64Array(rowsPerFilter);
    for (let filter = first; filter < last; filter++) {
      for (let index = 0; index < filterWeights; index++) {
        sums[Math.floor(index / columns)]! += Math.abs(weights[filter * filterWeights + index]!);
      }
    }
    const order = Array.from(sums.keys()).sort((a, b) => sums[b]! - sums[a]! || a - b);
    for (const row of order.slice(0, count)) {
      for (let filter = first; filter < last; filter++) kept[filter * rowsPerFilter + row] = 1;
    }
  }
  return kept;
}

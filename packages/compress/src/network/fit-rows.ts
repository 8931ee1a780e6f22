import { inputError } from "@dovetail/core";
import { structuredFormOf, type Tensor } from "@dovetail/graph";
import {
  basisBitWidth,
  coefficientBitWidthOf,
  mostExponents,
  scaleBitWidth,
} from "../decomposition/structured-layer.js";
import { filtersOf, type WeightLayer } from "../layers/weight-layers.js";
import { keptRowsOf, type RowPruning } from "../pruning/prune-rows.js";

/** The rows that stay in each layer, by the weight's name. */
export type KeptRows = ReadonlyMap<string, Uint8Array>;

/** Prunes rows in all layers by one rule, or by one each. */
export function pruneRows(
  layers: readonly WeightLayer[],
  weights: ReadonlyMap<string, Tensor>,
  rule: RowPruning | ((layer: WeightLayer, index: number) => RowPruning),
): Map<string, Uint8Array> {
  return new Map(
    layers.map((layer, index) => {
      const filters = filtersOf(layer, weights.get(layer.name)!);
      const own = typeof rule === "function" ? rule(layer, index) : rule;
      return [layer.name, keptRowsOf(filters, layer.shape, own, layer.operator !== "Conv")];
    }),
  );
}

/** Bits of layers in structured form, should no further row become zero. */
export function structuredBitsOf(layers: readonly WeightLayer[], rows: KeptRows, exponents = mostExponents): number {
  let bits = 0;
  for (const { name, shape } of layers) {
    const { columns, piecesPerFilter } = structuredFormOf(shape);
    const kept = rows.get(name)!;
    const keptCount = kept.reduce((sum, row) => sum + row, 0);
    bits += keptCount * columns * coefficientBitWidthOf(exponents) + kept.length;
    bits += shape.outputChannels * piecesPerFilter * (columns ** 2 * basisBitWidth + scaleBitWidth);
  }
  return bits;
}

/**
 * Rows such that the layers take at most `bits`: the same part of each group's sum of squares is kept in all layers, the
 * largest that fits.
 *
 * @throws DovetailError `row_budget` where not even layers without rows fit.
 */
export function fitRows(
  layers: readonly WeightLayer[],
  weights: ReadonlyMap<string, Tensor>,
  {
    bits,
    exponents,
    groupFilters,
  }: { readonly bits: number; readonly exponents?: number | undefined; readonly groupFilters?: number | undefined },
): Map<string, Uint8Array> {
  const rowsAt = (kept: number): Map<string, Uint8Array> =>
    pruneRows(layers, weights, { by: "energy", kept, groupFilters });
  const fits = (rows: KeptRows): boolean => structuredBitsOf(layers, rows, exponents) <= bits;
  const all = rowsAt(1);
  if (fits(all)) return all;
  let best = rowsAt(0);
  if (!fits(best)) {
    throw inputError("row_budget", "the layers do not fit, even without rows", {
      expected: `at least ${structuredBitsOf(layers, best, exponents)} bits`,
      received: `${bits}`,
    });
  }
  let [low, high] = [0, 1];
  // The part is found to 1e-5: finer steps change no row of these networks.
  for (let step = 0; step < 17; step++) {
    const middle = (low + high) / 2;
    const rows = rowsAt(middle);
    if (fits(rows)) [low, best] = [middle, rows];
    else high = middle;
  }
  return best;
}

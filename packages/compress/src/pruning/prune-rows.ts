// Structural pruning before the decomposition (SmartExchange, ISCA 2020; systems.md section 1): in a group of filters the
// same rows are zeroed, so that an accelerator can skip the activations that they would meet.

import { inputError } from "@dovetail/core";
import { type LayerWeightShape, structuredFormOf } from "@dovetail/graph";

/** Which rows of a group's matrices are zeroed: those of the smallest summed magnitude. */
export type RowPruningRule =
  /** So large a part of the rows, rounded down. */
  | { readonly by: "share"; readonly share: number }
  /** Rows whose weights have a smaller mean magnitude. */
  | { readonly by: "value"; readonly value: number }
  /** As many as leave this part of the group's sum of squares. */
  | { readonly by: "energy"; readonly kept: number };

export type RowPruning = RowPruningRule & {
  /** Filters that share a pattern. Default: 32, and 10 in linear layers. */
  readonly groupFilters?: number | undefined;
};

/**
 * Which rows of a layer's matrices stay: 1 or 0 for each [outputChannels · rowsPerFilter].
 *
 * @throws DovetailError `row_pruning` for shares outside 0…1, negative values, groups of no filters.
 */
export function keptRowsOf(
  filters: Float32Array,
  shape: LayerWeightShape,
  { groupFilters, ...rule }: RowPruning,
  isLinear: boolean,
): Uint8Array {
  const size = groupFilters ?? (isLinear ? 10 : 32);
  check(rule, size);
  const { rowsPerFilter } = structuredFormOf(shape);
  const kept = new Uint8Array(shape.outputChannels * rowsPerFilter).fill(1);
  for (let first = 0; first < shape.outputChannels; first += size) {
    const count = Math.min(size, shape.outputChannels - first);
    for (const row of prunedRows(filters, shape, first, count, rule)) {
      for (let filter = first; filter < first + count; filter++) kept[filter * rowsPerFilter + row] = 0;
    }
  }
  return kept;
}

function prunedRows(
  filters: Float32Array,
  shape: LayerWeightShape,
  firstFilter: number,
  count: number,
  rule: RowPruningRule,
): readonly number[] {
  const { columns, filterWeights, rowsPerFilter } = structuredFormOf(shape);
  const magnitudes = new Float64Array(rowsPerFilter);
  const squares = new Float64Array(rowsPerFilter);
  for (let filter = firstFilter; filter < firstFilter + count; filter++) {
    for (let index = 0; index < filterWeights; index++) {
      const weight = filters[filter * filterWeights + index]!;
      const row = Math.floor(index / columns);
      magnitudes[row]! += Math.abs(weight);
      squares[row]! += weight * weight;
    }
  }
  const order = Array.from(magnitudes.keys()).sort((a, b) => magnitudes[a]! - magnitudes[b]! || a - b);
  switch (rule.by) {
    case "share":
      return order.slice(0, Math.floor(rule.share * rowsPerFilter + 1e-9));
    case "value":
      return order.filter((row) => magnitudes[row]! < rule.value * columns * count);
    case "energy": {
      if (rule.kept === 0) return order;
      const dispensable = (1 - rule.kept) * squares.reduce((sum, square) => sum + square, 0);
      let sum = 0;
      const last = order.findIndex((row) => {
        sum += squares[row]!;
        return sum > dispensable;
      });
      return last < 0 ? order : order.slice(0, last);
    }
  }
}

function check(rule: RowPruningRule, groupFilters: number): void {
  const [name, value] =
    rule.by === "share" ? ["share", rule.share] : rule.by === "value" ? ["value", rule.value] : ["kept", rule.kept];
  const isRight = value! >= 0 && (rule.by === "value" || value! <= 1);
  if (isRight && Number.isSafeInteger(groupFilters) && groupFilters >= 1) return;
  throw inputError("row_pruning", "cannot choose rows to prune", {
    path: [isRight ? "groupFilters" : (name as string)],
    expected: isRight ? "a positive whole number" : rule.by === "value" ? "0 or more" : "0 to 1",
    received: `${isRight ? groupFilters : value}`,
  });
}

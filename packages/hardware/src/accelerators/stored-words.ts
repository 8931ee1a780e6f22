// What an accelerator makes of zeros: the words that it stores, and the products that it skips.

import { type DataSpace, type Problem, rankExtent } from "../workload/problem.js";
import type { Accelerator, CompressedStorage, SparseOperand } from "./document.js";
import { type LayerStatistics, structuredOf, zeroRowFraction } from "./statistics.js";

/** Narrow words take the machine's own width where it has but one; others are stored as they are. */
export function storedBits({ unit }: Accelerator, layer: Problem, name: string): number {
  const bits = layer.dataSpaces.find((space) => space.name === name)?.bitWidth ?? 8;
  // Codes of shift weights are of another kind than the multiplier's words.
  const isCode = name === "Weights" && layer.operation === "shift" && unit.beside?.includes("shift");
  if (unit.kind !== "fixed" || isCode) return bits;
  return Math.max(bits, name === "Weights" ? unit.weightBits : unit.inputBits);
}

/** The layer with words as wide as they are stored on average. */
export function storedProblem(accelerator: Accelerator, layer: Problem, statistics: LayerStatistics): Problem {
  const stored = accelerator.sparsity?.stored ?? {};
  return {
    ...layer,
    dataSpaces: layer.dataSpaces.map((space): DataSpace => {
      const bits = storedBits(accelerator, layer, space.name);
      const storage = stored[space.name as keyof typeof stored];
      if (storage === undefined) return { ...space, bitWidth: bits };
      return { ...space, bitWidth: compressedBits(storage, bits, space, layer, statistics) };
    }),
  };
}

/** Bits of a word on average. Where that saves nothing the tensor is taken to be stored as it is. */
function compressedBits(
  { format, indexBits = 4 }: CompressedStorage,
  bits: number,
  space: DataSpace,
  layer: Problem,
  statistics: LayerStatistics,
): number {
  if (format === "structured") return structuredOf(layer, bits, statistics)?.bitsPerWeight ?? bits;
  if (format === "rowIndexed") {
    const row = space.projection.at(-1);
    const index = 1 / (row === undefined ? 1 : rankExtent(row, layer.dimensions));
    return Math.min(bits, (1 - zeroRows(space.name, statistics)) * bits + index);
  }
  const density = 1 - zeroWords(space.name, statistics);
  return Math.min(bits, format === "bitmask" ? density * bits + 1 : density * (bits + indexBits));
}

function zeroRows(name: string, { inputZeroRowFraction = 0, outputZeroRowFraction = 0 }: LayerStatistics): number {
  return name === "Inputs" ? inputZeroRowFraction : name === "Outputs" ? outputZeroRowFraction : 0;
}

function zeroWords(name: string, statistics: LayerStatistics): number {
  switch (name) {
    case "Weights":
      return statistics.weightZeroFraction ?? statistics.weightWords?.zeroFraction ?? zeroRowFraction(statistics) ?? 0;
    case "Inputs":
      return statistics.inputZeroFraction ?? statistics.inputWords?.zeroFraction ?? 0;
    default:
      return statistics.outputZeroFraction ?? 0;
  }
}

/** Part of the products that a zero in this operand rules out on the machine, which may look at rows only. */
export function ruledOut({ sparsity }: Accelerator, operand: SparseOperand, statistics: LayerStatistics): number {
  if (sparsity?.rows === undefined) return zeroWords(operand, statistics);
  return operand === "Weights" ? (zeroRowFraction(statistics) ?? 0) : zeroRows(operand, statistics);
}

/** Part of the steps that zero weights rule out: where rows are skipped, only those that are zero in all filters in step. */
export function ruledOutInStep(accelerator: Accelerator, { dimensions }: Problem, statistics: LayerStatistics): number {
  const zeros = ruledOut(accelerator, "Weights", statistics);
  const rows = accelerator.sparsity?.rows;
  if (rows === undefined || zeros === 0) return zeros;
  const filters = Math.min((dimensions.M ?? 1) * (dimensions.G ?? 1), rows.filtersInStep);
  return statistics.zeroRowsInStepFraction ?? zeros ** Math.ceil(filters / rows.filtersPerPattern);
}

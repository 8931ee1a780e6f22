import { printCost } from "../cost/print.js";
import type { SparseCost, SparseSpaceCost } from "./cost.js";
import type { RankAccesses } from "./movement.js";

/** The cost as a table for people, and below it what sparsity does: formats, accesses that are left out, metadata. */
export function printSparseCost(cost: SparseCost): string {
  const header = [
    "level",
    "tensor",
    "format",
    "tile",
    "stored",
    "accesses",
    "if dense",
    "gated",
    "skipped",
    "metadata",
  ];
  const rows = cost.levels.flatMap(({ level, dataSpaces }) =>
    dataSpaces.map((space) => [level, space.dataSpace, ...cellsOf(space)]),
  );
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  const { name, macs, gated, skipped } = cost.compute;
  return [
    printCost(cost),
    "",
    "sparsity (words of one instance; reads, fills and updates together; stored: at most):",
    ...lines,
    `${name}: ${cost.macs} MACs, of which ${macs} are made, ${gated} gated, ${skipped} skipped`,
  ].join("\n");
}

function cellsOf({ tileWords, reads, fills, updates, sparse }: SparseSpaceCost): string[] {
  const sum = ({ read, fill, update }: { read: number; fill: number; update: number }): number => read + fill + update;
  const { read, fill, update } = sparse.metadata;
  return [
    sparse.format.length === 0 ? "-" : sparse.format.join("/"),
    `${tileWords}`,
    `${sparse.mostWords}`,
    `${reads + fills + updates}`,
    `${sum(sparse.dense)}`,
    `${sum(sparse.gated)}`,
    `${sum(sparse.skipped)}`,
    `${items(read) + items(fill) + items(update)}`,
  ];
}

function items(ranks: readonly RankAccesses[]): number {
  return ranks.reduce((total, [metadata, payload]) => total + metadata + payload, 0);
}

import type { DataSpaceCost, ExactCycles, LimitingResource, MappingCost } from "./cost.js";

/** The cost as a table for people: totals, then a line per level and data space with counts per instance. */
export function printCost(cost: MappingCost): string {
  const rows = [["level", "tensor", "instances", "reads", "fills", "updates", "energy nJ"]];
  for (const { level, instances, dataSpaces } of cost.levels) {
    for (const space of dataSpaces) rows.push([level, space.dataSpace, String(instances), ...countsOf(space)]);
  }
  const { name, units, macs, energyPj } = cost.compute;
  rows.push([name, `${macs} MACs`, String(units), "", "", "", nanojoules(energyPj)]);
  const leakagePj = cost.levels.reduce((sum, level) => sum + level.leakagePj, cost.compute.leakagePj);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  return [
    `${nanojoules(cost.energyPj)} nJ (${nanojoules(leakagePj)} of it leakage), ${cost.latencyCycles} cycles, ` +
      `${(100 * cost.utilization).toFixed(1)} % utilization, limited by ${describeLimit(cost.limitedBy)}`,
    ...table,
    ...(cost.exactCycles ? [describeCycles(cost.exactCycles, cost.compute.cycles)] : []),
    cost.model,
  ].join("\n");
}

function countsOf(space: DataSpaceCost): string[] {
  return [words(space.reads), words(space.fills), words(space.updates), nanojoules(space.energyPj)];
}

/** Averages over instances need not be whole. */
function words(count: number): string {
  return Number.isInteger(count) ? String(count) : count.toFixed(2);
}

function describeCycles({ fillCycles, drainCycles, least, most }: ExactCycles, computeCycles: number): string {
  const fixed = (cycles: number): string => words(Math.round(cycles * 100) / 100);
  return (
    `cycles: ${fixed(fillCycles)} to fill, ${computeCycles} to compute, ${fixed(drainCycles)} to drain; ` +
    `a machine needs ${Math.ceil(least)} at least, ${Math.ceil(most)} at most`
  );
}

function nanojoules(pj: number): string {
  return (pj / 1000).toFixed(3);
}

function describeLimit(limit: LimitingResource): string {
  return limit.resource === "compute" ? "compute" : `${limit.level}'s ${limit.port} bandwidth`;
}

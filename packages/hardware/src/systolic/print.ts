import type { SystolicCost } from "./cost.js";

/** Where the cycles of a layer come from, in one paragraph of text lines. */
export function printSystolicCost(cost: SystolicCost): string {
  const { spatialRows, spatialColumns, temporal, folds, products, cyclesPerFold, latencyCycles, buffers } = cost;
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const times = products === 1 ? "" : `, ${products} times`;
  return [
    `${cost.name}: ${latencyCycles} cycles, ${percent(cost.utilization)} utilization, ${cost.macs} MACs`,
    `  ${spatialRows} × ${spatialColumns} on the array, ${temporal} streamed: ` +
      `${folds} folds × ${cyclesPerFold} cycles − 1${times}`,
    `  ${percent(cost.mappingEfficiency)} mapping efficiency, ${percent(cost.computeUtilization)} compute utilization`,
    `  ${buffers.inputReads} input reads, ${buffers.weightReads} weight reads, ${buffers.outputWrites} output writes`,
  ].join("\n");
}

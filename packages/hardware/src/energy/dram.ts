import type { FigureSource } from "./source.js";
import { figure } from "./source-lookup.js";
import { dramEnergies } from "./tables/dram.js";

/** Off-chip memory by kind: LPDDR4, LPDDR, DDR3, GDDR5 or HBM2 (cost-model.md section 8.4). Throws `unknown_figure`. */
export function dram(options: { readonly kind: string }): {
  readonly energyPjPerBit: number;
  readonly source: FigureSource;
} {
  const quantity = figure(dramEnergies, options.kind);
  return { energyPjPerBit: quantity.value, source: quantity.source };
}

import type { LayerResult } from "./report-data.js";

/** Energy of layers by where it is spent: memories outermost first, the compute units, leakage of everything. */
export interface EnergyByLevel {
  readonly levels: readonly string[];
  readonly energyPj: readonly number[];
  readonly totalPj: number;
}

export const leakageName = "leakage";

/** Sum over the layers that have a cost; undefined when none has. */
export function energyByLevel(layers: readonly LayerResult[]): EnergyByLevel | undefined {
  const sums = new Map<string, number>();
  const add = (name: string, energyPj: number): void => {
    sums.set(name, (sums.get(name) ?? 0) + energyPj);
  };
  let leakagePj = 0;
  for (const { cost } of layers) {
    if (cost === undefined) continue;
    for (const level of cost.levels) {
      if (level.dataSpaces.length > 0) add(level.level, level.accessEnergyPj);
      leakagePj += level.leakagePj;
    }
    add(cost.compute.name, cost.compute.energyPj);
    leakagePj += cost.compute.leakagePj;
  }
  if (sums.size === 0) return undefined;
  const levels = memoriesFirst([...sums.keys()], layers);
  const energyPj = levels.map((name) => sums.get(name)!);
  return {
    levels: [...levels, leakageName],
    energyPj: [...energyPj, leakagePj],
    totalPj: energyPj.reduce((sum, value) => sum + value, leakagePj),
  };
}

/** The order of the architecture, whichever layer touched a level first. */
function memoriesFirst(names: readonly string[], layers: readonly LayerResult[]): string[] {
  const cost = layers.find((layer) => layer.cost !== undefined)?.cost;
  const order = [...(cost?.levels.map(({ level }) => level) ?? []), cost?.compute.name ?? ""];
  return [...names].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

/** The same energy on the levels of another list; what it does not name is left out. */
export function energyOnLevels(energy: EnergyByLevel, levels: readonly string[]): number[] {
  return levels.map((level) => energy.energyPj[energy.levels.indexOf(level)] ?? 0);
}

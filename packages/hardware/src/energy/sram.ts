import { inputError } from "@dovetail/core";
import type { FigureSource } from "./source.js";
import { columnIndex } from "./source-lookup.js";
import { cacti } from "./tables/cacti.js";

/** Energy per access, area and leakage of a memory. */
export interface MemoryFigures {
  /** Energy of reading one word of the asked width, pJ. */
  readonly readPj: number;
  /** Energy of writing one word of the asked width, pJ. */
  readonly writePj: number;
  readonly areaMm2: number;
  readonly leakageMw: number;
  readonly source: FigureSource;
}

interface NodeGrid {
  readonly capacities: readonly number[];
  readonly widths: readonly number[];
  /** Indexed [width][capacity]; each entry read pJ, write pJ, area mm², leakage mW. */
  readonly values: readonly (readonly (readonly number[])[])[];
}

const grids: ReadonlyMap<number, NodeGrid> = readGrids();

/** Nodes, widths and capacities between which `sram` interpolates. */
export function sramRange(technologyNm: number): {
  readonly capacityBytes: readonly [number, number];
  readonly widthBits: readonly [number, number];
} {
  const grid = gridOf(technologyNm);
  return {
    capacityBytes: [grid.capacities[0]!, grid.capacities.at(-1)!],
    widthBits: [grid.widths[0]!, grid.widths.at(-1)!],
  };
}

/**
 * A one-bank, one-port SRAM: CACTI 7's figures at the grid's points, between them log-log piecewise linear in capacity
 * and in width (cost-model.md section 8.5). Nothing is extrapolated: throws `no_energy_data` outside the grid, and for
 * nodes other than 22, 32, 45 and 65 nm (at 22, 32 and 65 nm for widths other than 64 bit).
 */
export function sram(options: {
  readonly bytes: number;
  readonly widthBits: number;
  readonly technologyNm: number;
}): MemoryFigures {
  const { bytes, widthBits, technologyNm } = options;
  const grid = gridOf(technologyNm);
  const capacity = bracket(grid.capacities, bytes);
  const width = bracket(grid.widths, widthBits);
  if (capacity === undefined || width === undefined) {
    throw inputError("no_energy_data", `no SRAM figures at ${technologyNm} nm for this size`, {
      expected: `${rangeText(grid.capacities)} bytes and a width of ${rangeText(grid.widths)} bit`,
      received: `${bytes} bytes, ${widthBits} bit`,
    });
  }
  const at = (quantity: number): number => {
    const alongCapacity = (index: number): number => {
      const row = grid.values[index]!;
      return interpolate(row[capacity.low]![quantity]!, row[capacity.high]![quantity]!, capacity.weight);
    };
    return interpolate(alongCapacity(width.low), alongCapacity(width.high), width.weight);
  };
  return { readPj: at(0), writePj: at(1), areaMm2: at(2), leakageMw: at(3), source: cacti.source };
}

interface Bracket {
  readonly low: number;
  readonly high: number;
  /** Weight of `high`, 0 at a grid point. */
  readonly weight: number;
}

function bracket(points: readonly number[], value: number): Bracket | undefined {
  const high = points.findIndex((point) => point >= value);
  if (high < 0) return undefined;
  if (points[high] === value) return { low: high, high, weight: 0 };
  if (high === 0 || !(value > 0)) return undefined;
  const low = high - 1;
  return { low, high, weight: Math.log(value / points[low]!) / Math.log(points[high]! / points[low]!) };
}

function interpolate(low: number, high: number, weight: number): number {
  return weight === 0 ? low : low * (high / low) ** weight;
}

function gridOf(technologyNm: number): NodeGrid {
  const grid = grids.get(technologyNm);
  if (grid === undefined) {
    throw inputError("no_energy_data", "no SRAM figures for this technology node", {
      expected: `one of ${[...grids.keys()].sort((a, b) => a - b).join(", ")} nm`,
      received: `${technologyNm} nm`,
      hint: "take the figures of one of these nodes and scale them with scaleTechnology",
    });
  }
  return grid;
}

function readGrids(): Map<number, NodeGrid> {
  const node = columnIndex(cacti, "technologyNm");
  const capacity = columnIndex(cacti, "capacityBytes");
  const width = columnIndex(cacti, "widthBits");
  const quantities = (["readPj", "writePj", "areaMm2", "leakageMw"] as const).map((name) => columnIndex(cacti, name));
  const result = new Map<number, NodeGrid>();
  for (const technologyNm of distinct(cacti.rows, node)) {
    const rows = cacti.rows.filter((row) => row[node] === technologyNm);
    const capacities = distinct(rows, capacity);
    const widths = distinct(rows, width);
    const values = widths.map((bits) =>
      capacities.map((bytes) => {
        const row = rows.find((candidate) => candidate[width] === bits && candidate[capacity] === bytes)!;
        return quantities.map((quantity) => row[quantity]!);
      }),
    );
    result.set(technologyNm, { capacities, widths, values });
  }
  return result;
}

function distinct(rows: readonly (readonly number[])[], column: number): number[] {
  return [...new Set(rows.map((row) => row[column]!))].sort((a, b) => a - b);
}

function rangeText(points: readonly number[]): string {
  return points.length === 1 ? `${points[0]}` : `${points[0]} to ${points.at(-1)}`;
}

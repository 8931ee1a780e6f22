import { type CellLibrary, type ScalableMachineKind, scalableMachineKinds } from "@dovetail/hardware";
import { throughputTable } from "@dovetail/rtl";
import type { CardTable } from "../../reproduction/card.js";
import { rounded } from "../../reproduction/claims.js";
import { energyAtAnchor } from "./machine-cost.js";
import {
  advantage,
  costAt,
  expectedFrameCost,
  fairness,
  framesPerSecondMm2,
  middlePrecisions,
  publishedSet,
  type StudyResult,
} from "./result.js";
import { libraryDensityRatio, unitKinds, unitPrecisions, unitRows, unitTitles } from "./unit-rows.js";
import { variantOf } from "./variants.js";

const rivals = ["composable", "serial"] as const;
const bitColumns = unitPrecisions.map((bits) => `${bits} bit`);
const setColumn = `drawn from {${publishedSet.join(", ")}}`;

/** The units alone: products a cycle, areas and energies, at every precision that they have figures for. */
export function unitTables(): readonly CardTable[] {
  return [productsTable(), ...[16, 1].flatMap(figureTables), libraryTable()];
}

/** Figures behind the claims; networks are those of the first seed. */
export function studyTables(results: readonly StudyResult[]): readonly CardTable[] {
  const seed = Math.min(...results.map((result) => result.seed));
  const first = results.filter((result) => result.seed === seed);
  const main = first.filter(({ variant }) => variant === "grouped");
  return [
    ...unitTables(),
    advantageTable(main, "speed"),
    advantageTable(main, "energy"),
    absoluteTable(main, "images a second and mm²", (result, kind, set) =>
      framesPerSecondMm2(result.variant, kind, expectedFrameCost(result, kind, set)),
    ),
    absoluteTable(main, "µJ an image", (result, kind, set) => expectedFrameCost(result, kind, set).energyPj * 1e-6),
    anchorTable(main),
    absoluteTable(main, "part of the time in which a memory's port is waited for", (result, kind, set) => {
      const { memoryBoundCycles, latencyCycles } = expectedFrameCost(result, kind, set);
      return memoryBoundCycles / latencyCycles;
    }),
    variantTable(first),
  ];
}

const productTitles = {
  tiled: "2-in-1",
  fusion: "Bit Fusion",
  serial: "Stripes",
  doublySerial: "Loom",
  fixed: "8-bit multiplier",
} as const;

function productsTable(): CardTable {
  const rows = throughputTable();
  return {
    title: "Products a cycle of one unit, counted on its bit-exact model",
    columns: ["unit", ...rows.map(({ bits }) => `${bits} bit`)],
    rows: (Object.keys(productTitles) as (keyof typeof productTitles)[]).map((name) => [
      productTitles[name],
      ...rows.map(({ productsPerCycle }) => asFraction(productsPerCycle[name])),
    ]),
  };
}

/** Whole, or a whole number over another as the unit counts them. */
function asFraction(value: number): string {
  for (let over = 1; over <= 256; over++) {
    const top = value * over;
    if (Math.abs(top - Math.round(top)) < 1e-9) return over === 1 ? `${Math.round(top)}` : `${Math.round(top)}/${over}`;
  }
  return `${rounded(value, 3)}`;
}

function figureTables(sharing: number): CardTable[] {
  const rows = unitRows(sharing);
  const together = sharing === 1 ? "every unit with its own accumulator" : `${sharing} units share an accumulator`;
  const tableOf = (title: string, figure: (row: (typeof rows)[number]) => number): CardTable => ({
    title: `${title}, ${together}`,
    columns: ["unit", ...bitColumns],
    rows: unitKinds.map((kind) => [
      unitTitles[kind],
      ...rows.filter((row) => row.kind === kind).map((row) => rounded(figure(row), 3)),
    ]),
    // Lone units group nothing over units: there the comparison is even.
    ...(sharing > 1 && { note: fairness }),
  });
  return [
    tableOf("Units: products a cycle on 1,000 µm²", (row) => row.productsPerCycleMm2 * 1e-3),
    tableOf("Units: pJ a product", (row) => row.energyPj),
  ];
}

const libraryNames: Readonly<Record<CellLibrary, string>> = {
  nangate45: "Nangate45",
  sky130hd: "sky130hd",
  asap7: "ASAP7",
  ihpSg13g2: "IHP SG13G2",
};

function libraryTable(): CardTable {
  return {
    title: "Lone units in four cell libraries: products a cycle and area, 2-in-1's over another",
    columns: ["library", "timing", "over", ...bitColumns],
    rows: (Object.keys(libraryNames) as CellLibrary[]).flatMap((library) =>
      (["tight", "relaxed"] as const).flatMap((timing) =>
        rivals.map((rival) => [
          libraryNames[library],
          timing,
          unitTitles[rival],
          ...unitPrecisions.map((bits) => rounded(libraryDensityRatio(rival, { library, timing, bits }), 3)),
        ]),
      ),
    ),
  };
}

function advantageTable(results: readonly StudyResult[], figure: "speed" | "energy"): CardTable {
  const what = figure === "speed" ? "Images a second and area" : "Images a joule";
  return {
    title: `${what}, 2-in-1 over another (above 1: 2-in-1 is ahead)`,
    columns: ["network", "over", ...bitColumns, setColumn],
    rows: results.flatMap((result) =>
      rivals.map((rival) => [
        result.network,
        unitTitles[rival],
        ...unitPrecisions.map((bits) => rounded(advantage(result, rival, figure, [bits]), 3)),
        rounded(advantage(result, rival, figure, publishedSet), 3),
      ]),
    ),
    note: fairness,
  };
}

function absoluteTable(
  results: readonly StudyResult[],
  title: string,
  figure: (result: StudyResult, kind: ScalableMachineKind, precisionSet: readonly number[]) => number,
): CardTable {
  return {
    title: `Whole networks: ${title}`,
    columns: ["network", "machine", ...bitColumns, setColumn],
    rows: results.flatMap((result) =>
      scalableMachineKinds.map((kind) => [
        result.network,
        unitTitles[kind],
        ...unitPrecisions.map((bits) => rounded(figure(result, kind, [bits]), 3)),
        rounded(figure(result, kind, publishedSet), 3),
      ]),
    ),
  };
}

function anchorTable(results: readonly StudyResult[]): CardTable {
  const ratio = (result: StudyResult, rival: ScalableMachineKind, bits: number, scale: number): number =>
    energyAtAnchor(costAt(result, rival, bits), scale) / energyAtAnchor(costAt(result, "tiledSerial", bits), scale);
  return {
    title: "Images a joule, 2-in-1 over another, at other levels of the units' energy: geometric means of the networks",
    columns: ["fixed 8×8 unit at 0.298 pJ ×", "over", ...bitColumns],
    rows: [0.5, 1, 4].flatMap((scale) =>
      rivals.map((rival) => [
        scale,
        unitTitles[rival],
        ...unitPrecisions.map((bits) =>
          rounded(geometricMean(results.map((result) => ratio(result, rival, bits, scale))), 3),
        ),
      ]),
    ),
    note: `Memories and mappings unchanged. ${fairness}`,
  };
}

function variantTable(results: readonly StudyResult[]): CardTable {
  const variants = [...new Set(results.map(({ variant }) => variant))];
  return {
    title: `Other assumptions: geometric means over the networks at ${middlePrecisions[0]} to ${middlePrecisions.at(-1)} bit, 2-in-1 over another`,
    columns: ["units", "over", "images a second and area", "images a joule"],
    rows: variants.flatMap((name) =>
      rivals.map((rival) => {
        const means = (["speed", "energy"] as const).map((figure) =>
          rounded(
            geometricMean(
              results
                .filter(({ variant }) => variant === name)
                .flatMap((result) => middlePrecisions.map((bits) => advantage(result, rival, figure, [bits]))),
            ),
            3,
          ),
        );
        return [variantOf(name).title, unitTitles[rival], ...means];
      }),
    ),
    note: fairness,
  };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

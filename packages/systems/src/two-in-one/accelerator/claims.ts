import type { Claim } from "../../reproduction/card.js";
import { claimOf, rounded } from "../../reproduction/claims.js";
import { advantage, middlePrecisions, publishedSet, type StudyResult } from "./result.js";
import { libraryDensityRatio, type UnitRow, unitRows, unitTitles } from "./unit-rows.js";
import { variantOf } from "./variants.js";

const rivals = ["composable", "serial"] as const;
type Rival = (typeof rivals)[number];

const ordering = "MICRO 2021, comparison of the accelerators; systems.md section 6";
const unitOrdering = "MICRO 2021, comparison of the units; systems.md section 6";

// What is claimed is an ordering: the limits are all cases. They were set before the first run at 3, 4, 5, 6 and 8 bit; 7
// bit, which all but Stripes run as 8, was added after those had been seen.

/** The units alone, then whole networks. */
export function studyClaims(results: readonly StudyResult[]): readonly Claim[] {
  const seeds = [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b);
  const main = seeds.map((seed) => results.filter((result) => result.variant === "grouped" && result.seed === seed));
  const others = [...new Set(results.map(({ variant }) => variant))].filter((variant) => variant !== "grouped");
  const networks = main[0]!.length;
  const tried = (count: (of: readonly StudyResult[]) => number, cases: number): string[] =>
    others.map((name) => {
      const found = count(results.filter(({ variant }) => variant === name));
      return `${variantOf(name).title}: ${found} of ${cases}`;
    });
  const cases = networks * middlePrecisions.length;
  return [
    ...unitClaims(),
    ...rivals.flatMap((rival) =>
      (["speed", "energy"] as const).flatMap((figure) => {
        const ahead = (of: readonly StudyResult[]): number =>
          of.reduce((sum, result) => sum + precisionsAhead(result, rival, figure), 0);
        const aheadOverSet = (of: readonly StudyResult[]): number =>
          of.filter((result) => advantage(result, rival, figure, publishedSet) >= 1).length;
        const better = figure === "speed" ? "at least as many images a second and area as" : "at most the energy of";
        return [
          claimOf({
            text: `2-in-1 with ${better} ${unitTitles[rival]}, of ${networks} networks at ${middlePrecisions.join(", ")} bit`,
            source: ordering,
            claimed: cases,
            unit: "cases",
            perSeed: main.map(ahead),
            direction: "atLeast",
            tried: tried(ahead, cases),
          }),
          claimOf({
            text: `the same for images whose precision is drawn from {${publishedSet.join(", ")}}: 2-in-1 with ${better} ${unitTitles[rival]}`,
            source: ordering,
            claimed: networks,
            unit: "networks",
            perSeed: main.map(aheadOverSet),
            direction: "atLeast",
            tried: tried(aheadOverSet, networks),
          }),
        ];
      }),
    ),
  ];
}

function precisionsAhead(result: StudyResult, rival: Rival, figure: "speed" | "energy"): number {
  return middlePrecisions.filter((bits) => advantage(result, rival, figure, [bits]) >= 1).length;
}

function unitClaims(): readonly Claim[] {
  const grouped = unitRows(16);
  const ratioAt8 = (rows: readonly UnitRow[]): number =>
    rowOf(rows, "tiledSerial", 8).productsPerCycleMm2 / rowOf(rows, "composable", 8).productsPerCycleMm2;
  const lone = unitRows(1);
  const libraries = (["sky130hd", "asap7", "ihpSg13g2"] as const).map((library) =>
    libraryDensityRatio("composable", { library, timing: "relaxed", bits: 8 }),
  );
  const density = (rows: readonly UnitRow[]) => ahead(rows, (row) => row.productsPerCycleMm2);
  const frugality = (rows: readonly UnitRow[]) => ahead(rows, (row) => 1 / row.energyPj);
  return [
    claimOf({
      text: "products a cycle and area of 2-in-1's unit over Bit Fusion's at 8 bit",
      source: "MICRO 2021, as recalled in rtl.md section 4.3",
      claimed: 2.3,
      unit: "ratio",
      perSeed: [ratioAt8(grouped)],
      direction: "atLeast",
      tried: [
        `every unit with an accumulator of its own: ${rounded(ratioAt8(lone), 3)}`,
        `lone units in other cell libraries: ${libraries.map((ratio) => rounded(ratio, 3)).join(", ")} (sky130hd, ASAP7, IHP)`,
        "units of 16 bit, where a composed one costs 3.4 times a fixed one: not synthesised",
      ],
    }),
    claimOf({
      text: `2-in-1's unit at least as dense in products as both rivals', at ${middlePrecisions.join(", ")} bit`,
      source: unitOrdering,
      claimed: middlePrecisions.length,
      unit: "precisions",
      perSeed: [density(grouped).both],
      direction: "atLeast",
      tried: triedUnits(density(grouped), density(lone)),
    }),
    claimOf({
      text: `2-in-1's unit takes at most the energy of both rivals' for a product, at ${middlePrecisions.join(", ")} bit`,
      source: unitOrdering,
      claimed: middlePrecisions.length,
      unit: "precisions",
      perSeed: [frugality(grouped).both],
      direction: "atLeast",
      tried: triedUnits(frugality(grouped), frugality(lone)),
    }),
  ];
}

interface AheadCounts {
  readonly composable: number;
  readonly serial: number;
  readonly both: number;
}

/** At how many precisions the tiled unit's figure is at least its rivals'. */
function ahead(rows: readonly UnitRow[], figure: (row: UnitRow) => number): AheadCounts {
  const wins = (rival: Rival, bits: number): boolean =>
    figure(rowOf(rows, "tiledSerial", bits)) >= figure(rowOf(rows, rival, bits));
  return {
    composable: middlePrecisions.filter((bits) => wins("composable", bits)).length,
    serial: middlePrecisions.filter((bits) => wins("serial", bits)).length,
    both: middlePrecisions.filter((bits) => wins("composable", bits) && wins("serial", bits)).length,
  };
}

function triedUnits(grouped: AheadCounts, lone: AheadCounts): string[] {
  return [
    `against Bit Fusion's alone: ${grouped.composable}`,
    `against Stripes' alone: ${grouped.serial}`,
    `every unit with an accumulator of its own: ${lone.both} (Bit Fusion's alone ${lone.composable}, Stripes' alone ${lone.serial})`,
  ];
}

function rowOf(rows: readonly UnitRow[], kind: UnitRow["kind"], bits: number): UnitRow {
  return rows.find((row) => row.kind === kind && row.bits === bits)!;
}

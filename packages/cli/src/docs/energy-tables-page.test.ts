import {
  aladdin,
  architectureAreaUm2,
  bitfusionComposable,
  bitfusionFixed,
  cacti,
  chipPredictorEnergies,
  dramEnergies,
  eyerissLike,
  eyerissLikeChoices,
  eyerissNormalised,
  type FigureSource,
  horowitz,
  interstellarEnergies,
  maestroNormalised,
  scalableUnitEnergy,
  shiftAddOperators,
  shiftAddOperatorsZc706,
  shiftAddUnits,
  smartExchangeEnergies,
  stillmakerArea,
  stillmakerEnergy,
} from "@dovetail/hardware";
import { expect, it } from "vitest";
import { markdownTable, pageFile, pageWithTables } from "./testing/page.js";

// Brought up to date by: npx vitest run packages/cli/src/docs -u

const tables: readonly (readonly [name: string, use: string, source: FigureSource])[] = [
  ["cacti", "buffers; anchor of the scratchpads' energies (`sram`, `registerFile`)", cacti.source],
  ["dramEnergies", "off-chip memory (`dram`)", dramEnergies.source],
  ["bitfusionFixed", "multiply-accumulate units (`multiplyAccumulate`)", bitfusionFixed.source],
  ["aladdin", "area of a scratchpad's bit (`registerFile`)", aladdin.source],
  ["stillmakerEnergy, stillmakerArea", "from one node to another (`scaleTechnology`)", stillmakerEnergy.source],
  [
    "scalableUnitEnergy, scalableUnitArea",
    "ratios of serial, tiled and composable units (`scalableUnit`)",
    scalableUnitEnergy.source,
  ],
  ["shiftAddUnits", "ratios of shift and add units (`shiftAddUnit`)", shiftAddUnits.source],
  ["smartExchangeEnergies", "SmartExchange's accelerator and its four baselines", smartExchangeEnergies.source],
  ["bitfusionComposable", "for comparison", bitfusionComposable.source],
  ["shiftAddOperators", "for comparison", shiftAddOperators.source],
  ["shiftAddOperatorsZc706", "for comparison", shiftAddOperatorsZc706.source],
  ["chipPredictorEnergies", "for comparison", chipPredictorEnergies.source],
  ["interstellarEnergies", "for comparison", interstellarEnergies.source],
  ["maestroNormalised", "for comparison", maestroNormalised.source],
  ["horowitz", "for comparison", horowitz.source],
  ["eyerissNormalised", "for comparison", eyerissNormalised.source],
];

function accelerators(): string[] {
  const least = Object.fromEntries(Object.entries(eyerissLikeChoices).map(([name, values]) => [name, values[0]]));
  const most = Object.fromEntries(Object.entries(eyerissLikeChoices).map(([name, values]) => [name, values.at(-1)]));
  return markdownTable(
    ["accelerator", "buffer read pJ / 128 bit", "input, weight, sum scratchpad read pJ", "MAC pJ", "area mm²"],
    [
      ["default: 12 × 14, 128 KiB, 12 / 192 / 24 words", {}],
      ["smallest of the choices", least],
      ["largest of the choices", most],
    ].map(([name, parameters]) => {
      const architecture = eyerissLike(parameters as object);
      const [, buffer, , , ...scratchpads] = architecture.levels;
      return [
        name as string,
        buffer!.storage!.readPj.toFixed(2),
        scratchpads.map(({ storage }) => storage!.readPj.toFixed(3)).join(", "),
        `${architecture.compute.energyPj}`,
        (architectureAreaUm2(architecture) * 1e-6).toFixed(3),
      ];
    }),
  );
}

it("docs/models/access-counts.md names the source of every table of energies and areas", async () => {
  expect(stillmakerArea.source).toEqual(stillmakerEnergy.source);
  const page = pageWithTables("models/access-counts.md", {
    sources: markdownTable(
      ["table", "used for", "source", "obtained", "conditions"],
      tables.map(([name, use, { citation, certainty, conditions }]) => [
        `\`${name}\``,
        use,
        citation,
        certainty,
        conditions ?? "",
      ]),
    ),
    accelerators: accelerators(),
  });
  await expect(page).toMatchFileSnapshot(pageFile("models/access-counts.md"));
});

import { renderPrecisionSvg } from "@dovetail/report";
import { type UnitRow, unitRows, unitTables, unitTitles } from "@dovetail/systems";
import { expect, it } from "vitest";
import { markdownTable, pageFile, pageWithTables } from "./testing/page.js";

// Brought up to date by: npx vitest run packages/cli/src/docs -u

const page = "models/precision-scalable-macs.md";

it(`docs/${page} shows the units' figures`, async () => {
  const tables = unitTables();
  const lines = tables.flatMap(({ title, columns, rows, note }) => [
    `**${title}**`,
    "",
    ...markdownTable(
      columns,
      rows.map((cells) => cells.map((cell) => `${cell}`)),
    ),
    "",
    ...(note === undefined ? [] : [note, ""]),
  ]);
  await expect(pageWithTables(page, { units: lines.slice(0, -1) })).toMatchFileSnapshot(pageFile(page));
});

it("docs/pictures/precision-scalable-macs.svg shows throughput per area and energy an operation", async () => {
  const kinds = Object.keys(unitTitles) as UnitRow["kind"][];
  const series = [16, 1].flatMap((sharing) => {
    const rows = unitRows(sharing);
    return kinds.map((kind, index) => ({
      name: sharing === 1 ? `${unitTitles[kind]}, alone` : unitTitles[kind],
      series: `c${index}`,
      dashed: sharing === 1,
      points: rows
        .filter((row) => row.kind === kind)
        .map(({ bits, productsPerCycleMm2, energyPj }) => ({
          bits,
          throughputPerArea: productsPerCycleMm2 * 1e-3,
          energy: energyPj,
        })),
    }));
  });
  const picture = renderPrecisionSvg({
    label: "Throughput per area and energy an operation of four multiply-accumulate units, at 2 to 8 bit",
    series,
    throughputTitle: "products a cycle on 1,000 µm²",
    energyTitle: "pJ a product",
  });
  await expect(picture).toMatchFileSnapshot(pageFile("pictures/precision-scalable-macs.svg"));
});

import { cacti, sram } from "@dovetail/hardware";
import * as z from "zod";
import { type Comparison, type GoldenCase, judge, startComparison } from "./result.js";

// Runs of CACTI 7. Bounds and their reasons: docs/models/bounds.md.

/** Figures are printed to six digits. */
const PRINTED = 1e-6;

const rowSchema = z.object({
  bytes: z.number().positive(),
  width_bits: z.number().positive(),
  tech_nm: z.number().positive(),
  read_pJ: z.number(),
  write_pJ: z.number(),
  leak_mW: z.number(),
  area_mm2: z.number(),
});

type Row = z.infer<typeof rowSchema>;

const setSchema = z.object({ rows: z.array(rowSchema) });

const quantities = { readPj: "read_pJ", writePj: "write_pJ", leakageMw: "leak_mW", areaMm2: "area_mm2" } as const;

/** The set `cacti_executed`. */
export function compareCacti(data: unknown): GoldenCase[] {
  return setSchema.parse(data).rows.map((row) =>
    judge(`${row.bytes} bytes, ${row.width_bits} bit, ${row.tech_nm} nm`, () => {
      const comparison = startComparison();
      compareRow(row, comparison);
      return comparison.differences;
    }),
  );
}

function compareRow(row: Row, comparison: Comparison): void {
  const [below, above] = neighbours(row);
  const options = { widthBits: row.width_bits, technologyNm: row.tech_nm };
  const found = sram({ bytes: row.bytes, ...options });
  const ends = [sram({ bytes: below, ...options }), sram({ bytes: above, ...options })] as const;
  for (const [ours, theirs] of Object.entries(quantities) as [keyof typeof quantities, keyof Row][]) {
    // Between two points of the table both figures lie between the ends.
    const bound = below === above ? PRINTED : ends[1][ours] / ends[0][ours] - 1;
    comparison.expectRelative(ours, row[theirs], found[ours], bound);
  }
}

/** Capacities of the table around a row's: the same twice at one of its points. */
function neighbours({ bytes, tech_nm }: Row): [below: number, above: number] {
  const column = (name: "capacityBytes" | "technologyNm"): number =>
    cacti.columns.findIndex((each) => each.name === name);
  const capacities = cacti.rows
    .filter((row) => row[column("technologyNm")] === tech_nm)
    .map((row) => row[column("capacityBytes")]!);
  const below = Math.max(...capacities.filter((capacity) => capacity <= bytes));
  const above = Math.min(...capacities.filter((capacity) => capacity >= bytes));
  return [below, above];
}

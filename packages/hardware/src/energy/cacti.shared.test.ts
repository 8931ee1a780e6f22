import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sram } from "./sram.js";

const shared = process.env.DOVETAIL_SHARED ?? join(import.meta.dirname, "../../../../../shared");

it("the SRAM table is the executed CACTI runs, row for row", () => {
  const golden = JSON.parse(readFileSync(join(shared, "golden/golden-hardware.json"), "utf8"));
  const rows: Record<string, number>[] = golden.cacti_executed.rows;
  expect(rows).toHaveLength(77);
  for (const row of rows) {
    const figures = sram({ bytes: row.bytes!, widthBits: row.width_bits!, technologyNm: row.tech_nm! });
    expect(Math.abs(figures.readPj / row.read_pJ! - 1)).toBeLessThan(1e-12);
    expect(Math.abs(figures.writePj / row.write_pJ! - 1)).toBeLessThan(1e-12);
    expect(Math.abs(figures.areaMm2 / row.area_mm2! - 1)).toBeLessThan(1e-12);
    expect(Math.abs(figures.leakageMw / row.leak_mW! - 1)).toBeLessThan(1e-12);
  }
});

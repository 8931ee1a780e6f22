import { describe, expect, it } from "vitest";
import { dram } from "./dram.js";
import { multiplyAccumulate } from "./multiply-accumulate.js";
import { scaleTechnology } from "./scale-technology.js";
import { sram } from "./sram.js";
import { cacti } from "./tables/cacti.js";

describe("SRAM figures", () => {
  it("are CACTI's at every one of its 77 points", () => {
    expect(cacti.rows).toHaveLength(77);
    for (const [bytes, widthBits, technologyNm, readPj, writePj, leakageMw, areaMm2] of cacti.rows) {
      const figures = sram({ bytes: bytes!, widthBits: widthBits!, technologyNm: technologyNm! });
      expect(figures).toMatchObject({ readPj, writePj, leakageMw, areaMm2 });
    }
  });

  // KB, bits, nm, read pJ, write pJ, area mm²: as printed in the study's table.
  it.each([
    [1, 32, 45, 1.32, 2.07, undefined],
    [8, 64, 45, 6.14, 7.88, 0.0263],
    [128, 64, 45, 32.29, 26.07, 0.4296],
    [512, 128, 45, 100.19, 87.75, undefined],
    [1024, 256, 45, 251.86, 245.29, undefined],
    [16, 64, 65, 20.98, 20.11, undefined],
    [128, 64, 32, 18.16, 14.11, undefined],
    [256, 64, 22, 11.86, 8.82, undefined],
  ])("%d KB, %d bit, %d nm agree with the printed table", (kilobytes, widthBits, technologyNm, read, write, area) => {
    const figures = sram({ bytes: kilobytes * 1024, widthBits, technologyNm });
    expect(figures.readPj).toBeCloseTo(read, 2);
    expect(figures.writePj).toBeCloseTo(write, 2);
    if (area !== undefined) expect(figures.areaMm2).toBeCloseTo(area, 4);
  });
});

describe("the line between two points of the SRAM table", () => {
  it("misses a point that was left out by less than its neighbours differ, and by 24 % at most", () => {
    const series = new Map<string, (readonly number[])[]>();
    for (const row of cacti.rows) {
      const key = `${row[1]} bit, ${row[2]} nm`;
      series.set(key, [...(series.get(key) ?? []), row]);
    }
    let largest = 0;
    for (const rows of series.values()) {
      for (let index = 1; index < rows.length - 1; index++) {
        const [below, left, above] = [rows[index - 1]!, rows[index]!, rows[index + 1]!];
        // Read and write energy, leakage, area; capacities double, so that the line's middle is the geometric mean.
        for (const column of [3, 4, 5, 6]) {
          const miss = Math.abs(Math.sqrt(below[column]! * above[column]!) / left[column]! - 1);
          expect(miss).toBeLessThanOrEqual(above[column]! / below[column]! - 1);
          largest = Math.max(largest, miss);
        }
      }
    }
    expect(largest).toBeCloseTo(0.2385, 4);
  });
});

describe("other published figures", () => {
  it("an 8×8 multiply-accumulate takes 0.298 pJ and 687.6 µm²", () => {
    const unit = multiplyAccumulate({ weightBitWidth: 8, activationBitWidth: 8, technologyNm: 45 });
    expect(unit).toMatchObject({ energyPj: 0.298, areaUm2: 687.6, unitBitWidth: 8 });
  });

  it("a 64-bit LPDDR4 word takes 512 pJ", () => {
    expect(64 * dram({ kind: "LPDDR4" }).energyPjPerBit).toBe(512);
  });

  it("scaling from 45 nm at 0.9 V gives the worked examples", () => {
    expect(scaleTechnology({ quantity: "energy", fromNm: 45, toNm: 16 }).factor).toBeCloseTo(0.187, 3);
    expect(scaleTechnology({ quantity: "energy", fromNm: 45, toNm: 7 }).factor).toBeCloseTo(0.102, 3);
    expect(scaleTechnology({ quantity: "area", fromNm: 45, toNm: 16 }).factor).toBe(0.19);
  });
});

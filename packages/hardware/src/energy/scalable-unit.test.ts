import { describe, expect, it } from "vitest";
import { bankedMemory } from "./memory-bank.js";
import { registerFile } from "./register-file.js";
import { scalableUnit, scalableUnitAreaUm2, shiftAddUnit } from "./scalable-unit.js";
import { sram } from "./sram.js";
import { unitAreaRatio } from "./unit-area-ratio.js";

const energy = (kind: "fixed" | "serial" | "tiledSerial" | "composable", bits: number): number =>
  scalableUnit({ kind, weightBitWidth: bits, activationBitWidth: bits, technologyNm: 45 }).energyPj;

describe("precision-scalable units", () => {
  it("are anchored at the fixed 8×8 unit", () => {
    expect(energy("fixed", 8)).toBeCloseTo(0.298, 12);
  });

  it.each([
    // rtl.md section 4.3, energies of the composable over the tiled unit: 1.44 at 8 bit, 1.53 at 4 bit.
    ["composable", "tiledSerial", 8, 1.435],
    ["composable", "tiledSerial", 4, 1.534],
    ["composable", "tiledSerial", 2, 0.825],
    ["serial", "tiledSerial", 4, 1.423],
  ] as const)("%s over %s at %d bit", (a, b, bits, ratio) => {
    expect(energy(a, bits) / energy(b, bits)).toBeCloseTo(ratio, 3);
  });

  it("charge unequal widths as the wider pair, and a width that is not in the table as the next", () => {
    const mixed = scalableUnit({ kind: "composable", weightBitWidth: 3, activationBitWidth: 8, technologyNm: 45 });
    expect(mixed.energyPj).toBe(energy("composable", 8));
    expect(energy("serial", 7)).toBe(energy("serial", 8));
  });

  it("have no figures above 8 bit, and none at other nodes", () => {
    expect(() => energy("serial", 16)).toThrow("no figures of a serial unit for these operands: expected 1 to 8 bit");
    expect(() => energy("serial", 0)).toThrow("received 0 × 0 bit");
    expect(() => scalableUnit({ kind: "fixed", weightBitWidth: 8, activationBitWidth: 8, technologyNm: 28 })).toThrow(
      "expected 45 nm, received 28 nm",
    );
  });

  it("share an accumulator, or have each its own", () => {
    const shared = (kind: "serial" | "composable", sharingUnits: number) =>
      scalableUnit({ kind, weightBitWidth: 8, activationBitWidth: 8, technologyNm: 45, sharingUnits });
    // rtl.md section 4.5: 8,436 fJ of a lone serial unit over 1,497 of the fixed one.
    expect(shared("serial", 1).energyPj / 0.298).toBeCloseTo(8436 / 1497, 12);
    expect(shared("serial", 1).areaUm2 / shared("serial", 16).areaUm2).toBeCloseTo(573 / 101, 12);
    expect(scalableUnitAreaUm2({ kind: "tiledSerial", sharingUnits: 4 })).toBe(443);
    expect(() => shared("composable", 4)).toThrow("expected 1 or 16, received 4");
    expect(() => scalableUnitAreaUm2({ kind: "serial", sharingUnits: 2 })).toThrow("expected 1 or 4 or 16");
  });

  it("above 8 bit are Bit Fusion's cells where it has them, and refused where it has not", () => {
    const wide = (kind: "fixed" | "composable" | "tiledSerial", bits: number, unitBits?: number) =>
      scalableUnit({ kind, weightBitWidth: bits, activationBitWidth: bits, technologyNm: 45, unitBits });
    expect(wide("fixed", 12)).toMatchObject({ energyPj: 0.947, areaUm2: 2203.2 });
    expect(wide("composable", 16, 16)).toMatchObject({ energyPj: 2.33, areaUm2: 7492.4 });
    expect(() => wide("composable", 16)).toThrow("no figures of a composable unit");
    expect(() => wide("composable", 8, 16)).toThrow("9 to 16 bit");
    expect(() => wide("tiledSerial", 9)).toThrow("no figures of a tiledSerial unit");
    expect(() => wide("fixed", 17)).toThrow("1 to 16 bit");
  });

  it("move with the anchor, and their ratios do not", () => {
    const scaled = (kind: "fixed" | "tiledSerial", bits: number, anchorScale: number) =>
      scalableUnit({ kind, weightBitWidth: bits, activationBitWidth: bits, technologyNm: 45, anchorScale }).energyPj;
    for (const scale of [0.5, 4]) {
      expect(scaled("tiledSerial", 6, scale)).toBeCloseTo(scale * energy("tiledSerial", 6), 12);
      expect(scaled("fixed", 12, scale)).toBeCloseTo(scale * energy("fixed", 12), 12);
    }
  });

  it("never take more for fewer bits", () => {
    for (const kind of ["fixed", "serial", "tiledSerial", "composable"] as const) {
      for (let bits = 3; bits <= 8; bits++) expect(energy(kind, bits)).toBeGreaterThanOrEqual(energy(kind, bits - 1));
    }
  });

  it("save 36 and 52 % as shift and add units with their accumulators", () => {
    expect(1 - shiftAddUnit({ kind: "shift", technologyNm: 45 }).energyPj / 0.298).toBeCloseTo(0.36, 2);
    expect(1 - shiftAddUnit({ kind: "add", technologyNm: 45 }).energyPj / 0.298).toBeCloseTo(0.515, 2);
    expect(() => shiftAddUnit({ kind: "add", technologyNm: 65 })).toThrow("received 65 nm");
  });
});

describe("buffers of banks", () => {
  it("cost one access of each bank side by side, of one stacked bank, and the area of all", () => {
    const bank = sram({ bytes: 16384, widthBits: 64, technologyNm: 45 });
    const buffer = bankedMemory({ bytes: 131072, widthBits: 128, technologyNm: 45, sideBySide: 2, stacked: 4 });
    expect(buffer.readPj).toBeCloseTo(2 * bank.readPj, 12);
    expect(buffer.areaMm2).toBeCloseTo(8 * bank.areaMm2, 12);
  });

  it("fall to the rule for small memories below CACTI's floor", () => {
    const file = registerFile({ words: 64, widthBits: 16, technologyNm: 45 });
    expect(bankedMemory({ bytes: 2048, widthBits: 256, technologyNm: 45, sideBySide: 16 }).writePj).toBeCloseTo(
      16 * file.writePj,
      12,
    );
  });

  it("are refused where they do not divide, and outside the tables", () => {
    expect(() => bankedMemory({ bytes: 1000, widthBits: 64, technologyNm: 45, stacked: 3 })).toThrow("whole rows");
    expect(() => bankedMemory({ bytes: 2 ** 25, widthBits: 64, technologyNm: 45 })).toThrow("no SRAM figures");
  });
});

describe("areas of lone units over the fixed one", () => {
  const ratio = (
    unit: "serial" | "composable" | "tiledSerial",
    library: "nangate45" | "sky130hd" | "asap7" | "ihpSg13g2",
  ) => unitAreaRatio({ unit, baseline: "fixed", library, timing: "tight" });

  // rtl.md section 4.2: "fusion 1.72 to 1.87, stt 0.75 to 0.89, serial 0.48 to 0.58".
  it.each([
    ["composable", 1.72, 1.87],
    ["tiledSerial", 0.75, 0.89],
    ["serial", 0.48, 0.58],
  ] as const)("%s: %d to %d in four libraries", (unit, least, most) => {
    for (const library of ["nangate45", "sky130hd", "asap7", "ihpSg13g2"] as const) {
      expect(ratio(unit, library)).toBeGreaterThan(least - 0.02);
      expect(ratio(unit, library)).toBeLessThan(most + 0.02);
    }
  });

  it("depend on Booth recoding, which one library has", () => {
    const booth = unitAreaRatio({
      unit: "composable",
      baseline: "fixedBooth",
      library: "nangate45",
      timing: "relaxed",
    });
    expect(booth).toBeCloseTo(1875 / 626, 12);
    expect(() => unitAreaRatio({ unit: "serial", baseline: "fixedBooth", library: "asap7", timing: "tight" })).toThrow(
      "fixedBooth in asap7",
    );
  });

  it("grouping saves 29 to 30 % of a tiled unit", () => {
    for (const timing of ["tight", "relaxed"] as const) {
      const of = (unit: "tiledSerial" | "tiledSerialUngrouped") =>
        unitAreaRatio({ unit, baseline: "fixed", library: "nangate45", timing });
      expect(1 - of("tiledSerial") / of("tiledSerialUngrouped")).toBeCloseTo(0.3, 1);
    }
  });
});

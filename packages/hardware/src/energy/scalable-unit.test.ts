import { describe, expect, it } from "vitest";
import { bankedMemory } from "./memory-bank.js";
import { registerFile } from "./register-file.js";
import { scalableUnit, shiftAddUnit } from "./scalable-unit.js";
import { sram } from "./sram.js";

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

import { describe, expect, it } from "vitest";
import { dram } from "./dram.js";
import { multiplyAccumulate } from "./multiply-accumulate.js";
import { registerFile } from "./register-file.js";
import { scaleTechnology } from "./scale-technology.js";
import { figure } from "./source-lookup.js";
import { sram } from "./sram.js";
import { horowitz } from "./tables/horowitz.js";

describe("figures that no table has", () => {
  it.each([
    ["a capacity above the grid", () => sram({ bytes: 2 ** 21, widthBits: 64, technologyNm: 45 }), /1024 to 1048576/],
    ["a capacity below the grid", () => sram({ bytes: 512, widthBits: 64, technologyNm: 45 }), /received 512 bytes/],
    ["a capacity that is no number", () => sram({ bytes: Number.NaN, widthBits: 64, technologyNm: 45 }), /NaN/],
    ["a width above the grid", () => sram({ bytes: 4096, widthBits: 512, technologyNm: 45 }), /32 to 256 bit/],
    ["a width that only 45 nm has", () => sram({ bytes: 4096, widthBits: 128, technologyNm: 22 }), /width of 64 bit/],
    ["a node between two", () => sram({ bytes: 4096, widthBits: 64, technologyNm: 28 }), /one of 22, 32, 45, 65 nm/],
    ["an empty register file", () => registerFile({ words: 0, widthBits: 8, technologyNm: 45 }), /at least one word/],
    [
      "operands of 33 bit",
      () => multiplyAccumulate({ weightBitWidth: 33, activationBitWidth: 8, technologyNm: 45 }),
      /1 to 32 bit/,
    ],
    [
      "partial sums of 48 bit",
      () => multiplyAccumulate({ weightBitWidth: 8, activationBitWidth: 8, partialSumBitWidth: 48, technologyNm: 45 }),
      /at most 32 bit/,
    ],
    [
      "a multiplier at 28 nm",
      () => multiplyAccumulate({ weightBitWidth: 8, activationBitWidth: 8, technologyNm: 28 }),
      /expected 45 nm/,
    ],
    ["an area factor", () => scaleTechnology({ quantity: "area", fromNm: 65, toNm: 45 }), /65 to 45 nm/],
    ["an energy factor", () => scaleTechnology({ quantity: "energy", fromNm: 45, toNm: 28 }), /received 28 nm/],
    ["a memory kind", () => dram({ kind: "LPDR4" }), /did you mean LPDDR4/],
  ])("%s is refused by name", (_, ask, message) => {
    expect(ask).toThrow(message);
  });
});

describe("figures", () => {
  it("round operands up to the next synthesised width", () => {
    const unit = multiplyAccumulate({ weightBitWidth: 3, activationBitWidth: 5, technologyNm: 45 });
    expect(unit.unitBitWidth).toBe(8);
  });

  // InstantNet's precisions above 8 bit (systems.md section 5) run on the fixed-width units of cost-model.md section 8.
  it.each([
    [4, 4, 0.12],
    [8, 8, 0.298],
    [9, 16, 0.947],
    [12, 16, 0.947],
    [16, 16, 0.947],
    [17, 32, 3.2],
    [32, 32, 3.2],
  ])("of %d bit are those of the unit of %d: %d pJ", (bits, unitBits, energyPj) => {
    const unit = multiplyAccumulate({ weightBitWidth: bits, activationBitWidth: bits, technologyNm: 45 });
    expect(unit.unitBitWidth).toBe(unitBits);
    expect(unit.energyPj).toBeCloseTo(energyPj, 12);
  });

  it("carry unit and source", () => {
    const add = figure(horowitz, "integerAdd32Energy");
    expect(add).toMatchObject({ value: 0.1, unit: "pJ" });
    expect(add.source.citation).toMatch(/Horowitz/);
    expect(registerFile({ words: 12, widthBits: 8, technologyNm: 45 }).source.citation).toMatch(
      /CACTI.*Accelergy.*Aladdin/,
    );
  });

  it("of a register file follow Accelergy's rule from the smallest SRAM", () => {
    const file = registerFile({ words: 64, widthBits: 8, technologyNm: 45 });
    expect(file.readPj).toBeCloseTo(1.32252 * (0.7 / 4 + 0.3) * (64 / 256) ** 0.78, 3);
    expect(file.areaMm2).toBeCloseTo(64 * 8 * 5.98e-6 * (45 / 40) ** 2, 12);
  });

  it("exist for all that an Eyeriss-like accelerator at 45 nm is built of", () => {
    for (const widthBits of [64, 128]) {
      for (let kilobytes = 8; kilobytes <= 512; kilobytes *= 2) {
        expect(sram({ bytes: kilobytes * 1024, widthBits, technologyNm: 45 }).readPj).toBeGreaterThan(0);
      }
    }
    for (const words of [12, 16, 24, 48, 96, 192, 224, 384, 512]) {
      for (const widthBits of [8, 16, 24, 32]) {
        expect(registerFile({ words, widthBits, technologyNm: 45 }).readPj).toBeGreaterThan(0);
      }
    }
  });
});

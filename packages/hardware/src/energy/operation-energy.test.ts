import { describe, expect, it } from "vitest";
import { type ArithmeticKind, type OperationTable, operationEnergy } from "./operation-energy.js";

const at = (operation: ArithmeticKind, bitWidth: number, table: OperationTable, format?: "float") =>
  operationEnergy({ operation, bitWidth, table, format }).energyPj;

describe("energy of a multiplication, a shift and an addition of |x - w|, each accumulated", () => {
  // systems.md section 3: operators of ShiftAddNet; each point has a second operator, the accumulating addition.
  it.each([
    ["operators45", 8, undefined, 0.2 + 0.03, 0.024 + 0.03, 0.03 + 0.03],
    ["operators45", 32, "float", 3.7 + 0.9, 0.13 + 0.9, 0.9 + 0.9],
    ["operatorsZc706", 32, "float", 18.8 + 0.4, 0.1 + 0.4, 0.4 + 0.4],
    ["operatorsZc706", 32, undefined, 19.6 + 0.1, 0.1 + 0.1, 0.1 + 0.1],
    ["operatorsZc706", 8, undefined, 0.2 + 0.1, 0.025 + 0.1, 0.1 + 0.1],
  ] as const)("%s, %i bit, %s", (table, bits, format, multiply, shift, add) => {
    expect(at("multiply", bits, table, format)).toBeCloseTo(multiply, 12);
    expect(at("shift", bits, table, format)).toBeCloseTo(shift, 12);
    expect(at("add", bits, table, format)).toBeCloseTo(add, 12);
  });

  it("of whole units is 0.64 and 0.48 of a multiplier's (rtl.md section 4.6)", () => {
    const [multiply, shift, add] = (["multiply", "shift", "add"] as const).map((kind) => at(kind, 8, "synthesised45"));
    expect(multiply).toBeCloseTo(0.298, 12);
    expect(shift! / multiply!).toBeCloseTo(0.64, 2);
    expect(add! / multiply!).toBeCloseTo(0.485, 2);
  });

  it("of a width between takes the next wider figure", () => {
    expect(at("shift", 5, "operators45")).toBe(at("shift", 8, "operators45"));
    expect(at("add", 12, "operators45")).toBeCloseTo(0.1, 12);
    expect(at("shift", 16, "operatorsZc706")).toBe(at("shift", 32, "operatorsZc706"));
  });

  it("is not invented", () => {
    expect(() => at("shift", 16, "synthesised45")).toThrow(/expected 1 to 8 bit, received shift, 16 bit, integer/);
    expect(() => at("multiply", 16, "operators45", "float")).toThrow(
      /expected 32 bit, received multiply, 16 bit, float/,
    );
    expect(() => at("add", 64, "operatorsZc706")).toThrow(/expected 1 to 32 bit/);
    expect(() => at("add", 0, "operators45")).toThrow(/no energy of this operation/);
  });
});

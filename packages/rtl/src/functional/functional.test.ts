import { type UnitRule, unitPace } from "@dovetail/hardware";
import { describe, expect, it } from "vitest";
import { createFixedUnit } from "./fixed.js";
import { createFusionUnit } from "./fusion.js";
import { type MacUnit, multiply } from "./mac-unit.js";
import { createUnit, measurePace, throughputTable, unitNames } from "./pace.js";
import { createSerialUnit } from "./serial.js";
import { createTiledUnit } from "./tiled.js";

const widths = Array.from({ length: 15 }, (_, index) => index + 2);

describe("products a cycle, counted on the units", () => {
  const table = throughputTable();

  // seeds-hardware.md section 5.4, columns 2, 3, 4, 5, 6, 7, 8, 12, 16 bit.
  const columns = [2, 3, 4, 5, 6, 7, 8, 12, 16];
  it.each([
    ["fusion", [16, 4, 4, 1, 1, 1, 1, 1 / 4, 1 / 4]],
    ["serial", columns.map((bits) => 1 / bits)],
    ["doublySerial", columns.map((bits) => 1 / bits ** 2)],
    ["tiled", [2, 4 / 3, 1, 1 / 3, 1 / 3, 1 / 4, 1 / 4, 1 / 12, 1 / 16]],
    ["fixed", [1, 1, 1, 1, 1, 1, 1, 1 / 4, 1 / 4]],
  ] as const)("%s: the published table", (name, expected) => {
    expect(table.map(({ bits }) => bits)).toEqual(widths);
    for (const [index, bits] of columns.entries()) {
      expect(table.find((row) => row.bits === bits)!.productsPerCycle[name]).toBeCloseTo(expected[index]!, 12);
    }
  });

  const rules: readonly (readonly [string, UnitRule, MacUnit])[] = [
    ["fixed", { kind: "fixed", widestBits: 8 }, createUnit("fixed")],
    ["serial inputs", { kind: "serial", serialOperand: "inputs", widestBits: 16 }, createUnit("serial")],
    [
      "serial weights, 8 bit in parallel",
      { kind: "serial", serialOperand: "weights", widestBits: 8 },
      createSerialUnit({ serialOperand: "weights", parallelBits: 8 }),
    ],
    ["doubly serial", { kind: "serialBoth" }, createUnit("doublySerial")],
    ["fusion", { kind: "composable", widestBits: 8, narrowestBits: 2 }, createUnit("fusion")],
    ["tiled", { kind: "tiledSerial" }, createUnit("tiled")],
    ["tiled, not grouped", { kind: "tiledSerial" }, createTiledUnit({ isGrouped: false })],
    ["tiled, sixteen together", { kind: "tiledSerial" }, createTiledUnit({ units: 16 })],
  ];
  it.each(rules)("%s: the closed form of the cost model at every pair of widths", (_, rule, unit) => {
    for (const weightBits of widths) {
      for (const inputBits of widths) {
        const counted = measurePace(unit, { weightBits, inputBits });
        const closed = unitPace(rule, weightBits, inputBits);
        expect([weightBits, inputBits, counted]).toEqual([weightBits, inputBits, closed]);
      }
    }
  });
});

describe("every product", () => {
  const units: readonly (readonly [string, MacUnit])[] = [
    ...unitNames.map((name) => [name, createUnit(name)] as const),
    ["serial weights, 3 bit in parallel", createSerialUnit({ serialOperand: "weights", parallelBits: 3 })],
    ["fixed, 3 bit", createFixedUnit({ widthBits: 3 })],
    ["tiled, not grouped", createTiledUnit({ isGrouped: false })],
    ["four tiled ones together", createTiledUnit({ units: 4 })],
    ["two fusion units together", createFusionUnit({ units: 2 })],
  ];

  it.each(units)("of two operands of 2 to 5 bit: %s", (_, unit) => {
    for (let weightBits = 2; weightBits <= 5; weightBits++) {
      for (let inputBits = 2; inputBits <= 5; inputBits++) exhaust(unit, weightBits, inputBits);
    }
  });

  it.each(units.slice(0, 5))("of 8 × 8 bit: %s", (_, unit) => exhaust(unit, 8, 8));

  /** All pairs of values, each in every place where products start together, zeros in the others. */
  function exhaust(unit: MacUnit, weightBits: number, inputBits: number): void {
    const count = unit.productsAt({ weightBits, inputBits });
    const weights = new Array<number>(count).fill(0);
    const inputs = new Array<number>(count).fill(0);
    const wrong: object[] = [];
    let place = 0;
    for (let weight = -(2 ** (weightBits - 1)); weight < 2 ** (weightBits - 1); weight++) {
      for (let input = -(2 ** (inputBits - 1)); input < 2 ** (inputBits - 1); input++) {
        // What stood there before goes, or the next place would be summed with it.
        weights[place] = 0;
        place = (place + 1) % count;
        weights[place] = weight;
        inputs[place] = input;
        unit.clear();
        multiply(unit, { weightBits, inputBits, weights, inputs });
        if (unit.accumulator !== weight * input) wrong.push({ weight, input, place, found: unit.accumulator });
      }
    }
    expect([weightBits, inputBits, wrong]).toEqual([weightBits, inputBits, []]);
  }
});

describe("a unit", () => {
  it("accumulates, wraps at its accumulator's width, and is cleared", () => {
    const unit = createFixedUnit({ accumulatorBits: 16 });
    const product = { weightBits: 8, inputBits: 8, weights: [-128], inputs: [-128] };
    multiply(unit, product);
    expect(unit.accumulator).toBe(16384);
    multiply(unit, product);
    expect(unit.accumulator).toBe(-32768);
    unit.clear();
    expect(unit.accumulator).toBe(0);
  });

  it("shows the sum only when it is ready, and a clock more changes nothing", () => {
    const unit = createTiledUnit();
    unit.start({ weightBits: 8, inputBits: 8, weights: [3], inputs: [-5] });
    for (let cycle = 0; cycle < 3; cycle++) {
      unit.clock();
      expect(unit.isReady).toBe(false);
      expect(unit.accumulator).toBe(0);
    }
    unit.clock();
    expect(unit.isReady).toBe(true);
    unit.clock();
    expect(unit.accumulator).toBe(-15);
  });

  it("refuses what it cannot multiply", () => {
    const unit = createUnit("fusion");
    const good = { weightBits: 4, inputBits: 4, weights: [1, 2, 3, 4], inputs: [1, 2, 3, 4] };
    expect(() => unit.start({ ...good, weightBits: 17 })).toThrow("weightBits: no width that the units multiply");
    expect(() => unit.start({ ...good, inputBits: 1 })).toThrow("received 1 bit");
    expect(() => unit.start({ ...good, weights: [1] })).toThrow("weights: not as many operands as start together");
    expect(() => unit.start({ ...good, inputs: [1, 2, 8, 4] })).toThrow("expected -8 to 7, received 8");
    expect(() => createTiledUnit({ units: 0 })).toThrow("units: no size of a unit: expected 1 to 65536, received 0");
    expect(() => createFixedUnit({ accumulatorBits: 64 })).toThrow("accumulatorBits: no size of a unit");
    unit.start(good);
    expect(() => unit.start(good)).toThrow("the unit still computes");
    unit.clock();
    expect(unit.accumulator).toBe(30);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systolicCost } from "./cost.js";
import type { SystolicDataflow } from "./dataflow.js";
import { systolicMacs } from "./layer.js";

const dataflows: SystolicDataflow[] = ["weightStationary", "inputStationary", "outputStationary"];
const extent = fc.integer({ min: 1, max: 40 });
const layers = fc.record({
  name: fc.constant("layer"),
  rows: extent,
  inner: extent,
  columns: extent,
  products: fc.integer({ min: 1, max: 4 }),
});
const arrays = fc.record({
  rows: fc.integer({ min: 1, max: 12 }),
  columns: fc.integer({ min: 1, max: 12 }),
  dataflow: fc.constantFrom(...dataflows),
});

interface Tally {
  inputReads: number;
  weightReads: number;
  outputWrites: number;
  cycles: number;
}

/**
 * One fold, word by word: words enter at the array's edges, skewed by one cycle a row or column, and each unit works when
 * both of its words are there. Written from how such an array works, not from the closed forms.
 */
function walkFold(dataflow: SystolicDataflow, used: Size, temporal: number, array: Size): Tally {
  const isOutputStationary = dataflow === "outputStationary";
  const entered = { alongRows: new Set<string>(), alongColumns: new Set<string>(), loaded: new Set<string>() };
  const left = new Set<string>();
  let lastCycle = 0;
  // Loading shifts words down through all rows, also those that stay empty.
  const start = isOutputStationary ? 0 : array.rows;
  for (let row = 0; row < array.rows; row++) {
    for (let column = 0; column < array.columns; column++) {
      const isUsed = row < used.rows && column < used.columns;
      for (let word = 0; word < temporal; word++) {
        lastCycle = Math.max(lastCycle, start + word + row + column);
        if (!isUsed) continue;
        entered.alongRows.add(`${row},${word}`);
        if (isOutputStationary) entered.alongColumns.add(`${column},${word}`);
        left.add(isOutputStationary ? `${row},${column}` : `${column},${word}`);
      }
      if (isUsed && !isOutputStationary) entered.loaded.add(`${row},${column}`);
    }
  }
  const stationary = entered.loaded.size;
  const streamed = entered.alongRows.size;
  return {
    inputReads: dataflow === "inputStationary" ? stationary : streamed,
    weightReads: isOutputStationary
      ? entered.alongColumns.size
      : dataflow === "inputStationary"
        ? streamed
        : stationary,
    outputWrites: left.size,
    cycles: lastCycle + 1,
  };
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

function chunks(extentOf: number, size: number): number[] {
  const whole = Array.from({ length: Math.floor(extentOf / size) }, () => size);
  return extentOf % size === 0 ? whole : [...whole, extentOf % size];
}

describe("systolic costs", () => {
  it("are those of a walk over all folds", () => {
    fc.assert(
      fc.property(layers, arrays, (layer, array) => {
        const cost = systolicCost(layer, array);
        const total = { inputReads: 0, weightReads: 0, outputWrites: 0, cycles: 0 };
        for (let product = 0; product < layer.products; product++) {
          for (const rows of chunks(cost.spatialRows, array.rows)) {
            for (const columns of chunks(cost.spatialColumns, array.columns)) {
              const fold = walkFold(array.dataflow, { rows, columns }, cost.temporal, array);
              total.inputReads += fold.inputReads;
              total.weightReads += fold.weightReads;
              total.outputWrites += fold.outputWrites;
              total.cycles += fold.cycles;
            }
          }
        }
        const { cycles, ...accesses } = total;
        expect(cost.buffers).toEqual(accesses);
        expect(cost.latencyCycles).toBe(cycles - layer.products);
      }),
    );
  });

  it("use no more units than there are, and never more when the array grows in one fold", () => {
    fc.assert(
      fc.property(layers, arrays, (layer, array) => {
        const cost = systolicCost(layer, array);
        for (const share of [cost.utilization, cost.computeUtilization, cost.mappingEfficiency]) {
          expect(share).toBeGreaterThan(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        expect(cost.macs).toBe(systolicMacs(layer));
        expect((cost.latencyCycles + layer.products) * array.rows * array.columns).toBeGreaterThanOrEqual(cost.macs);
      }),
    );
  });

  it("read every operand, and write every result, at least once", () => {
    fc.assert(
      fc.property(layers, arrays, (layer, array) => {
        const { buffers } = systolicCost(layer, array);
        const { rows, inner, columns, products } = layer;
        expect(buffers.inputReads).toBeGreaterThanOrEqual(rows * inner * products);
        expect(buffers.weightReads).toBeGreaterThanOrEqual(inner * columns * products);
        expect(buffers.outputWrites).toBeGreaterThanOrEqual(rows * columns * products);
      }),
    );
  });

  it("output stationary swaps its counts when the product is transposed", () => {
    fc.assert(
      fc.property(layers, arrays, (layer, { rows, columns }) => {
        const straight = systolicCost(layer, { rows, columns, dataflow: "outputStationary" });
        const transposed = systolicCost(
          { ...layer, rows: layer.columns, columns: layer.rows },
          { rows: columns, columns: rows, dataflow: "outputStationary" },
        );
        expect(transposed.latencyCycles).toBe(straight.latencyCycles);
        expect(transposed.buffers.inputReads).toBe(straight.buffers.weightReads);
        expect(transposed.buffers.weightReads).toBe(straight.buffers.inputReads);
      }),
    );
  });
});

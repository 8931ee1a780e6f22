import { createRandomStream } from "@dovetail/core";
import { eyerissLike, fpgaBoards, macCount } from "@dovetail/hardware";
import { describe, expect, it } from "vitest";
import { cellCosts } from "../query/query.js";
import { cellMacs } from "../spaces/cell-network.js";
import { fbnetMacs } from "../spaces/fbnet-network.js";
import { fbnetTotal } from "../tables/fbnet-benchmark.js";
import { bundledBenchmark } from "../testing/bundled.js";
import { blameOperators, fittedCellPrices } from "./blame.js";
import { type CostModel, fpgaModel, mappedModel, rowStationaryModel } from "./cost-model.js";
import { cellCostsOf, modelledCellPrices, modelledFbnetSum } from "./modelled-costs.js";

const { cells, fbnet } = await bundledBenchmark();
const eyeriss = cellCosts(cells, "cifar10", "eyeriss_latency");
const fpga = cellCosts(cells, "cifar10", "fpga_latency");

/** Charges multiply-accumulates. */
const macs: CostModel = { name: "macs", price: (problem) => ({ latencyMs: macCount(problem), energyMj: Number.NaN }) };

describe("layers", () => {
  it("of both spaces are those of the networks: their multiply-accumulates agree", () => {
    for (const dataset of ["cifar10", "ImageNet16-120"] as const) {
      const costs = cellCostsOf(cells, modelledCellPrices(macs, dataset, { pooling: "free" }));
      for (let index = 0; index < costs.length; index += 97) {
        expect(costs[index]).toBe(cellMacs(cells.codes[index]!, dataset));
      }
    }
    for (const dataset of ["cifar100", "ImageNet"] as const) {
      const sum = modelledFbnetSum(macs, dataset, { pooling: "free" });
      for (const sample of [0, 1234]) {
        const operators = [...fbnet.samples!.operators.subarray(sample * 22, sample * 22 + 22)];
        expect(fbnetTotal(sum, operators)).toBe(fbnetMacs(operators, dataset));
      }
    }
  });

  it("charge pooling as asked: 15 pools of 16 × 32 × 32 words, or as many", () => {
    const pool = (pooling: "free" | "moved" | "depthwise" | "convolution"): number =>
      modelledCellPrices(macs, "cifar10", { pooling }).operators.avg_pool_3x3;
    const words = [16 * 32 * 32, 32 * 16 * 16, 64 * 8 * 8].reduce((a, b) => a + b);
    expect(pool("free")).toBe(0);
    expect(pool("moved")).toBe(5 * words);
    expect(pool("depthwise")).toBe(5 * 9 * words);
    expect(pool("convolution")).toBe(15 * 9 * 16 * 16 * 32 * 32);
  });
});

describe("ranking of all 15,625 networks", () => {
  it("published constants rank as the published latencies do", () => {
    const prices = modelledCellPrices(rowStationaryModel(), "cifar10", { pooling: "convolution" });
    expect(prices.operators.nor_conv_1x1).toBeCloseTo(0.24576, 12);
    expect(prices.operators.nor_conv_3x3).toBeCloseTo(1.47456, 12);
    expect(prices.operators.avg_pool_3x3).toBeCloseTo(1.47456, 12);
    expect(blameOperators(cells, prices, eyeriss).kendall).toBe(1);
  });

  it("the Eyeriss-like accelerator does too where pooling costs as a convolution, and not where it is honest", () => {
    const model = mappedModel(eyerissLike(), { random: createRandomStream(0) });
    const charged = modelledCellPrices(model, "cifar10", { pooling: "convolution" });
    expect(blameOperators(cells, charged, eyeriss).kendall).toBeGreaterThanOrEqual(0.9);
    const honest = blameOperators(cells, modelledCellPrices(model, "cifar10", { pooling: "free" }), eyeriss);
    expect(honest.kendall).toBeLessThan(0.5);
    const worst = [...honest.operators].sort((a, b) => b.kendallIfPublished - a.kendallIfPublished)[0]!;
    expect(worst.operator).toBe("avg_pool_3x3");
    expect(worst.kendallIfPublished).toBeGreaterThanOrEqual(0.9);
  });

  it("the FPGA pipeline does where pooling costs what its words take to move", () => {
    const model = fpgaModel(fpgaBoards.ZC706);
    const prices = modelledCellPrices(model, "cifar10", { pooling: "moved" });
    expect(blameOperators(cells, prices, fpga).kendall).toBeGreaterThanOrEqual(0.85);
  });
});

it("fits the prices of sums exactly", () => {
  const { fixed, operators } = fittedCellPrices(cells, eyeriss);
  expect(fixed).toBeCloseTo(1.67954, 9);
  expect(operators.nor_conv_1x1).toBeCloseTo(0.24576, 9);
  expect(operators.avg_pool_3x3).toBeCloseTo(1.47456, 9);
  expect(operators.skip_connect).toBeCloseTo(0, 9);
});

it("refuses what it cannot price", () => {
  const { clockMhz: _, ...without } = eyerissLike();
  expect(() => mappedModel(without, { random: createRandomStream(0) })).toThrow("clockMhz");
  const model = fpgaModel({ ...fpgaBoards.ZC706, dsp: 0 });
  expect(() => modelledCellPrices(model, "cifar10", { pooling: "free" })).toThrow("cannot run a layer");
});

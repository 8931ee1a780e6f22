import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { publishedNetwork } from "../workload/published-networks.js";
import { allocateForLatency } from "./allocate.js";
import { fpgaBoards } from "./board.js";
import { fpgaTemplate } from "./corrected-template.js";
import { fpgaLayerOf } from "./from-problem.js";
import type { FrontPoint } from "./front.js";
import { createFpgaSolver } from "./solve.js";
import { outputSize } from "./template.js";

const board = fpgaBoards.ZC706;
const template = fpgaTemplate({ board });

describe("layers in a pipeline, or one after another on all of the device", () => {
  it.each(["ResNet-18", "VGG-19"] as const)(
    "%s: other designs for the pace of images than for the latency of one",
    (name) => {
      const layers = publishedNetwork(name, { bits: 8 }).map((problem) => fpgaLayerOf(problem.name, problem));
      const solver = createFpgaSolver(template);
      const [pace, latency] = [solver.solve(layers, board), solver.solve(layers, board, "latency")];
      if (!pace.feasible || !latency.feasible) throw new Error("does not fit");
      expect(pace.chunks).toHaveLength(2);
      expect(pace.framesPerSecond).toBeGreaterThan(latency.framesPerSecond);
      expect(latency.imageLatencySeconds).toBeLessThan(pace.imageLatencySeconds);
      for (const splitSize of new Set(layers.map(outputSize))) {
        const forced = createFpgaSolver({ ...template, splitSize });
        for (const objective of ["throughput", "latency"] as const) {
          const other = forced.solve(layers, board, objective);
          if (!other.feasible) continue;
          expect(other.framesPerSecond).toBeLessThanOrEqual(pace.framesPerSecond);
          expect(other.imageLatencySeconds).toBeGreaterThanOrEqual(latency.imageLatencySeconds);
        }
      }
    },
  );

  it("take the fewest cycles that any choice of designs within the limits takes", () => {
    const point = fc.record({
      cycles: fc.integer({ min: 1, max: 50 }),
      dsp: fc.integer({ min: 1, max: 9 }),
      bram: fc.integer({ min: 1, max: 9 }),
      designIndex: fc.constant(0),
    });
    const fronts = fc.array(fc.array(point, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 });
    const limits = { dsp: 16, bram: 16 };
    fc.assert(
      fc.property(fronts, (choices) => {
        let least = Number.POSITIVE_INFINITY;
        const visit = (index: number, chosen: readonly FrontPoint[]): void => {
          if (index === choices.length) {
            const sum = (of: "cycles" | "dsp" | "bram"): number => chosen.reduce((total, each) => total + each[of], 0);
            if (sum("dsp") <= limits.dsp && sum("bram") <= limits.bram) least = Math.min(least, sum("cycles"));
            return;
          }
          for (const each of choices[index]!) visit(index + 1, [...chosen, each]);
        };
        visit(0, []);
        const found = allocateForLatency(choices, limits);
        const cycles = found?.reduce((total, each) => total + each.cycles, 0) ?? Number.POSITIVE_INFINITY;
        expect(cycles).toBe(least);
      }),
    );
  });
});

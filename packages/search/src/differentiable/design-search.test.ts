import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { createDesignSearch, type DesignCost, likeliestDesign, searchDesign } from "./design-search.js";

const space = {
  parameters: [
    { name: "rows", options: 6 },
    { name: "columns", options: 6 },
    { name: "bufferBytes", options: 5 },
    { name: "registers", options: 4 },
  ],
};

/** A separable cost whose optimum is known; the second parameter is what uses the resource. */
function toyCost(design: readonly number[]): DesignCost {
  const [rows, columns, buffer, registers] = design as [number, number, number, number];
  if (buffer === 0) return { ok: false, reason: "a tile does not fit" };
  const logCost =
    0.4 * Math.abs(rows - 4) + 0.5 * (5 - columns) + 0.3 * Math.abs(buffer - 3) + 0.2 * Math.abs(registers - 1);
  return { ok: true, logCost, usage: [(columns + 1) / 4] };
}

describe("design search", () => {
  it("finds the constrained optimum of a separable space with few evaluations", async () => {
    let found = 0;
    for (let seed = 0; seed < 5; seed++) {
      const state = createDesignSearch(space, 1);
      await searchDesign(state, toyCost, { evaluations: 500 }, createRandomStream(seed));
      if (state.best && Math.abs(state.best.logCost - 1) < 1e-9) found++;
      expect(state.best!.design[1]!).toBeLessThanOrEqual(3);
    }
    expect(found).toBeGreaterThanOrEqual(4);
  });

  it("moves its logits towards the optimum", async () => {
    const state = createDesignSearch(space, 1);
    await searchDesign(state, toyCost, { evaluations: 1500 }, createRandomStream(1));
    expect(likeliestDesign(state)[0]).toBe(4);
    expect(likeliestDesign(state)[2]).toBe(3);
  });

  it("goes on from a saved state to the same bits", async () => {
    const whole = createDesignSearch(space, 1);
    await searchDesign(whole, toyCost, { evaluations: 60 }, createRandomStream(9));
    const half = createDesignSearch(space, 1);
    await searchDesign(half, toyCost, { evaluations: 25 }, createRandomStream(9));
    const restored = JSON.parse(JSON.stringify(half)) as typeof half;
    await searchDesign(restored, toyCost, { evaluations: 35 }, createRandomStream(9));
    expect(JSON.stringify(restored)).toBe(JSON.stringify(whole));
  });
});

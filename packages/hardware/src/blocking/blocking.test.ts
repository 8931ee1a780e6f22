import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BlockedLoop, type BlockingLevel, type BlockingLoop, blockingCost, blockingLoops } from "./blocking.js";

/** Loops of a level: those named, the rest absent. */
function level(accessCost: number, order: string, factors: Partial<Record<BlockingLoop, number>>): BlockingLevel {
  const loops = Object.fromEntries(
    blockingLoops.map((loop): [BlockingLoop, BlockedLoop] => {
      const position = order.indexOf(loop);
      return [loop, { temporal: factors[loop] ?? 1, spatial: 1, ...(position >= 0 && { position }) }];
    }),
  ) as Record<BlockingLoop, BlockedLoop>;
  return { accessCost, loops };
}

describe("the cost of a blocking", () => {
  it("leaves out the loops inside the innermost loop that addresses a tensor", () => {
    // Inner level: R inside, then P. Outer level: M inside, then C.
    const levels = [level(1, "RP", { R: 3, P: 4 }), level(10, "MC", { M: 5, C: 2 })];
    const { accesses, totalCost } = blockingCost(levels);
    // 12 inputs, 30 weights, 20 outputs. Inputs: R stays inside, M = 5. Weights: P = 4. Outputs: C = 2, read and written.
    expect(accesses[0]).toEqual({ inputs: 60, weights: 120, outputs: 80 });
    // Outside: inputs wait for M; P is not there any more; outputs return for each C.
    expect(accesses[1]).toEqual({ inputs: 12, weights: 30, outputs: 80 });
    expect(totalCost).toBe(60 + 120 + 80 + 10 * (12 + 30 + 80));
  });

  it("never moves more words at an outer level, and each word at least once", () => {
    const factor = fc.integer({ min: 1, max: 3 });
    const loops = fc
      .tuple(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }),
        fc.array(factor, { minLength: 7, maxLength: 7 }),
      )
      .map(
        ([order, factors]) =>
          Object.fromEntries(
            blockingLoops.map((loop, index) => [
              loop,
              { position: order[index], temporal: factors[index]!, spatial: 1 },
            ]),
          ) as Record<BlockingLoop, BlockedLoop>,
      );
    const levels = fc.array(fc.record({ accessCost: fc.constant(1), loops }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(levels, (each) => {
        const { accesses, totalCost } = blockingCost(each);
        for (const tensor of ["inputs", "weights", "outputs"] as const) {
          const words = accesses.map((count) => count[tensor]);
          expect(Math.min(...words)).toBeGreaterThanOrEqual(1);
          for (let index = 1; index < words.length; index++)
            expect(words[index]).toBeLessThanOrEqual(words[index - 1]!);
        }
        expect(totalCost).toBe(accesses.reduce((sum, a) => sum + a.inputs + a.weights + a.outputs, 0));
      }),
    );
  });

  it("refuses what makes no blocking", () => {
    expect(() => blockingCost([])).toThrow("levels: no memory level: expected at least one, received 0");
    expect(() => blockingCost([level(1, "", { M: 0 })])).toThrow("levels[0].M.temporal: not a factor");
    expect(() => blockingCost([level(-1, "", {})])).toThrow("levels[0].accessCost: not a cost");
  });
});

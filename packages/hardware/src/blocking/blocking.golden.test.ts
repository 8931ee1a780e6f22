import { expect, it } from "vitest";
import { type BlockingLevel, type BlockingLoop, blockingCost, blockingLoops } from "./blocking.js";

// Interstellar's own unit test (commit ed38e1e, cost_model_simple.py): 3 × 3 kernel, 8 × 8 outputs, 32 output and 64 input
// channels over four memories; the total is worked out by hand there.

type PerLoop<T> = Readonly<Record<BlockingLoop, T>>;

function levelOf(accessCost: number, index: number): BlockingLevel {
  const loops = Object.fromEntries(
    blockingLoops.map((loop) => {
      const position = positions[loop][index]!;
      const at = position < 6 ? { position } : {};
      return [loop, { temporal: steps[loop][index]!, spatial: copies[loop]?.[index] ?? 1, ...at }];
    }),
  ) as PerLoop<BlockingLevel["loops"][BlockingLoop]>;
  return { accessCost, loops };
}

const positions: PerLoop<readonly number[]> = {
  S: [0, 2, 1, 1],
  R: [1, 3, 2, 2],
  Q: [2, 0, 3, 3],
  P: [3, 1, 4, 4],
  M: [4, 4, 0, 5],
  C: [5, 5, 5, 0],
  N: [6, 6, 6, 6],
};
const steps: PerLoop<readonly number[]> = {
  S: [3, 1, 1, 1],
  R: [3, 1, 1, 1],
  Q: [1, 4, 1, 1],
  P: [1, 4, 1, 1],
  M: [1, 1, 32, 1],
  C: [1, 1, 1, 4],
  N: [1, 1, 1, 1],
};
const copies: Partial<PerLoop<readonly number[]>> = { Q: [1, 2, 1, 1], P: [1, 2, 1, 1], C: [1, 1, 1, 16] };

it("a blocking over four memories costs what Interstellar's authors worked out", () => {
  const { accesses, totalCost } = blockingCost([1, 6, 23, 64].map(levelOf));
  expect(accesses).toEqual([
    { inputs: 6400 * 32, weights: 18432 * 64, outputs: 2048 * 64 * 2 },
    { inputs: 6400 * 32, weights: 18432, outputs: 2048 * 64 * 2 },
    { inputs: 6400, weights: 18432, outputs: 2048 * 64 * 2 },
    { inputs: 6400, weights: 18432, outputs: 2048 * 2 },
  ]);
  expect(totalCost).toBe(13_010_688);
});

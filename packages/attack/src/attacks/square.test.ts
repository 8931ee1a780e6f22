import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { fakeOracle } from "../testing/fake-oracle.js";
import { square, squareShare, squareSide } from "./square.js";

const shape = [1, 4, 4] as const;
const sum = (image: ArrayLike<number>) => Array.from(image).reduce((total, value) => total + value, 0);

async function attack(queries: number, rightShareOf: (image: Float32Array) => number) {
  const oracle = fakeOracle(shape, (image) => ({ loss: sum(image), rightShare: rightShareOf(image) }));
  const images = new Float32Array(16).fill(0.5);
  const examples = { images, labels: new Int32Array(1), ids: new Int32Array(1) };
  const points = await square({ queries }).run({ oracle, examples, epsilon: 0.1, random: createRandomStream(4) });
  return { oracle, points };
}

describe("Square", () => {
  it("keeps a window where it raises the loss, else goes back", async () => {
    const { oracle, points } = await attack(60, () => 1);
    let best = oracle.asked[0]!;
    for (const [iteration, proposed] of oracle.asked.slice(1).entries()) {
      const changed = Array.from(proposed).flatMap((value, index) => (value === best[index] ? [] : [index]));
      expect(changed.length).toBeLessThanOrEqual(squareSide(squareShare(iteration), 4, 4) ** 2);
      if (sum(proposed) > sum(best)) best = proposed;
    }
    expect(points).toEqual(best);
    // The sum is largest where all values are.
    expect(sum(points)).toBeGreaterThan(sum(oracle.asked[0]!));
  });

  it("takes a point at which the defence is right less often, whatever the loss", async () => {
    const first = (image: Float32Array) => (image[0]! < 0.45 ? 0.25 : 1);
    const { points } = await attack(60, first);
    expect(points[0]).toBeLessThan(0.45);
  });

  it("asks no more when the defence is never right", async () => {
    const { oracle } = await attack(60, (image) => (image[15]! < 0.45 ? 0 : 1));
    const last = oracle.asked.at(-1)!;
    expect(oracle.asked.length).toBeLessThan(61);
    expect(last[15]).toBeLessThan(0.45);
    for (const before of oracle.asked.slice(0, -1)) expect(before[15]).toBeGreaterThan(0.45);
  });

  it("starts with columns of one sign and reaches every pixel", async () => {
    const { oracle } = await attack(300, () => 1);
    const [start] = oracle.asked;
    for (let column = 0; column < 4; column++) {
      expect(new Set([0, 1, 2, 3].map((line) => start![4 * line + column])).size).toBe(1);
    }
    for (let place = 0; place < 16; place++) {
      expect(new Set(oracle.asked.map((points) => points[place])).size).toBeGreaterThan(1);
    }
  });

  it("has windows of at least one pixel and at most the image", () => {
    expect(squareSide(squareShare(0), 32, 32)).toBe(29);
    expect(squareSide(squareShare(9000), 8, 8)).toBe(1);
    expect(squareSide(0.9, 2, 40)).toBe(2);
  });
});

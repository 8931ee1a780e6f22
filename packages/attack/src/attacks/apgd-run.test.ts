import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { crossEntropyLoss } from "../losses/losses.js";
import { allRows } from "../model/oracle.js";
import { fakeOracle } from "../testing/fake-oracle.js";
import { apgdCheckpoints, apgdRun } from "./apgd-run.js";

const epsilon = 0.25;
const original = 0.5;

/** The first value of each point of a run on one image, the start first. The gradient's sign changes at each question. */
async function placesOf(lossAt: (question: number) => number, steps = 100): Promise<readonly number[]> {
  const oracle = fakeOracle([1, 2, 2], (_, __, question) => ({
    loss: lossAt(question),
    rightShare: 1,
    gradient: new Array<number>(4).fill(signAt(question)),
  }));
  const images = new Float32Array(4).fill(original);
  await apgdRun(
    {
      oracle,
      examples: { images, labels: new Int32Array(1), ids: new Int32Array(1) },
      epsilon,
      random: createRandomStream(0),
    },
    {
      loss: crossEntropyLoss,
      steps,
      start: images.slice(),
      rows: allRows(1),
      stopWhenWrong: true,
      cleanShares: new Float64Array([1]),
    },
  );
  return oracle.asked.map((points) => points[0]!);
}

const signAt = (question: number): number => (question % 2 === 0 ? 1 : -1);

describe("Auto-PGD", () => {
  it.each([
    [100, [22, 41, 57, 70, 80, 87, 93, 99]],
    [50, [11, 21, 30, 38, 45]],
    [20, [4, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]],
  ])("looks at its step sizes after these of %d steps", (steps, expected) => {
    expect(apgdCheckpoints(steps).slice(0, expected.length)).toEqual(expected);
  });

  it("halves its step size at all eight checkpoints of a constant loss, and goes back to the start", async () => {
    const places = await placesOf(() => 1);
    expect(places.length).toBe(101);
    for (const [index, checkpoint] of apgdCheckpoints(100).entries()) {
      // From the start, the best point, 0.75 of a step size along its gradient and 0.25 of the way that it jumped.
      const jump = original - places[checkpoint - 1]!;
      const stepSize = (places[checkpoint + 1]! - original - 0.25 * jump) / 0.75;
      expect(stepSize).toBeCloseTo((2 * epsilon) / 2 ** (index + 1), 6);
    }
  });

  it("keeps its step size while the loss rises", async () => {
    const places = await placesOf((question) => question);
    for (let step = 1; step < 100; step++) {
      // 2·epsilon reach the ball's edge from anywhere.
      const [before, here] = [places[step - 1]!, places[step]!];
      const edge = original + signAt(step) * epsilon;
      const expected = here + 0.75 * (edge - here) + 0.25 * (here - before);
      const inBall = Math.min(Math.max(expected, original - epsilon), original + epsilon);
      expect(places[step + 1]!).toBeCloseTo(inBall, 6);
    }
  });
});

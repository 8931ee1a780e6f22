import { createRandomStream } from "@dovetail/core";
import { expect, it } from "vitest";
import { accuracyFraction, argMaxOfRows, confusionMatrix, correctness, perClassAccuracy } from "./classification.js";
import { pairedDifference95, wilsonInterval95 } from "./intervals.js";

it("counts right predictions, by class and by confusion", () => {
  const labels = [0, 0, 1, 1, 2];
  const predictions = [0, 1, 1, 1, 0];
  expect([...correctness(predictions, labels)]).toEqual([1, 0, 1, 1, 0]);
  expect(accuracyFraction(correctness(predictions, labels))).toBe(0.6);
  const confusion = confusionMatrix(predictions, labels, 3);
  expect(confusion).toEqual([
    [1, 1, 0],
    [0, 2, 0],
    [1, 0, 0],
  ]);
  expect(perClassAccuracy(confusion)).toEqual([0.5, 1, 0]);
});

it("takes the first of equal scores", () => {
  expect([...argMaxOfRows([1, 3, 3, 0, -1, -2], 3)]).toEqual([1, 0]);
});

it("refuses predictions of other images", () => {
  expect(() => correctness([1], [1, 2])).toThrow(/expected 2 predictions, received 1/);
});

// Figures of Newcombe 1998, Statistics in Medicine 17, table I, method 3 (Wilson without continuity correction).
it.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])("gives Wilson's interval of %i of %i", (correct, total, low, high) => {
  const [lower, upper] = wilsonInterval95(correct, total);
  expect(lower).toBeCloseTo(low, 4);
  expect(upper).toBeCloseTo(high, 4);
});

it("gives a paired interval near the normal one, narrower than an unpaired one, the same for the same seed", () => {
  const count = 2000;
  const draw = createRandomStream(1);
  const theirs = Uint8Array.from({ length: count }, () => (draw.uniform() < 0.8 ? 1 : 0));
  const ours = theirs.map((right) => (draw.uniform() < 0.05 ? 1 - right : right));
  const differences = [...ours].map((right, index) => right - theirs[index]!);
  const mean = differences.reduce((sum, value) => sum + value, 0) / count;
  const deviation = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
  const result = pairedDifference95(ours, theirs, { random: createRandomStream(2) });
  expect(result.difference).toBeCloseTo(mean, 12);
  expect(result.interval95[0]).toBeCloseTo(mean - (1.96 * deviation) / Math.sqrt(count), 3);
  expect(result.interval95[1]).toBeCloseTo(mean + (1.96 * deviation) / Math.sqrt(count), 3);
  expect(pairedDifference95(ours, theirs, { random: createRandomStream(2) })).toEqual(result);
});

import { createDataset } from "@dovetail/train";
import { expect, it } from "vitest";
import { classesOf, halfOf } from "./data-splits.js";

/** Images of one pixel whose value is their number. */
function dataset() {
  const part = (labels: readonly number[], first: number) => ({
    images: Uint8Array.from(labels, (_, index) => first + index),
    labels: Uint8Array.from(labels),
  });
  return createDataset(
    "numbers",
    { classNames: ["a", "b", "c"], imageShape: [1, 1, 1] },
    { train: part([0, 1, 2, 0, 1, 2, 0, 2], 0), validation: part([2], 50), test: part([2, 1, 0], 100) },
    { files: [], citation: "", licence: "" },
  );
}

it("chooses classes and numbers them anew, in all parts", () => {
  const chosen = classesOf(dataset(), [2, 0]);
  expect(chosen.classNames).toEqual(["c", "a"]);
  expect([...chosen.images("train")]).toEqual([0, 2, 3, 5, 6, 7]);
  expect([...chosen.labels("train")]).toEqual([1, 0, 1, 0, 1, 0]);
  expect([...chosen.images("test")]).toEqual([100, 102]);
  expect([...chosen.labels("test")]).toEqual([0, 1]);
});

it("halves every class's training images, and leaves the other parts whole", () => {
  const halves = [halfOf(dataset(), 0), halfOf(dataset(), 1)] as const;
  expect(halves.map((half) => [...half.images("train")])).toEqual([
    [0, 1, 2, 6, 7],
    [3, 4, 5],
  ]);
  for (const half of halves) expect([...half.labels("test")]).toEqual([2, 1, 0]);
});

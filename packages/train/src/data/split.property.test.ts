import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocateImages, type LabelledImages } from "./dataset.js";
import { splitImages } from "./split.js";

const imageShape = [1, 1, 2] as const;

/** Images whose two bytes are their index, in a random order of classes. */
function source(countsPerClass: readonly number[], seed: number): LabelledImages {
  const order = createRandomStream(seed).shuffle(
    countsPerClass.flatMap((count, label) => Array<number>(count).fill(label)),
  );
  const target = allocateImages(order.length, imageShape, countsPerClass.length);
  order.forEach((label, index) => {
    target.labels[index] = label;
    target.images.set([index & 255, index >> 8], 2 * index);
  });
  return target;
}

const indicesOf = ({ images, labels }: LabelledImages) =>
  Array.from(labels, (_, at) => images[2 * at]! + 256 * images[2 * at + 1]!);
const countsOf = ({ labels }: LabelledImages, classes: number) =>
  Array.from({ length: classes }, (_, label) => Array.from(labels).filter((other) => other === label).length);

const cases = fc.record({
  counts: fc.array(fc.integer({ min: 2, max: 40 }), { minLength: 2, maxLength: 5 }),
  seed: fc.nat(1000),
  limit: fc.option(fc.integer({ min: 2, max: 40 }), { nil: undefined }),
  share: fc.double({ min: 0, max: 0.6, noNaN: true }),
});

test("training and validation are disjoint, in the source's order, and balanced; labels stay with their images", () => {
  fc.assert(
    fc.property(cases, ({ counts, seed, limit, share }) => {
      fc.pre(limit === undefined || limit <= Math.min(...counts));
      const original = source(counts, seed);
      const labels = Array.from(original.labels);
      const classNames = counts.map((_, label) => `class ${label}`);
      const make = () =>
        splitImages(
          { classNames, imageShape, train: source(counts, seed), test: source(counts, seed + 1) },
          { seed, trainImagesPerClass: limit, validationFraction: share },
        );
      const parts = make();
      const train = indicesOf(parts.train);
      const validation = indicesOf(parts.validation);
      for (const [part, indices] of [
        [parts.train, train],
        [parts.validation, validation],
      ] as const) {
        expect(indices).toEqual([...indices].sort((a, b) => a - b));
        expect(Array.from(part.labels)).toEqual(indices.map((index) => labels[index]));
      }
      const used = [...train, ...validation].sort((a, b) => a - b);
      const seen = counts.map(() => 0);
      expect(used).toEqual(labels.flatMap((label, index) => (seen[label]!++ < (limit ?? 1000) ? [index] : [])));
      expect(countsOf(parts.validation, counts.length)).toEqual(
        counts.map((count) => Math.round((limit ?? count) * share)),
      );
      expect(parts.test.labels.length).toBe(original.labels.length);
      const again = make();
      expect(indicesOf(again.train)).toEqual(train);
    }),
  );
});

describe("options", () => {
  const decode = () => ({
    classNames: ["cat", "dog"],
    imageShape,
    train: source([20, 30], 1),
    test: source([10, 10], 2),
  });

  test("a number instead of a share, and a default share of a tenth", () => {
    const parts = splitImages(decode(), { seed: 0, validationImagesPerClass: 4, testImagesPerClass: 3 });
    expect(countsOf(parts.validation, 2)).toEqual([4, 4]);
    expect(countsOf(parts.train, 2)).toEqual([16, 26]);
    expect(countsOf(parts.test, 2)).toEqual([3, 3]);
    expect(countsOf(splitImages(decode(), { seed: 0 }).validation, 2)).toEqual([2, 3]);
  });

  test("the seed decides which images are held out", () => {
    const held = (seed: number) => indicesOf(splitImages(decode(), { seed, validationImagesPerClass: 5 }).validation);
    expect(held(1)).toEqual(held(1));
    expect(held(1)).not.toEqual(held(2));
  });

  test("too much is refused with the class's name", () => {
    expect(() => splitImages(decode(), { seed: 0, trainImagesPerClass: 21 })).toThrow(
      /^trainImagesPerClass: not enough images of class "cat": expected at most 20, received 21/,
    );
    expect(() => splitImages(decode(), { seed: 0, testImagesPerClass: 11 })).toThrow(/^testImagesPerClass: not enough/);
    expect(() => splitImages(decode(), { seed: 0, validationImagesPerClass: 20 })).toThrow(
      /nothing of class "cat" would be left for training: expected fewer than 20 images held out, received 20/,
    );
    const empty = { ...decode(), classNames: ["cat", "dog", "cow"] };
    expect(() => splitImages(empty, { seed: 0 })).toThrow(/no training image of class "cow"/);
  });
});

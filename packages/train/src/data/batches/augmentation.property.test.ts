import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ImageShape } from "../dataset.js";
import {
  type AugmentationDraw,
  augmentationSchema,
  augmentImage,
  drawAugmentation,
  unchanged,
} from "./augmentation.js";

const shapes = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
const fill = [11.5, 12.5, 13.5];

/** An image without two equal pixels and without a 0. */
const imageOf = ([channels, height, width]: ImageShape) =>
  Uint8Array.from({ length: channels * height * width }, (_, index) => index + 1);

function augment(image: Uint8Array, shape: ImageShape, draw: Partial<AugmentationDraw>): Float32Array {
  const target = new Float32Array(image.length + 4).fill(-1);
  const place = { values: target, offset: 2 };
  augmentImage({ values: image, offset: 0 }, place, shape, { ...unchanged, ...draw }, fill);
  expect([target[0], target[1], target.at(-2), target.at(-1)]).toEqual([-1, -1, -1, -1]);
  return target.slice(2, -2);
}

const values = (image: ArrayLike<number>) => Array.from(image);

test("no change is the identity, and so is flipping twice", () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const image = imageOf(shape);
      expect(values(augment(image, shape, {}))).toEqual(values(image));
      const once = Uint8Array.from(augment(image, shape, { flip: true }));
      expect(values(augment(once, shape, { flip: true }))).toEqual(values(image));
      if (shape[2] > 1) expect(values(once)).not.toEqual(values(image));
    }),
  );
});

test("a shift is a window of the image with zeros around it", () => {
  fc.assert(
    fc.property(
      shapes,
      fc.integer({ min: -12, max: 12 }),
      fc.integer({ min: -12, max: 12 }),
      fc.boolean(),
      (shape, down, right, flip) => {
        const [channels, height, width] = shape;
        const image = imageOf(shape);
        const expected: number[] = [];
        for (let channel = 0; channel < channels; channel++) {
          for (let row = 0; row < height; row++) {
            for (let column = 0; column < width; column++) {
              const y = row + down;
              const x = (flip ? width - 1 - column : column) + right;
              const isInside = y >= 0 && y < height && x >= 0 && x < width;
              expected.push(isInside ? image[(channel * height + y) * width + x]! : 0);
            }
          }
        }
        expect(values(augment(image, shape, { shift: [down, right], flip }))).toEqual(expected);
      },
    ),
  );
});

test("a cut out square has the mean colour, everything else is untouched", () => {
  const augmentation = augmentationSchema.parse({ cutout: 4 });
  fc.assert(
    fc.property(shapes, fc.nat(), (shape, seed) => {
      const [, height, width] = shape;
      const image = imageOf(shape);
      const draw = drawAugmentation(createRandomStream(seed), augmentation, shape);
      const [top, left, bottom, right] = draw.cutout;
      expect(bottom - top).toBeGreaterThan(0);
      expect(bottom - top).toBeLessThanOrEqual(Math.min(4, height));
      expect(right - left).toBeLessThanOrEqual(Math.min(4, width));
      augment(image, shape, draw).forEach((value, index) => {
        const channel = Math.floor(index / (height * width));
        const row = Math.floor(index / width) % height;
        const column = index % width;
        const isCut = row >= top && row < bottom && column >= left && column < right;
        expect(value).toBe(isCut ? fill[channel] : image[index]);
      });
    }),
  );
});

describe("draws", () => {
  const shape = [3, 32, 32] as const;
  const draws = (input: object, count: number) => {
    const random = createRandomStream(5);
    return Array.from({ length: count }, () => drawAugmentation(random, augmentationSchema.parse(input), shape));
  };

  test("nothing asked for, nothing done", () => {
    expect(new Set(draws({}, 20).map((draw) => JSON.stringify(draw)))).toEqual(new Set([JSON.stringify(unchanged)]));
  });

  test("flips are fair, shifts uniform over their 81 positions", () => {
    const all = draws({ flip: true, cropPadding: 4 }, 81_000);
    const flips = all.filter((draw) => draw.flip).length;
    expect(Math.abs(flips / all.length - 0.5)).toBeLessThan(0.01);
    const counts = new Map<string, number>();
    for (const { shift } of all) counts.set(shift.join(), (counts.get(shift.join()) ?? 0) + 1);
    expect(counts.size).toBe(81);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
    const rows = all.map((draw) => draw.shift[0]);
    expect([Math.min(...rows.slice(0, 999)), Math.max(...rows.slice(0, 999))]).toEqual([-4, 4]);
  });
});

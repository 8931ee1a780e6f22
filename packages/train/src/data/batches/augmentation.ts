import type { RandomStream } from "@dovetail/core";
import { z } from "zod";
import type { ImageShape } from "../dataset.js";

/** Random changes of training images, each drawn anew for every image in every epoch. */
export const augmentationSchema = z.strictObject({
  flip: z.boolean().default(false).describe("Mirror left and right, every second time."),
  cropPadding: z
    .number()
    .int()
    .min(0)
    .max(1024)
    .default(0)
    .describe("Shift by up to this many pixels in each direction; what comes in from outside is 0 (black)."),
  cutout: z
    .number()
    .int()
    .min(0)
    .max(4096)
    .default(0)
    .describe("Side in pixels of a square that is replaced by the data set's mean colour; 0: none."),
});

/** Checked augmentation, defaults filled in. */
export type Augmentation = z.output<typeof augmentationSchema>;

/** No augmentation: images as they are. */
export const noAugmentation: Augmentation = { flip: false, cropPadding: 0, cutout: 0 };

/** What is usual for images of 32 × 32: mirror images, and shifts by up to 4 pixels. */
export const flipAndCrop: Augmentation = { flip: true, cropPadding: 4, cutout: 0 };

/** What was drawn for one image. */
export interface AugmentationDraw {
  readonly flip: boolean;
  /** Rows and columns by which the window is moved down and right; negative: up and left. */
  readonly shift: readonly [down: number, right: number];
  /** Rows and columns [top, bottom) × [left, right) that are cut out, already limited to the image. */
  readonly cutout: readonly [top: number, left: number, bottom: number, right: number];
}

/** The draw that changes nothing. */
export const unchanged: AugmentationDraw = { flip: false, shift: [0, 0], cutout: [0, 0, 0, 0] };

/**
 * Draws for one image: a flip with probability 1/2, a shift uniform over the (2 p + 1)² positions of a window in the
 * image padded by p, and a square around a uniform centre (DeVries and Taylor, arXiv:1708.04552; it may jut out).
 */
export function drawAugmentation(
  random: RandomStream,
  augmentation: Augmentation,
  [, height, width]: ImageShape,
): AugmentationDraw {
  const { flip, cropPadding, cutout } = augmentation;
  const isFlipped = flip && random.uniform() < 0.5;
  const down = cropPadding === 0 ? 0 : random.integer(2 * cropPadding + 1) - cropPadding;
  const right = cropPadding === 0 ? 0 : random.integer(2 * cropPadding + 1) - cropPadding;
  if (cutout === 0) return { flip: isFlipped, shift: [down, right], cutout: unchanged.cutout };
  const top = random.integer(height) - (cutout >> 1);
  const left = random.integer(width) - (cutout >> 1);
  return {
    flip: isFlipped,
    shift: [down, right],
    cutout: [Math.max(0, top), Math.max(0, left), Math.min(height, top + cutout), Math.min(width, left + cutout)],
  };
}

/** An image inside a longer array. */
export interface ImagePlace<Values> {
  readonly values: Values;
  readonly offset: number;
}

/**
 * Writes one image [C, H, W] of bytes as floats 0–255: shifted, then flipped, then cut out. `fill` has the value of cut
 * out pixels for each channel.
 */
export function augmentImage(
  source: ImagePlace<Uint8Array>,
  target: ImagePlace<Float32Array>,
  [channels, height, width]: ImageShape,
  draw: AugmentationDraw,
  fill: readonly number[],
): void {
  const [down, right] = draw.shift;
  const first = Math.max(0, -right);
  const last = Math.min(width, width - right);
  const isInside = first === 0 && last === width;
  const from = source.values;
  const to = target.values;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      const targetRow = target.offset + (channel * height + row) * width;
      const isRow = row + down >= 0 && row + down < height;
      if (!isRow || !isInside) to.fill(0, targetRow, targetRow + width);
      if (!isRow) continue;
      const sourceRow = source.offset + (channel * height + row + down) * width + right;
      if (draw.flip) {
        const mirrored = targetRow + width - 1;
        for (let column = first; column < last; column++) to[mirrored - column] = from[sourceRow + column]!;
      } else {
        for (let column = first; column < last; column++) to[targetRow + column] = from[sourceRow + column]!;
      }
    }
    cutOut(to, target.offset + channel * height * width, width, draw.cutout, fill[channel] ?? 0);
  }
}

function cutOut(
  values: Float32Array,
  offset: number,
  width: number,
  [top, left, bottom, right]: AugmentationDraw["cutout"],
  fill: number,
): void {
  for (let row = top; row < bottom; row++) values.fill(fill, offset + row * width + left, offset + row * width + right);
}

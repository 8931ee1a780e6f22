// For tests only: a data set that is small, quickly made, and can be learnt.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRandomStream, type RandomStream } from "@dovetail/core";

export interface TinyImagesOptions {
  /** Images of each class in the training files, and in the test files. */
  readonly train?: number | undefined;
  readonly test?: number | undefined;
  /** Side of the square images in pixels. */
  readonly side?: number | undefined;
}

/** Classes of the images: where the bright stripe lies. */
export const tinyClasses = ["top", "middle", "bottom"];

/** Writes grey images in MNIST's four files to `folder`; gives what a recipe says to use them. */
export function writeTinyImages(folder: string, options: TinyImagesOptions = {}): object {
  const { train = 24, test = 8, side = 8 } = options;
  mkdirSync(folder, { recursive: true });
  const random = createRandomStream(7);
  writePart(folder, "train", train, side, random.split("train"));
  writePart(folder, "t10k", test, side, random.split("test"));
  return { kind: "idx", path: folder, classNames: tinyClasses, validationImagesPerClass: 4 };
}

function writePart(folder: string, part: string, perClass: number, side: number, random: RandomStream): void {
  const count = perClass * tinyClasses.length;
  const labels = Uint8Array.from({ length: count }, (_, index) => index % tinyClasses.length);
  const images = new Uint8Array(count * side * side);
  for (let index = 0; index < images.length; index++) {
    const row = Math.floor(index / side) % side;
    const stripe = Math.floor((row * tinyClasses.length) / side);
    const isBright = stripe === labels[Math.floor(index / side ** 2)];
    images[index] = (isBright ? 150 : 20) + random.integer(90);
  }
  writeFileSync(join(folder, `${part}-images-idx3-ubyte`), Buffer.concat([idxHeader(count, side, side), images]));
  writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), Buffer.concat([idxHeader(count), labels]));
}

function idxHeader(...dimensions: number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE(0x800 + dimensions.length, 0);
  for (const [index, size] of dimensions.entries()) header.writeUInt32BE(size, 4 + 4 * index);
  return header;
}

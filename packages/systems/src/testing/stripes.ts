import { createRandomStream } from "@dovetail/core";
import { createDataset, type ImageDataset } from "@dovetail/train";

/** Four classes of 8×8 images for tests: noise in which two of the eight rows, the class's, are brighter. */
export function stripes(counts: {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}): ImageDataset {
  const part = (count: number, label: string) => {
    const random = createRandomStream(7).split(label);
    const labels = new Uint8Array(new SharedArrayBuffer(count)).map((_, index) => index % 4);
    const images = new Uint8Array(new SharedArrayBuffer(count * 192));
    for (let index = 0; index < images.length; index++) {
      const isBright = Math.floor((index % 64) / 16) === labels[Math.floor(index / 192)];
      images[index] = random.integer(128) + (isBright ? 100 : 0);
    }
    return { images, labels };
  };
  return createDataset(
    "stripes",
    { classNames: ["a", "b", "c", "d"], imageShape: [3, 8, 8] },
    {
      train: part(counts.train, "train"),
      validation: part(counts.validation, "validation"),
      test: part(counts.test, "test"),
    },
    { files: [], citation: "", licence: "" },
  );
}

import { createRandomStream } from "@dovetail/core";
import {
  convBatchNorm,
  depthwiseSeparable,
  globalAveragePool,
  linear,
  type Network,
  NetworkBuilder,
  pixels,
} from "@dovetail/models";
import { createDataset, type ImageDataset, type LabelledImages } from "@dovetail/train";

/** Noise whose mean is the class. */
function labelledImages(count: number, label: string): LabelledImages {
  const random = createRandomStream(7).split(label);
  const labels = Uint8Array.from({ length: count }, (_, index) => index % 4);
  const images = new Uint8Array(count * 192);
  for (let index = 0; index < images.length; index++) {
    images[index] = random.integer(100) + 50 * labels[Math.floor(index / 192)]!;
  }
  return { images, labels };
}

/** Four classes of 3×8×8 images, told apart by their brightness. */
export const levelsDataset = (): ImageDataset =>
  createDataset(
    "levels",
    { classNames: ["a", "b", "c", "d"], imageShape: [3, 8, 8] },
    {
      train: labelledImages(160, "train"),
      validation: labelledImages(40, "validation"),
      test: labelledImages(40, "test"),
    },
    { files: [], citation: "", licence: "" },
  );

/** Stem, residual block with a shortcut, depth-wise separable convolution, classifier; for 3×8×8 images. */
export function smallNetwork(): Network {
  const n = new NetworkBuilder("small");
  const stem = convBatchNorm(n, "stem", pixels(n, { height: 8, width: 8 }), { channels: 8, kernel: 3 });
  let y = convBatchNorm(n, "first", stem, { channels: 16, kernel: 3, stride: 2 });
  y = convBatchNorm(n, "second", y, { channels: 16, kernel: 3, activation: "none" });
  const shortcut = convBatchNorm(n, "shortcut", stem, {
    channels: 16,
    kernel: 1,
    stride: 2,
    padding: 0,
    activation: "none",
  });
  const x = depthwiseSeparable(n, "separable", n.g.relu(n.g.add(y, shortcut)), { channels: 16 });
  return n.build(linear(n, "classifier", globalAveragePool(n, x), { features: 4 }));
}

import { tensor, type Value } from "@dovetail/graph";
import type { NetworkBuilder } from "../network/builder.js";

/** Shape of the images, and the per-channel statistics of raw pixels that the network subtracts and divides by. */
export interface PixelOptions {
  /** 32 by default. */
  readonly height?: number | undefined;
  /** 32 by default. */
  readonly width?: number | undefined;
  /** One per channel, in raw pixel values 0–255. CIFAR-10's by default. */
  readonly mean?: readonly number[] | undefined;
  /** One per channel, in raw pixel values. CIFAR-10's by default. */
  readonly standardDeviation?: readonly number[] | undefined;
}

/** Mean and standard deviation of each channel over CIFAR-10's 50,000 training images, in raw pixel values. */
export const cifar10Pixels = {
  mean: [125.307, 122.961, 113.8575],
  standardDeviation: [62.9932, 62.0887, 66.7048],
} as const;

/** The image input and its normalization: raw pixels 0–255 in, (pixel − mean) / standard deviation out. */
export function pixels(n: NetworkBuilder, options: PixelOptions = {}): Value {
  const { height = 32, width = 32, mean = cifar10Pixels.mean } = options;
  return normalizePixels(n, n.imageInput(mean.length, height, width), options);
}

/** (pixel − mean) / standard deviation, channel by channel. */
export function normalizePixels(n: NetworkBuilder, image: Value, options: PixelOptions = {}): Value {
  const { mean = cifar10Pixels.mean, standardDeviation = cifar10Pixels.standardDeviation } = options;
  const channels = mean.length;
  return n.scope("preprocessing", () => {
    const perChannel = (values: readonly number[], name: string): Value =>
      n.g.constant(tensor("float32", [1, channels, 1, 1], values), name);
    const centred = n.g.sub(image, perChannel(mean, "mean"));
    return n.g.mul(
      centred,
      perChannel(
        standardDeviation.map((deviation) => 1 / deviation),
        "inverseDeviation",
      ),
    );
  });
}

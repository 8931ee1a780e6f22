import { convBatchNorm } from "../layers/blocks.js";
import { linear } from "../layers/linear.js";
import { pixels } from "../layers/pixels.js";
import { NetworkBuilder } from "../network/builder.js";
import type { Network } from "../network/network.js";
import type { ZooOptions } from "./options.js";

/** Channels of the 3×3 convolutions of each stage; every stage ends with a 2×2 max pool. */
const stages = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  19: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
} as const;

export interface VggOptions extends ZooOptions {
  readonly depth: keyof typeof stages;
}

/**
 * VGG-11 and VGG-19 with batch normalization for 32×32 images: the convolutions of configurations A and E of Simonyan
 * and Zisserman 2015, without biases (batch normalization has its own), then one linear layer.
 */
export function vgg(options: VggOptions): Network {
  const n = new NetworkBuilder(`vgg${options.depth}-bn`);
  let x = pixels(n, options.pixels);
  stages[options.depth].forEach((widths, stage) => {
    n.scope(`stage${stage + 1}`, () => {
      widths.forEach((channels, index) => {
        x = convBatchNorm(n, `${index}`, x, { channels, kernel: 3 });
      });
      x = n.g.maxPool(x, [2, 2], { strides: [2, 2] });
    });
  });
  return n.build(linear(n, "classifier", n.g.flatten(x), { features: options.classCount ?? 10 }));
}

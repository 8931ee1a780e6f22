import { globalAveragePool } from "../layers/activation.js";
import { convBatchNorm, invertedResidual } from "../layers/blocks.js";
import { linear } from "../layers/linear.js";
import { pixels } from "../layers/pixels.js";
import { NetworkBuilder } from "../network/builder.js";
import type { Network } from "../network/network.js";
import type { ZooOptions } from "./options.js";

/** Expansion, channels, blocks, stride of the first block: Sandler et al. 2018, table 2, first two strides 1. */
const stages = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 1 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
] as const;

/**
 * MobileNetV2 for 32×32 images: the paper's network with the strides of the stem and of the second stage set to 1,
 * so that the last features are 4×4. No dropout.
 */
export function mobileNetV2(options: ZooOptions = {}): Network {
  const n = new NetworkBuilder("mobilenet-v2");
  let x = convBatchNorm(n, "stem", pixels(n, options.pixels), { channels: 32, kernel: 3, activation: "relu6" });
  stages.forEach(({ expansion, channels, blocks, stride }, stage) => {
    n.scope(`stage${stage + 1}`, () => {
      for (let block = 0; block < blocks; block++) {
        x = invertedResidual(n, `${block}`, x, { expansion, channels, stride: block === 0 ? stride : 1 });
      }
    });
  });
  x = convBatchNorm(n, "head", x, { channels: 1280, kernel: 1, activation: "relu6" });
  const classifier = linear(n, "classifier", globalAveragePool(n, x), {
    features: options.classCount ?? 10,
    initialization: { kind: "normal", mean: 0, standardDeviation: 0.01 },
  });
  return n.build(classifier);
}

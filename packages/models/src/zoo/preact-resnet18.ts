import { globalAveragePool } from "../layers/activation.js";
import { batchNormalization } from "../layers/batch-normalization.js";
import { preActivationBlock } from "../layers/blocks.js";
import { convolution } from "../layers/convolution.js";
import { linear } from "../layers/linear.js";
import { pixels } from "../layers/pixels.js";
import { NetworkBuilder } from "../network/builder.js";
import type { Network } from "../network/network.js";
import type { ZooOptions } from "./options.js";

/**
 * Pre-activation ResNet-18 for 32×32 images (He et al. 2016b): 3×3 stem with 64 channels, four stages of two blocks
 * with 64, 128, 256, 512 channels, a last batch normalization and ReLU, global average pool.
 */
export function preActResNet18(options: ZooOptions = {}): Network {
  const n = new NetworkBuilder("preact-resnet18");
  let x = convolution(n, "stem", pixels(n, options.pixels), {
    channels: 64,
    kernel: 3,
    bias: false,
    initialization: { kind: "kaimingNormal", mode: "fanOut" },
  });
  [64, 128, 256, 512].forEach((channels, stage) => {
    n.scope(`stage${stage + 1}`, () => {
      x = preActivationBlock(n, "0", x, { channels, stride: stage === 0 ? 1 : 2 });
      x = preActivationBlock(n, "1", x, { channels });
    });
  });
  x = n.g.relu(batchNormalization(n, "bn", x));
  return n.build(linear(n, "classifier", globalAveragePool(n, x), { features: options.classCount ?? 10 }));
}

import { inputError } from "@dovetail/core";
import type { Value } from "@dovetail/graph";
import { globalAveragePool } from "../layers/activation.js";
import { basicBlock, convBatchNorm } from "../layers/blocks.js";
import type { ConvolutionLayer } from "../layers/convolution.js";
import { linear } from "../layers/linear.js";
import { pixels } from "../layers/pixels.js";
import { NetworkBuilder } from "../network/builder.js";
import type { Network } from "../network/network.js";
import type { ZooOptions } from "./options.js";

export interface ResNetOptions extends ZooOptions {
  /** 6n + 2: 8, 14, 20, … */
  readonly depth: number;
  /** Channels of the three stages; [16, 32, 64] by default. */
  readonly widths?: readonly number[] | undefined;
  /**
   * What stands in the place of the blocks' convolutions, shortcuts included; convolutions by default. With
   * `adderConvolution` it is AdderNet's ResNet: stem and classifier stay as they are.
   */
  readonly layer?: ConvolutionLayer | undefined;
  /** From the last features [batch, C, H, W] to the logits; the mean over all positions and a linear layer by default. */
  readonly classifier?: ((n: NetworkBuilder, features: Value, classCount: number) => Value) | undefined;
}

const linearClassifier: NonNullable<ResNetOptions["classifier"]> = (n, features, classCount) =>
  linear(n, "classifier", globalAveragePool(n, features), { features: classCount });

/**
 * ResNet-(6n+2) for small images (He et al. 2016, §4.2): 3×3 stem, three stages of n basic blocks with strides 1, 2, 2,
 * global average pool. Shortcuts that change the shape are 1×1 convolutions with batch normalization (option B;
 * the paper's CIFAR networks pad with zeros, option A, which has 2,752 parameters less).
 * Throws when the depth is not 6n + 2.
 */
export function resNet(options: ResNetOptions): Network {
  const { depth, widths = [16, 32, 64], classCount = 10, layer, classifier = linearClassifier } = options;
  const blocks = (depth - 2) / 6;
  if (!Number.isInteger(blocks) || blocks < 1) {
    throw inputError("network_depth", "depth of a ResNet for small images", {
      expected: "6n + 2, n ≥ 1",
      received: `${depth}`,
    });
  }
  const n = new NetworkBuilder(`resnet${depth}`);
  let x = convBatchNorm(n, "stem", pixels(n, options.pixels), { channels: widths[0]!, kernel: 3 });
  widths.forEach((channels, stage) => {
    n.scope(`stage${stage + 1}`, () => {
      for (let block = 0; block < blocks; block++) {
        x = basicBlock(n, `${block}`, x, { channels, stride: stage > 0 && block === 0 ? 2 : 1, layer });
      }
    });
  });
  return n.build(classifier(n, x, classCount));
}

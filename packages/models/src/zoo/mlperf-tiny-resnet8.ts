import type { Value } from "@dovetail/graph";
import { globalAveragePool } from "../layers/activation.js";
import { batchNormalization } from "../layers/batch-normalization.js";
import { convolution } from "../layers/convolution.js";
import { linear } from "../layers/linear.js";
import { pixels } from "../layers/pixels.js";
import { NetworkBuilder } from "../network/builder.js";
import type { Network } from "../network/network.js";
import type { ZooOptions } from "./options.js";

/**
 * ResNet-8 of the MLPerf Tiny benchmark's image classification (Banbury et al. 2021), as its Keras model is: stem and
 * three blocks with 16, 32, 64 channels, convolutions with biases, batch normalization with epsilon 1e-3, none on the
 * 1×1 shortcuts, and convolutions with stride 2 that pad at the end only. The published network takes raw pixels as
 * they are; ours normalizes them first, like the other networks here.
 */
export function mlperfTinyResNet8(options: ZooOptions = {}): Network {
  const n = new NetworkBuilder("mlperf-tiny-resnet8");
  const conv = (name: string, x: Value, channels: number, kernel: number, stride: number): Value =>
    convolution(n, name, x, {
      channels,
      kernel,
      stride,
      padding: kernel === 1 ? 0 : stride === 1 ? 1 : [0, 0, 1, 1],
      initialization: { kind: "kaimingNormal", mode: "fanIn" },
    });
  const normalize = (name: string, x: Value): Value =>
    batchNormalization(n, name, x, { epsilon: 1e-3, momentum: 0.01 });

  let x = n.g.relu(normalize("bn", conv("stem", pixels(n, options.pixels), 16, 3, 1)));
  [16, 32, 64].forEach((channels, stack) => {
    n.scope(`stack${stack + 1}`, () => {
      const stride = stack === 0 ? 1 : 2;
      let y = n.g.relu(normalize("bn1", conv("conv1", x, channels, 3, stride)));
      y = normalize("bn2", conv("conv2", y, channels, 3, 1));
      const shortcut = stack === 0 ? x : conv("shortcut", x, channels, 1, stride);
      x = n.g.relu(n.g.add(shortcut, y));
    });
  });
  return n.build(linear(n, "classifier", globalAveragePool(n, x), { features: options.classCount ?? 10 }));
}

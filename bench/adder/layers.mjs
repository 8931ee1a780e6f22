// The 18 3×3 convolutions of ResNet-20's blocks as add layers. The stem stays a convolution in AdderNet, and the two 1×1
// shortcuts are small: neither is among them.
import { createRandomStream } from "@dovetail/core";
import { differentiate, GraphBuilder, tensorFromData } from "@dovetail/graph";

export const batchSize = 128;

/** Distinct shapes, and how often each comes. */
export const layers = [
  { channels: 16, size: 32, outputs: 16, stride: 1, count: 6 },
  { channels: 16, size: 32, outputs: 32, stride: 2, count: 1 },
  { channels: 32, size: 16, outputs: 32, stride: 1, count: 5 },
  { channels: 32, size: 16, outputs: 64, stride: 2, count: 1 },
  { channels: 64, size: 8, outputs: 64, stride: 1, count: 5 },
];

export const products = ["forward", "input-gradient", "weight-gradient"];

/** Distances |x − w| of one layer, of which each product has as many. */
export const distancesOf = ({ channels, size, outputs, stride }, batch) =>
  batch * outputs * channels * 9 * (size / stride) ** 2;

/** A graph for each product. */
export function productGraphs({ channels, size, outputs, stride }, batch) {
  const window = { kernel_shape: [3, 3], strides: [stride, stride], pads: [1, 1, 1, 1], dilations: [1, 1] };
  const build = (gradientTo) => {
    const g = new GraphBuilder("adder");
    const x = g.input("x", "float32", [batch, channels, size, size]);
    const weight = g.input("weight", "float32", [outputs, channels, 3, 3]);
    const [y] = g.ownNode("AdderConv", [x, weight], window);
    if (!gradientTo) {
      g.output(y, "y");
      return g.build();
    }
    const lossGradient = g.input("dy", "float32", y.type.shape);
    const [gradient] = differentiate(g, { loss: y, withRespectTo: [{ x, weight }[gradientTo]], lossGradient });
    g.output(gradient, `d-${gradientTo}`);
    return g.build();
  };
  return { forward: build(), "input-gradient": build("x"), "weight-gradient": build("weight") };
}

/** Standard normal values, the same for the same name. */
export function drawn(name, shape) {
  const random = createRandomStream(1).split(name);
  const count = shape.reduce((product, size) => product * size, 1);
  return tensorFromData(
    "float32",
    shape,
    Float32Array.from({ length: count }, () => random.normal()),
  );
}

// Small random networks with their gradients, for tests of the lowering.

import { createRandomStream, type RandomStream } from "@dovetail/core";
import {
  differentiate,
  float,
  type Graph,
  GraphBuilder,
  type Tensor,
  tensor,
  tensorFromData,
  type Value,
} from "@dovetail/graph";

/** One layer of a random network. */
export type Layer =
  | {
      readonly kind: "conv";
      readonly outputs: number;
      readonly kernel: readonly [number, number];
      readonly stride: number;
      readonly pads: readonly [number, number, number, number];
      readonly dilation: number;
      readonly bias: boolean;
    }
  | { readonly kind: "depthwise"; readonly kernel: number; readonly stride: number; readonly pad: number }
  | { readonly kind: "grouped"; readonly outputs: number; readonly group: number }
  | { readonly kind: "norm" | "inferenceNorm" | "relu" | "relu6" | "square" | "maxPool" | "averagePool" | "sigmoid" }
  /** Adds the value so many layers back where shapes agree; a strided 1×1 convolution of it where they do not. */
  | { readonly kind: "residual"; readonly back: number };

export interface NetworkDescription {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly layers: readonly Layer[];
}

/** A graph whose outputs are the loss, the network's output and all gradients, with values for its inputs. */
export interface RandomNetwork {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

export function randomNetwork(description: NetworkDescription, seed: number): RandomNetwork {
  const random = createRandomStream(seed);
  const g = new GraphBuilder("random");
  const feeds: Record<string, Tensor> = {};
  const differentiated: Value[] = [];
  const input = (name: string, shape: readonly number[], scale: number, offset = 0): Value => {
    feeds[name] = normal(random.split(name), shape, scale, offset);
    const value = g.input(name, "float32", shape);
    differentiated.push(value);
    return value;
  };
  const { batch, channels, height, width, layers } = description;
  const values = [input("x", [batch, channels, height, width], 1)];
  layers.forEach((layer, index) => {
    const x = values.at(-1)!;
    values.push(addLayer({ g, input, values, prefix: `layer${index}` }, x, layer) ?? x);
  });
  const result = values.at(-1)!;
  feeds.coefficients = normal(random.split("coefficients"), shapeOf(result), 1, 0);
  const coefficients = g.input("coefficients", "float32", shapeOf(result));
  const loss = g.reduceSum(g.mul(result, coefficients), [0, 1, 2, 3]);
  g.output(loss, "loss");
  const gradients = differentiate(g, { loss, withRespectTo: differentiated });
  gradients.forEach((gradient, index) => {
    g.output(gradient, `gradient:${differentiated[index]!.name}`);
  });
  return { graph: g.build(), feeds };
}

interface Building {
  readonly g: GraphBuilder;
  readonly input: (name: string, shape: readonly number[], scale: number, offset?: number) => Value;
  readonly values: readonly Value[];
  readonly prefix: string;
}

const shapeOf = (value: Value): readonly number[] => value.type.shape as readonly number[];

function addLayer(building: Building, x: Value, layer: Layer): Value | undefined {
  const { g, input, prefix } = building;
  const [batch, channels, height, width] = shapeOf(x) as [number, number, number, number];
  switch (layer.kind) {
    case "conv": {
      const { outputs, kernel, stride, pads, dilation } = layer;
      const reach = kernel.map((size) => (size - 1) * dilation + 1);
      if (height + pads[0] + pads[2] < reach[0]! || width + pads[1] + pads[3] < reach[1]!) return undefined;
      const scale = Math.sqrt(2 / (channels * kernel[0] * kernel[1]));
      const weight = input(`${prefix}.weight`, [outputs, channels, ...kernel], scale);
      const bias = layer.bias ? input(`${prefix}.bias`, [outputs], 1) : undefined;
      return g.conv(x, weight, bias, {
        strides: [stride, stride],
        pads,
        dilations: [dilation, dilation],
      });
    }
    case "depthwise": {
      const { kernel, stride, pad } = layer;
      if (Math.min(height, width) + 2 * pad < kernel) return undefined;
      const weight = input(`${prefix}.weight`, [channels, 1, kernel, kernel], 1 / kernel);
      return g.conv(x, weight, undefined, { strides: [stride, stride], pads: [pad, pad, pad, pad], group: channels });
    }
    case "grouped": {
      const { outputs, group } = layer;
      if (channels % group !== 0) return undefined;
      const weight = input(`${prefix}.weight`, [outputs, channels / group, 3, 3], 0.2);
      return g.conv(x, weight, undefined, { pads: [1, 1, 1, 1], group });
    }
    case "norm":
      // Statistics of a handful of values are ill-conditioned.
      if (batch * height * width < 48) return undefined;
      return g.ownNode(
        "BatchNormalizationTraining",
        [x, input(`${prefix}.scale`, [channels], 0.2, 1), input(`${prefix}.shift`, [channels], 0.5)],
        { epsilon: float(1e-5) },
        { outputs: 3 },
      )[0]!;
    case "inferenceNorm":
      return g.op("BatchNormalization", [
        x,
        input(`${prefix}.scale`, [channels], 0.2, 1),
        input(`${prefix}.shift`, [channels], 0.5),
        g.constant(tensor("float32", [channels], new Array<number>(channels).fill(0.1)), `${prefix}.mean`),
        g.constant(tensor("float32", [channels], new Array<number>(channels).fill(1.5)), `${prefix}.variance`),
      ]);
    case "relu":
      return g.relu(x);
    case "relu6":
      return g.op("Clip", [x, g.scalar(0), g.scalar(6)]);
    case "square":
      return g.mul(x, x);
    case "sigmoid":
      return g.sigmoid(x);
    case "maxPool":
    case "averagePool":
      if (height < 2 || width < 2) return undefined;
      return g.op(layer.kind === "maxPool" ? "MaxPool" : "AveragePool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
    case "residual":
      return addResidual(building, x, layer.back);
  }
}

function addResidual({ g, input, values, prefix }: Building, x: Value, back: number): Value | undefined {
  const earlier = values.at(-1 - back);
  if (!earlier || earlier.name === x.name) return undefined;
  const [, channels, height, width] = shapeOf(x) as [number, number, number, number];
  const [, before, rows, columns] = shapeOf(earlier) as [number, number, number, number];
  if (before === channels && rows === height && columns === width) return g.add(x, earlier);
  const stride = Math.max(1, Math.round(rows / height));
  if (Math.ceil(rows / stride) !== height || Math.ceil(columns / stride) !== width) return undefined;
  const weight = input(`${prefix}.weight`, [channels, before, 1, 1], Math.sqrt(1 / before));
  return g.add(x, g.conv(earlier, weight, undefined, { strides: [stride, stride] }));
}

function normal(random: RandomStream, shape: readonly number[], scale: number, offset: number): Tensor {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let index = 0; index < values.length; index++) values[index] = offset + scale * random.normal();
  return tensorFromData("float32", shape, values);
}

import { createRandomStream } from "@dovetail/core";
import { differentiate, float, type GraphBuilder, type Tensor, tensor, type Value } from "@dovetail/graph";
import { describe, it } from "vitest";
import { checkGraph } from "./testing/finite-differences.js";

// The gradient's own operators are differentiated again: each graph below puts out a gradient, and is checked as any other.

const shapes: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  convolution: { x: [2, 4, 5, 6], weight: [4, 2, 3, 3], upstream: [2, 4, 3, 3] },
  "batch normalization": { x: [3, 2, 2, 2], scale: [2], bias: [2], upstream: [3, 2, 2, 2] },
  "max pooling": { x: [1, 2, 5, 5], upstream: [1, 2, 3, 3] },
  "average pooling": { x: [1, 2, 5, 5], upstream: [1, 2, 3, 3] },
  clipping: { x: [4, 6], upstream: [4, 6] },
};

const forwards: Readonly<Record<string, (g: GraphBuilder, values: Readonly<Record<string, Value>>) => Value>> = {
  convolution: (g, { x, weight }) => g.conv(x!, weight!, undefined, { strides: [2, 2], pads: [1, 1, 1, 1], group: 2 }),
  "batch normalization": (g, { x, scale, bias }) =>
    g.ownNode("BatchNormalizationTraining", [x, scale, bias], { epsilon: float(0.1) }, { outputs: 3 })[0]!,
  "max pooling": (g, { x }) => g.maxPool(x!, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  "average pooling": (g, { x }) => g.averagePool(x!, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  clipping: (g, { x }) => g.clip(g.relu(x!), undefined, 1),
};

describe("second derivatives", () => {
  it.each(Object.keys(shapes))("of %s", async (name) => {
    const random = createRandomStream(11);
    const samples: Record<string, Tensor> = {};
    for (const [key, shape] of Object.entries(shapes[name]!)) {
      const count = shape.reduce((product, size) => product * size, 1);
      // All different and off the corners, see "separated" in finite-differences.ts.
      const values = Float64Array.from({ length: count }, (_, index) => (index - count / 2 + 0.5) * 0.1);
      samples[key] = tensor("float32", shape, random.shuffle(values));
    }
    await checkGraph(
      (g) => {
        const values = Object.fromEntries(
          Object.entries(shapes[name]!).map(([key, shape]) => [key, g.input(key, "float32", shape)]),
        );
        const { upstream, ...sources } = values;
        const y = forwards[name]!(g, values);
        return differentiate(g, { loss: y, withRespectTo: Object.values(sources), lossGradient: upstream });
      },
      samples,
      random,
      name,
    );
  });
});

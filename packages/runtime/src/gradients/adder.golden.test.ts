// The add layer in standard operators, by ONNX Runtime alone: golden values and a reference in float64.

import { createRandomStream } from "@dovetail/core";
import {
  adderConvFunction,
  differentiate,
  GraphBuilder,
  modelOf,
  readModel,
  tensor,
  writeModel,
} from "@dovetail/graph";
import { describe, expect, it } from "vitest";
import { openModel } from "../segments/open-model.js";
import { type AdderGeometry, adderReference, drawCase, outputSizes, windowOf } from "./testing/adder-reference.js";
import { compileForTest, relativeError } from "./testing/execute.js";

/** Outputs y, dx and dWeight; `batch` may be open until run time. */
function layer(geometry: AdderGeometry, batch: number | string = geometry.batch) {
  const g = new GraphBuilder("adder");
  const { channels, height, width, outputs, kernel } = geometry;
  const x = g.input("x", "float32", [batch, channels, height, width]);
  const weight = g.input("weight", "float32", [outputs, channels, ...kernel]);
  const [y] = g.ownNode("AdderConv", [x, weight], windowOf(geometry));
  const dy = g.input("dy", "float32", y!.type.shape!);
  expect(y!.type.shape).toEqual([batch, outputs, ...outputSizes(geometry)]);
  const [dx, dWeight] = differentiate(g, { loss: y!, withRespectTo: [x, weight], lossGradient: dy });
  g.output(y!, "y");
  g.output(dx!, "dx");
  g.output(dWeight!, "dWeight");
  return g.build();
}

const values = (found: { readonly data?: unknown } | undefined): number[] => Array.from(found!.data as Float32Array);
const close = (found: readonly number[], expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index]!, 5);
  });
};

describe("the add layer", () => {
  it("has the golden values and gradients of AdderNet's code", async () => {
    const geometry: AdderGeometry = {
      ...{ batch: 1, channels: 3, height: 1, width: 1, outputs: 2 },
      ...{ kernel: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0] },
    };
    const run = await compileForTest(layer(geometry));
    const { y, dx, dWeight } = await run({
      x: tensor("float32", [1, 3, 1, 1], [0.5, -1, 2]),
      weight: tensor("float32", [2, 3, 1, 1], [0.2, 0.5, 0, 3, -1, 1]),
      dy: tensor("float32", [1, 2, 1, 1], [1, -2]),
    });
    close(values(y), [-3.8, -3.5]);
    close(values(dx), [-2.3, 1, 1]);
    close(values(dWeight), [0.3, -1.5, 2, 5, 0, -2]);
  });

  const geometries: readonly AdderGeometry[] = [
    {
      ...{ batch: 2, channels: 3, height: 7, width: 5, outputs: 6 },
      ...{ kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] },
    },
    {
      ...{ batch: 3, channels: 5, height: 8, width: 9, outputs: 4 },
      ...{ kernel: [3, 2], strides: [2, 2], pads: [1, 0, 0, 2] },
    },
    {
      ...{ batch: 1, channels: 2, height: 6, width: 6, outputs: 3 },
      ...{ kernel: [1, 1], strides: [2, 2], pads: [0, 0, 0, 0] },
    },
  ];
  for (const geometry of geometries) {
    const name = `${geometry.kernel.join("×")} with strides ${geometry.strides} and pads ${geometry.pads}`;
    it(`equals its definition in float64: ${name}`, async () => {
      const sample = drawCase(geometry, createRandomStream(3));
      const expected = adderReference(geometry, sample);
      for (const batch of [geometry.batch, "batch"]) {
        const found = await (await compileForTest(layer(geometry, batch)))({ ...sample });
        for (const key of ["y", "dx", "dWeight"] as const) {
          expect(relativeError(values(found[key]), expected[key]), key).toBeLessThan(1e-6);
        }
      }
    });

    it(`runs elsewhere as a model-local function: ${name}`, async () => {
      const sample = drawCase(geometry, createRandomStream(4));
      const g = new GraphBuilder("forward");
      const x = g.input("x", "float32", ["batch", ...sample.x.dimensions.slice(1)]);
      const [y] = g.ownNode("AdderConv", [x, g.constant(sample.weight, "weight")], windowOf(geometry));
      g.output(y!, "y");
      const bytes = writeModel({ ...modelOf(g.build()), functions: [adderConvFunction()] });
      expect(readModel(bytes).graph.nodes.map(({ operator }) => operator)).toEqual(["AdderConv"]);
      for (const kernels of [false, true]) {
        const model = await openModel(bytes, { threads: 1, kernels });
        const found = await model.run({ x: sample.x });
        expect(relativeError(values(found.y), adderReference(geometry, sample).y)).toBeLessThan(1e-6);
        await model.release();
      }
    });
  }
});

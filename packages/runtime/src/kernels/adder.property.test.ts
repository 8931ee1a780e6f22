import { createRandomStream } from "@dovetail/core";
import { tensorFromData } from "@dovetail/graph";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adderReference,
  drawCase,
  outputSizes,
  type AdderGeometry as TestGeometry,
} from "../gradients/testing/adder-reference.js";
import { relativeError } from "../gradients/testing/execute.js";
import { type AdderKernels, adderKernels } from "./adder.js";
import type { AdderGeometry } from "./geometry.js";
import { type KernelThreads, startKernelThreads } from "./thread-pool.js";

let pools: readonly KernelThreads[];
beforeAll(async () => {
  pools = await Promise.all([1, 2, 3].map(startKernelThreads));
});
afterAll(async () => {
  for (const pool of pools) await pool.release();
});

const pad = fc.integer({ min: 0, max: 3 });

/** With a window that fits the padded input. */
const geometries: fc.Arbitrary<TestGeometry> = fc
  .record({
    batch: fc.integer({ min: 1, max: 13 }),
    channels: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 11 }),
    width: fc.integer({ min: 1, max: 11 }),
    outputs: fc.integer({ min: 1, max: 18 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pads: fc.tuple(pad, pad, pad, pad),
  })
  .filter(
    ({ height, width, kernel, pads }) =>
      height + pads[0] + pads[2] >= kernel[0] && width + pads[1] + pads[3] >= kernel[1],
  );

function geometryOf(of: TestGeometry): AdderGeometry {
  const [outputHeight, outputWidth] = outputSizes(of);
  return { ...of, outputHeight, outputWidth, dilations: [1, 1] };
}

function run(kernels: AdderKernels, of: TestGeometry, sample: ReturnType<typeof drawCase>) {
  const [x, weight, dy] = [sample.x, sample.weight, sample.dy].map(({ data }) => data as Float32Array) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  // Filled, so that what is not written shows.
  const [y, dx] = [new Float32Array(dy.length).fill(7), new Float32Array(x.length).fill(7)];
  kernels.forward(geometryOf(of), x, weight, y);
  kernels.inputGradient(geometryOf(of), dy, x, weight, dx);
  return { y, dx };
}

describe("the add layer's kernels", () => {
  it("equal the definition in float64, to the same bits with any number of threads", () => {
    fc.assert(
      fc.property(geometries, fc.nat(), (of, seed) => {
        const sample = drawCase(of, createRandomStream(seed));
        const [single, ...others] = pools.map((pool) => run(adderKernels(pool), of, sample));
        const expected = adderReference(of, sample);
        expect(relativeError(single!.y, expected.y)).toBeLessThan(1e-5);
        expect(relativeError(single!.dx, expected.dx)).toBeLessThan(1e-5);
        for (const other of others) {
          expect(other.y).toEqual(single!.y);
          expect(other.dx).toEqual(single!.dx);
        }
      }),
      { numRuns: 60, seed: 1, endOnFailure: true },
    );
  });

  it("lose nothing where inputs are far from all weights", () => {
    const of: TestGeometry = {
      ...{ batch: 2, channels: 4, height: 5, width: 5, outputs: 8 },
      ...{ kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] },
    };
    const drawn = drawCase(of, createRandomStream(2));
    const far = Float32Array.from(drawn.x.data as Float32Array, (value, index) => value * (index % 2 ? 1e6 : 1));
    const sample = { ...drawn, x: tensorFromData("float32", drawn.x.dimensions, far) };
    const expected = adderReference(of, sample);
    const { y, dx } = run(adderKernels(pools[1]!), of, sample);
    expect(relativeError(dx, expected.dx)).toBeLessThan(1e-5);
    expect(relativeError(y, expected.y)).toBeLessThan(1e-5);
  });
});

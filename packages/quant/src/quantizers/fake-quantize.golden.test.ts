import { readFileSync } from "node:fs";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantizeAffine } from "./affine.js";
import { quantizeWeight } from "./arithmetic.js";
import { quantizeLsq } from "./lsq.js";
import { compileFunction } from "./testing/compile.js";
import { expectClose } from "./testing/draws.js";

/** Written by oracles/quantizers.py: PyTorch's fake-quantize operators, away from ties and clamp edges. */
interface Case {
  readonly bits: number;
  readonly x: number[];
  readonly y: number[];
  readonly dx: number[];
}
interface LearnableCase extends Case {
  readonly step: number;
  readonly dstep: number;
}
const golden = JSON.parse(readFileSync(new URL("./fake-quantize.golden.json", import.meta.url), "utf8")) as {
  readonly affine: (Case & { readonly scale: number; readonly zeroPoint: number })[];
  readonly perChannel: Case[];
  readonly learnable: LearnableCase[];
  readonly halfStepBeyond: LearnableCase;
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const expectRelativelyClose = (found: readonly number[], expected: readonly number[]) =>
  expectClose(found, expected, 1e-6 * Math.max(1, ...expected.map(Math.abs)));

const lsqOf = (count: number) =>
  compileFunction(
    runtime,
    { x: [count], step: [], bits: [] },
    (g, { x, step, bits }) => quantizeLsq(g, x!, step!, { bits: bits!, kind: "weight", signed: true }),
    ["x", "step"],
  );

describe("PyTorch's fake-quantize operators agree to 1e-6", () => {
  it("per tensor, affine with a zero point", async () => {
    const affine = await compileFunction(runtime, { x: [24], bits: [], min: [], max: [] }, (g, inputs) =>
      quantizeAffine(g, inputs.x!, {
        bits: inputs.bits!,
        min: inputs.min!,
        max: inputs.max!,
        exactZero: true,
        gradient: "clipped",
      }),
    );
    expect(golden.affine.length).toBe(4);
    for (const { bits, scale, zeroPoint, x, y, dx } of golden.affine) {
      const range = { min: -zeroPoint * scale, max: (2 ** bits - 1 - zeroPoint) * scale };
      const found = await affine.run({ x, bits, ...range });
      expectRelativelyClose(found.y, y);
      expect(found.gradients.x).toEqual(dx);
    }
  });

  it("per channel, symmetric", async () => {
    const weight = await compileFunction(runtime, { x: [3, 8], bits: [] }, (g, { x, bits }) =>
      quantizeWeight(g, x!, { bits: bits!, axis: 0 }),
    );
    expect(golden.perChannel.length).toBe(3);
    for (const { bits, x, y, dx } of golden.perChannel) {
      const found = await weight.run({ x, bits });
      expectRelativelyClose(found.y, y);
      expect(found.gradients.x).toEqual(dx);
    }
  });

  it("with a learnt step", async () => {
    const lsq = await lsqOf(24);
    expect(golden.learnable.length).toBe(3);
    for (const { bits, step, x, y, dx, dstep } of golden.learnable) {
      const found = await lsq.run({ x, bits, step });
      expectRelativelyClose(found.y, y);
      expect(found.gradients.x).toEqual(dx);
      expectRelativelyClose(found.gradients.step!, [dstep]);
    }
  });
});

it("differs from PyTorch's learnt step in the half step beyond the range, in the gradients alone", async () => {
  const { bits, step, x, y, dx, dstep } = golden.halfStepBeyond;
  const found = await (await lsqOf(6)).run({ x, bits, step });
  expectRelativelyClose(found.y, y);
  expect([found.gradients.x, dx]).toEqual([
    [0, 1, 1, 1, 1, 0],
    [1, 1, 1, 1, 1, 0],
  ]);
  expect(dstep).toBeCloseTo(0.8956686, 6);
  expectClose(found.gradients.step!, [-0.1257078]);
});

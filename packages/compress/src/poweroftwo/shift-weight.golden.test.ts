import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, roundHalfToEven, tensor, tensorNumbers, type Value, withGradients } from "@dovetail/graph";
import { initializeParameter, parameterSpec } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type ShiftOptions,
  shiftBitWidth,
  shiftParameters,
  shiftWeight,
  smallestShiftExponent,
} from "./shift-weight.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

/** The weight, and the parameters' gradients for a gradient of the weight. */
async function run(options: ShiftOptions, values: Readonly<Record<string, readonly number[]>>, upstream?: number[]) {
  const g = new GraphBuilder("shift");
  const shape = [Object.values(values)[0]!.length];
  const input = (name: string): Value => g.input(name, "float32", shape);
  const names = shiftParameters(options).map(({ suffix }) => suffix);
  const weight = shiftWeight(g, names.map(input), { ...options, output: "weight" });
  g.output(weight);
  g.output(g.mul(weight, input("upstream")), "loss");
  const segment = await runtime.compile(withGradients(g.build(), { loss: "loss", withRespectTo: names }));
  const feeds = Object.entries({ ...values, upstream: upstream ?? Array(shape[0]).fill(1) });
  const outputs = await segment.run(
    Object.fromEntries(feeds.map(([name, of]) => [name, tensor("float32", shape, [...of])])),
  );
  const read = (name: string): number[] => [...tensorNumbers(outputs[name]!)].map((value) => value + 0);
  return { weight: read("weight"), gradient: (name: string) => read(`gradient/${name}`) };
}

// algorithms.md §4.1, read in DeepShift and ShiftAddNet.
const exponent = [-3.4, -0.5, -1.5, -14];
const sign = [0.5, 0.51, -1, -0.2];

it("DeepShift-PS: rounds half to even, a sign of ±½ to zero", async () => {
  const { weight, gradient } = await run({}, { exponent, sign }, [1, 2, -3, 4]);
  expect(weight).toEqual([0, 1, -0.25, 0]);
  const expected = [0, 2 * Math.LN2, -3 * -0.25 * Math.LN2, 0];
  gradient("exponent").forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index]!, 6);
  });
  expect(gradient("sign")).toEqual([1, 2, -3, 4]);
});

it("offers the exact chain to the sign: the weight's gradient times 2^p", async () => {
  const { gradient } = await run({ signGradient: "chain" }, { exponent, sign }, [1, 2, -3, 4]);
  expect(gradient("sign")).toEqual([0.125, 2, -0.75, 4 * 2 ** -14]);
});

it("clamps exponents to −(2^(b−1) − 2)…0, and passes the gradient of those outside", async () => {
  const { weight, gradient } = await run({ bits: 3 }, { exponent: [-9, 3, -2], sign: [1, 1, 1] });
  expect(weight).toEqual([0.25, 1, 0.25]);
  expect(gradient("exponent")[1]).toBeCloseTo(Math.LN2, 6);
  expect([2, 3, 4, 5, 8].map((bits) => smallestShiftExponent({ bits }))).toEqual([0, -2, -6, -14, -126]);
});

it("DeepShift-Q: nearest by logarithm, gradient straight through", async () => {
  const latent = [0.7, 0.72, 0.3, -0.36, 1.5, 1e-6, 0];
  const { weight, gradient } = await run({ form: "latent" }, { latent }, [1, 2, 3, 4, 5, 6, 7]);
  expect(weight).toEqual([0.5, 1, 0.25, -0.5, 1, 2 ** -15, 0]);
  expect(gradient("latent")).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

it("gives every power of two of its range to the last bit", async () => {
  const exponents = Array.from({ length: 15 }, (_, index) => -index);
  const powers = exponents.map((k) => 2 ** k);
  const { weight } = await run({}, { exponent: exponents, sign: powers.map(() => 1) });
  expect(weight).toEqual(powers);
  expect((await run({ form: "latent" }, { latent: powers })).weight).toEqual(powers);
});

it("fixed shift: exponents −7…0, not trained", async () => {
  const { weight } = await run({ form: "fixed" }, { exponent: [-8.2, -6.6, 1], sign: [1, -0.6, 0.4] });
  expect(weight).toEqual([2 ** -7, -(2 ** -7), 0]);
  expect(shiftParameters({ form: "fixed" }).map(({ trainable }) => trainable)).toEqual([false, false]);
});

// algorithms.md §4.4, read in ShiftAddNet's train_fix.py: U(−7.5, −0.5), clamped and rounded.
it("fixed shift of the first and last layer: exponents −7…−1, all as likely", () => {
  const options = { form: "fixed", fixedStart: "uniform" } as const;
  const { suffix, ...parameter } = shiftParameters(options)[0]!;
  const spec = parameterSpec(suffix, [14_000], parameter);
  const drawn = [...tensorNumbers(initializeParameter(spec, createRandomStream(0)))];
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(-7.5);
  expect(Math.max(...drawn)).toBeLessThanOrEqual(-0.5);
  const exponents = drawn.map((value) => Math.max(-7, roundHalfToEven(value)));
  const counts = [-7, -6, -5, -4, -3, -2, -1].map((at) => exponents.filter((exponent) => exponent === at).length);
  expect(counts.reduce((sum, count) => sum + count)).toBe(drawn.length);
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

it("counts the bits that all weights take, zero among them", () => {
  expect(shiftBitWidth({})).toBe(5);
  expect(shiftBitWidth({ form: "fixed" })).toBe(5);
  // Sixteen exponents, two signs and zero: the published five bits have no room for the zero.
  expect(shiftBitWidth({ form: "latent" })).toBe(6);
  expect(() => shiftBitWidth({ bits: 1 })).toThrow("no weights of shift layers");
});

// The rules against a plain reference in integers, written from systems.md section 2.

import { GraphBuilder, scalar, type Tensor, tensor, tensorNumbers, type Value } from "@dovetail/graph";
import { createRuntime, type Runtime, type Segment } from "@dovetail/runtime";
import type { Optimizer } from "@dovetail/train";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeOfValue, defaultCodeRange, encodeTensor, forbiddenCode, valueOfCode } from "./codes.js";
import { type SmartDealOptions, smartDealOptimizer } from "./rules.js";

const range = defaultCodeRange;
const count = 24;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

interface Trained {
  readonly step: (gradient: readonly number[], learningRate: number) => Promise<void>;
  readonly read: (name: string) => number[];
}

/** The update of one tensor of coefficients, gradients fed by hand. */
async function trained(options: SmartDealOptions, first: Tensor): Promise<Trained> {
  const optimizer: Optimizer = smartDealOptimizer(options);
  const rule = optimizer.rules!.coefficient!;
  const g = new GraphBuilder("rule");
  const parameter = g.input("codes", first.elementType, [count]);
  const memory = Object.fromEntries(
    rule.memory.map((kind) => [kind, g.input(`codes:${kind}`, rule.memoryTypes?.[kind] ?? "float32", [count])]),
  );
  const scalars = Object.fromEntries(optimizer.inputs.map((name) => [name, g.input(name, "float32", [])]));
  const gradient = g.input("gradient", "float32", [count]);
  const updated = rule.update(g, { parameter, gradient, memory, decay: true }, scalars);
  const pairs: Record<string, string> = {};
  const state = new Map([["codes", first]]);
  const keep = (name: string, value: Value): void => {
    g.output(value, `${name}:next`);
    pairs[name] = `${name}:next`;
  };
  keep("codes", updated.parameter);
  for (const kind of rule.memory) {
    keep(`codes:${kind}`, updated.memory[kind]!);
    state.set(
      `codes:${kind}`,
      tensor(rule.memoryTypes?.[kind] ?? "float32", [count], new Array<number>(count).fill(0)),
    );
  }
  const store = runtime.createState(state);
  const segment: Segment = await runtime.compile(g.build(), { state: store, statePairs: pairs });
  const known = new Set(segment.inputs.map(({ name }) => name));
  let index = 0;
  return {
    step: async (values, learningRate) => {
      const fed = optimizer.feeds({ ...optimizer.hyperparameters, learningRate }, index++);
      const used = Object.entries(fed).filter(([name]) => known.has(name));
      const feeds = Object.fromEntries(used.map(([name, value]) => [name, scalar(value)]));
      await segment.run({ ...feeds, gradient: tensor("float32", [count], values) });
    },
    read: (name) => [...tensorNumbers(store.read(name === "codes" ? name : `codes:${name}`))],
  };
}

const codesOf = fc.array(fc.integer({ min: -8, max: 7 }), { minLength: count, maxLength: count });
/** Multiples of 2^−8, so that every product is exact. */
const gradientsOf = fc.array(
  fc.array(
    fc.integer({ min: -16, max: 16 }).map((n) => n / 256),
    { minLength: count, maxLength: count },
  ),
  { minLength: 1, maxLength: 12 },
);

it("bucket switching is the published rule, with codes and counters as its only state", async () => {
  await fc.assert(
    fc.asyncProperty(codesOf, gradientsOf, fc.integer({ min: 1, max: 4 }), async (codes, gradients, switchBar) => {
      const [stepsPerEpoch, updateThreshold] = [5, 1 / 128];
      const options = { rule: "switch", switchBar, updateThreshold, stepsPerEpoch } as const;
      const held = await trained(options, tensor("int8", [count], codes));
      const expected = codes.map((code) => ({
        value: valueOfCode(code, range),
        mask: code !== forbiddenCode,
        counter: 0,
      }));
      for (const [step, gradient] of gradients.entries()) {
        await held.step(gradient, 0.5);
        expected.forEach((element, index) => {
          if (step % stepsPerEpoch === 0) element.counter = 0;
          if (!element.mask) return;
          const update = -0.5 * gradient[index]!;
          if (Math.abs(update) > updateThreshold) element.counter += Math.sign(update);
          if (Math.abs(element.counter) < switchBar) return;
          element.value = switched(element.value, Math.sign(element.counter));
          element.counter = 0;
        });
        expect(held.read("codes").map((code) => valueOfCode(code, range) + 0)).toEqual(
          expected.map(({ value }) => value + 0),
        );
        expect(held.read("counter").map((value) => value + 0)).toEqual(expected.map(({ counter }) => counter + 0));
      }
      // A forbidden element never changes.
      held.read("codes").forEach((code, index) => {
        expect(code === forbiddenCode).toBe(codes[index] === forbiddenCode);
      });
    }),
    { numRuns: 40 },
  );
});

/** In real numbers: doubled where the sign agrees, else halved; below min_C zero; from zero to ±min_C; at most max_C. */
function switched(value: number, direction: number): number {
  const [least, most] = [2 ** range.minimumExponent, 1];
  if (value === 0) return direction * least;
  const moved = Math.sign(value) === direction ? value * 2 : value / 2;
  if (Math.abs(moved) < least) return 0;
  return Math.sign(moved) * Math.min(Math.abs(moved), most);
}

it("accumulating moves a code where the updates add up to where its neighbour is nearer", async () => {
  await fc.assert(
    fc.asyncProperty(codesOf, gradientsOf, fc.integer({ min: 1, max: 127 }), async (codes, gradients, switchBar) => {
      const held = await trained({ rule: "accumulate", switchBar, stepsPerEpoch: 2 }, tensor("int8", [count], codes));
      const expected = codes.map((code) => ({ code, counter: 0 }));
      for (const gradient of gradients) {
        await held.step(gradient, 0.5);
        expected.forEach((element, index) => {
          if (element.code === forbiddenCode) return;
          const value = valueOfCode(element.code, range);
          const outwards = Math.max(Math.abs(value), 2 ** range.minimumExponent) / 2;
          const counted = ((-0.5 * gradient[index]!) / outwards) * switchBar;
          element.counter = halfToEven(element.counter + counted);
          const isInwards = value * element.counter < 0 && Math.abs(element.code) > 1;
          if (Math.abs(element.counter) < (isInwards ? switchBar / 2 : switchBar)) return;
          element.code = Math.max(-7, Math.min(7, element.code + Math.sign(element.counter)));
          element.counter = 0;
        });
        expect(held.read("codes").map((code) => code + 0)).toEqual(expected.map(({ code }) => code + 0));
        expect(held.read("counter").map((value) => value + 0)).toEqual(expected.map(({ counter }) => counter + 0));
      }
    }),
    { numRuns: 40 },
  );
});

it("accumulating follows the sum of the updates, to the nearest code where they have one sign", async () => {
  await fc.assert(
    fc.asyncProperty(codesOf, fc.double({ min: -0.5, max: 0.5, noNaN: true }), async (codes, change) => {
      const held = await trained(
        { rule: "accumulate", switchBar: 127, stepsPerEpoch: 2 },
        tensor("int8", [count], codes),
      );
      await held.step(new Array<number>(count).fill(-change), 1);
      held.read("codes").forEach((code, index) => {
        const first = codes[index]!;
        const nearest = codeOfValue(valueOfCode(first, range) + change, range);
        // By one at most in a step, and nowhere else than towards the nearest.
        const towards = first + Math.sign(nearest - first);
        const margin = Math.abs(Math.abs(change) - wayTo(first, Math.sign(change))) < 0.01 * Math.abs(change);
        if (first !== forbiddenCode && !margin) expect(code + 0).toBe(towards + 0);
      });
    }),
    { numRuns: 40 },
  );
});

/** From a code's value to the boundary with its neighbour in that direction, by `codeOfValue`. */
function wayTo(code: number, direction: number): number {
  const value = valueOfCode(code, range);
  if (code !== 0 && Math.sign(code) !== direction)
    return Math.abs(code) === 1 ? Math.abs(value) / 2 : Math.abs(value) / 4;
  return Math.max(Math.abs(value), 2 ** range.minimumExponent) / 2;
}

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

it("rounding after each step gives the nearest code of the step's result", async () => {
  await fc.assert(
    fc.asyncProperty(codesOf, gradientsOf, async (codes, gradients) => {
      const held = await trained({ rule: "round", stepsPerEpoch: 5 }, tensor("int8", [count], codes));
      let expected = [...codes];
      for (const gradient of gradients) {
        await held.step(gradient, 4);
        expected = expected.map((code, index) =>
          code === forbiddenCode ? code : codeOfValue(valueOfCode(code, range) - 4 * gradient[index]!, range),
        );
        expect(held.read("codes").map((code) => code + 0)).toEqual(expected.map((code) => code + 0));
      }
    }),
    { numRuns: 20 },
  );
});

it("momentum adds gradients up, and is a float32 tensor more", async () => {
  const codes = encodeTensor(new Array<number>(count).fill(0.25), [count], range);
  const options = { rule: "switch", switchBar: 1, updateThreshold: 0.04, stepsPerEpoch: 100 } as const;
  const [plain, heavy] = [
    await trained(options, codes),
    await trained({ ...options, coefficientMomentum: 0.5 }, codes),
  ];
  const gradient = new Array<number>(count).fill(0.25);
  for (let step = 0; step < 2; step++) for (const held of [plain, heavy]) await held.step(gradient, 0.125);
  // 0.125 · 0.25 is below the threshold, 0.125 · 0.375 is not.
  expect(plain.read("codes")[0]).toBe(codeOfValue(0.25, range));
  expect(heavy.read("codes")[0]).toBe(codeOfValue(0.125, range));
  expect(heavy.read("momentum")[0]).toBeCloseTo(0.375, 6);
  expect(() => plain.read("momentum")).toThrow(/no tensor "codes:momentum"/);
});

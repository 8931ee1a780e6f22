import { GraphBuilder, tensor, tensorNumbers } from "@dovetail/graph";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeOfValue, decode, defaultCodeRange, encode, forbiddenCode, valueOfCode } from "./codes.js";

const range = defaultCodeRange;
const codes = Array.from({ length: 15 }, (_, index) => index - 7);
const values = codes.map((code) => valueOfCode(code, range));

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

it("fifteen codes stand for zero and both signs of seven powers of two, the sixteenth for a zero that stays", () => {
  expect(values).toEqual([...values].sort((a, b) => a - b));
  expect(values.slice(8)).toEqual([-6, -5, -4, -3, -2, -1, 0].map((exponent) => 2 ** exponent));
  expect(valueOfCode(forbiddenCode, range)).toBe(0);
  for (const code of codes) expect(codeOfValue(valueOfCode(code, range), range)).toBe(code);
});

it("rounds to the nearest value, the larger magnitude at the middle", () => {
  fc.assert(
    fc.property(fc.float({ min: -1.5, max: 1.5, noNaN: true }), (value) => {
      const error = Math.abs(valueOfCode(codeOfValue(value, range), range) - value);
      expect(error).toBe(Math.min(...values.map((other) => Math.abs(other - value))));
    }),
  );
  expect([0.75, 0.375, 2 ** -7].map((middle) => valueOfCode(codeOfValue(middle, range), range))).toEqual([
    1,
    0.5,
    2 ** -6,
  ]);
});

it("the graph decodes and encodes to the same bits", async () => {
  const count = 64;
  const g = new GraphBuilder("codes");
  g.output(decode(g, g.input("codes", "int8", [count]), range), "values");
  g.output(encode(g, g.input("numbers", "float32", [count]), range), "encoded");
  const segment = await runtime.compile(g.build());
  const numbers = fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: count, maxLength: count });
  const stored = fc.array(fc.integer({ min: -8, max: 7 }), { minLength: count, maxLength: count });
  await fc.assert(
    fc.asyncProperty(numbers, stored, async (given, held) => {
      const outputs = await segment.run({
        codes: tensor("int8", [count], held),
        numbers: tensor("float32", [count], given),
      });
      expect(tensorNumbers(outputs.values!)).toEqual(held.map((code) => valueOfCode(code, range)));
      expect(tensorNumbers(outputs.encoded!).map((code) => code + 0)).toEqual(
        given.map((value) => codeOfValue(value, range) + 0),
      );
    }),
    { numRuns: 30 },
  );
});

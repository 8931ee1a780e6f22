import { createRandomStream } from "@dovetail/core";
import { differentiate, GraphBuilder, type Tensor, tensor, tensorNumbers, type Value } from "@dovetail/graph";
import { minMaxOf, quantizeAffine } from "@dovetail/quant";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantizeBySample, quantizeGradientBySample, rangeCandidates } from "./sample-quantizer.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const bits = [3, 4, 6];
const samples = 6;
const shape = [samples, 2, 3, 3];
/** Precision of each sample; the fourth has none, and 4 bit is nobody's. */
const chosen = [0, 2, 0, undefined, 2, 2];
const mask = tensor(
  "float32",
  [samples, bits.length],
  chosen.flatMap((choice) => bits.map((_, index) => (index === choice ? 1 : 0))),
);

function draw(seed: number, sizes = shape, spread = 1): Tensor {
  const random = createRandomStream(seed);
  const count = sizes.reduce((product, size) => product * size, 1);
  // Samples differ in scale, so that ranges of different samples are told apart.
  const rows = sizes[0]!;
  return tensor(
    "float32",
    sizes,
    Array.from({ length: count }, (_, index) => random.normal() * (1 + spread * Math.floor((index * rows) / count))),
  );
}

async function run(build: (g: GraphBuilder) => readonly Value[], feeds: Record<string, Tensor>): Promise<number[][]> {
  const g = new GraphBuilder("test");
  for (const [name, { dimensions }] of Object.entries(feeds)) g.input(name, "float32", dimensions);
  build(g).forEach((value, index) => {
    g.output(value, `result${index}`);
  });
  const segment = await runtime.compile({ ...g.build(), customGradients: [] });
  const outputs = await segment.run(feeds);
  await segment.release();
  return Object.values(outputs).map((output) => [...tensorNumbers(output)]);
}

const rowsOf = (values: readonly number[]): number[][] => {
  const size = values.length / samples;
  return Array.from({ length: samples }, (_, row) => values.slice(row * size, (row + 1) * size));
};

function rangesOf(g: GraphBuilder, x: Value, of: Value) {
  const candidates = rangeCandidates(g, x, of);
  return {
    min: g.op("ReduceMin", [candidates.min, g.int64s([0])], { keepdims: 0 }),
    max: g.op("ReduceMax", [candidates.max, g.int64s([0])], { keepdims: 0 }),
  };
}

/** The published form: each precision quantizes its samples, gathered, as one tensor. */
async function reference(values: readonly number[], noise?: readonly number[]): Promise<number[][]> {
  const rows = rowsOf(values);
  const noises = noise && rowsOf(noise);
  const result = rows.map((row) => row.map(() => 0));
  for (const [index, width] of bits.entries()) {
    const members = chosen.flatMap((choice, row) => (choice === index ? [row] : []));
    if (members.length === 0) continue;
    const gather = (from: readonly number[][]): Tensor =>
      tensor(
        "float32",
        [members.length, rows[0]!.length],
        members.flatMap((row) => from[row]!),
      );
    const feeds = { x: gather(rows), ...(noises && { noise: gather(noises) }) };
    const [quantized] = await run((g) => {
      const x = g.value("x");
      const drawn = noises ? g.value("noise") : undefined;
      return [quantizeAffine(g, x, { bits: g.scalar(width), noise: drawn, ...minMaxOf(g, x) })];
    }, feeds);
    members.forEach((row, place) => {
      result[row] = quantized!.slice(place * rows[0]!.length, (place + 1) * rows[0]!.length);
    });
  }
  return result;
}

function expectClose(ours: readonly number[], theirs: readonly number[], tolerance = 1e-5): void {
  expect(ours.length).toBe(theirs.length);
  ours.forEach((value, index) => {
    expect(Math.abs(value - theirs[index]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(theirs[index]!)));
  });
}

describe("activations quantized sample by sample", () => {
  it("equal those of each precision's samples quantized together; without a precision, zero", async () => {
    const x = draw(1);
    const [quantized] = await run(
      (g) => [quantizeBySample(g, g.value("x"), g.value("mask"), bits, rangesOf(g, g.value("x"), g.value("mask")))],
      { x, mask },
    );
    expectClose(quantized!, (await reference(tensorNumbers(x))).flat());
    const rows = rowsOf(quantized!);
    expect(rows[3]).toEqual(rows[3]!.map(() => 0));
    const distinct = (precision: number): number =>
      new Set(rows.filter((_, row) => chosen[row] === precision).flat()).size;
    expect(distinct(0)).toBeLessThanOrEqual(8);
    expect(distinct(0)).toBeGreaterThan(4);
    expect(distinct(2)).toBeLessThanOrEqual(64);
  });

  it("pass the gradient on, and give the gate that of the sum over all precisions", async () => {
    const [x, weight] = [draw(2), draw(3)];
    const gradients = (form: (g: GraphBuilder, x: Value, of: Value) => Value) => (g: GraphBuilder) => {
      const [value, of] = [g.value("x"), g.value("mask")];
      const loss = g.mul(form(g, value, of), g.value("weight"));
      return differentiate(g, { loss, withRespectTo: [value, of] });
    };
    const feeds = { x, mask, weight };
    const ours = await run(
      gradients((g, value, of) => quantizeBySample(g, value, of, bits, rangesOf(g, value, g.stopGradient(of)))),
      feeds,
    );
    const theirs = await run(
      gradients((g, value, of) => {
        const ranges = rangesOf(g, value, g.stopGradient(of));
        const terms = bits.map((width, index) => {
          const end = (ends: Value): Value => g.reshape(g.slice(g.stopGradient(ends), [index], [index + 1], [0]), []);
          const quantized = quantizeAffine(g, value, {
            bits: g.scalar(width),
            min: end(ranges.min),
            max: end(ranges.max),
          });
          return g.mul(quantized, g.reshape(g.slice(of, [index], [index + 1], [1]), [samples, 1, 1, 1]));
        });
        return terms.reduce((sum, term) => g.add(sum, term));
      }),
      feeds,
    );
    expectClose(ours[1]!, theirs[1]!, 1e-4);
    // A sample without a precision gets the gradient too: the gated convolution hands it zeros.
    const active = chosen.flatMap((choice) => rowsOf(ours[0]!)[0]!.map(() => (choice === undefined ? 0 : 1)));
    expectClose(
      ours[0]!.map((value, index) => value * active[index]!),
      theirs[0]!,
      1e-5,
    );
  });

  it("take the range of all samples for a precision that none has", async () => {
    const x = draw(4);
    const [min, max] = await run((g) => Object.values(rangesOf(g, g.value("x"), g.value("mask"))), { x, mask });
    const values = tensorNumbers(x);
    expect(min![1]).toBe(Math.min(...values));
    expect(max![1]).toBe(Math.max(...values));
    const first = rowsOf([...values]).filter((_, row) => chosen[row] === 0);
    expect(min![0]).toBe(Math.min(...first.flat()));
  });
});

describe("gradients quantized sample by sample", () => {
  it("equal those of each precision's samples quantized together, with the same noise", async () => {
    const [gradient, normal] = [draw(5), draw(6, shape, 0)];
    const noise = tensor(
      "float32",
      shape,
      [...tensorNumbers(normal)].map((value) => Math.max(-0.5, Math.min(0.5, value / 3))),
    );
    const [quantized] = await run(
      (g) => [quantizeGradientBySample(g, g.value("gradient"), g.value("mask"), bits, g.value("noise"))],
      { gradient, mask, noise },
    );
    expectClose(quantized!, (await reference(tensorNumbers(gradient), tensorNumbers(noise))).flat());
  });

  it("are exactly zero for samples without a precision, whatever arrives", async () => {
    const gradient = draw(7);
    const [quantized] = await run(
      (g) => [quantizeGradientBySample(g, g.value("gradient"), g.value("mask"), bits, undefined)],
      { gradient, mask },
    );
    expect(rowsOf(quantized!)[3]!.every((value) => value === 0)).toBe(true);
  });
});

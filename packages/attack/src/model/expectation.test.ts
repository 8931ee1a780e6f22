import { createRandomStream } from "@dovetail/core";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Examples } from "../attacks/attack.js";
import { lineSearchPgd } from "../attacks/line-search.js";
import { pgd } from "../attacks/pgd.js";
import { crossEntropyLoss, marginLoss } from "../losses/losses.js";
import { labelled, randomExamples, switchedNetwork, tinyNetwork } from "../testing/tiny-defence.js";
import { backwardThrough } from "./backward-through.js";
import { type Defence, openDefence, openDefenceOfNetworks } from "./defence.js";
import { ensembleNetwork } from "./ensemble.js";
import { buildImageGradient } from "./image-gradient.js";
import { withImageRange } from "./image-range.js";
import { createAnswer, type Oracle } from "./oracle.js";

const gains = [0.5, 1, 1.5, 2];
const probabilities = [0.4, 0.3, 0.2, 0.1];
const variants = gains.map((gain, index) => ({
  name: `gain ${gain}`,
  scalars: { gain, bend: index },
  probability: probabilities[index]!,
}));

let runtime: Runtime;
let defence: Defence;
let examples: Examples;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  defence = openDefence({ runtime, ...switchedNetwork(), variants, batchSize: 8 });
  const random = randomExamples(21);
  examples = labelled(random, await defence.over(["gain 1"]).logits(random.images));
});
afterAll(() => runtime.release());

async function differentiate(oracle: Oracle, loss = crossEntropyLoss) {
  const answer = createAnswer(examples.labels.length, defence.imageSize);
  await oracle.differentiate(examples, loss, answer);
  return answer;
}

describe("the exact expectation", () => {
  it.each([crossEntropyLoss, marginLoss])("is the weighted sum over the variants: $name", async (loss) => {
    const mean = await differentiate(defence.oracle, loss);
    const single = await Promise.all(variants.map(({ name }) => differentiate(defence.over([name]), loss)));
    const weighted = (of: (index: number) => number) =>
      variants.reduce((sum, { probability }, index) => sum + probability * of(index), 0);
    for (let row = 0; row < examples.labels.length; row++) {
      expect(mean.losses[row]).toBeCloseTo(
        weighted((index) => single[index]!.losses[row]!),
        10,
      );
      expect(mean.rightShares[row]).toBeCloseTo(
        weighted((index) => single[index]!.rightShares[row]!),
        12,
      );
    }
    for (let place = 0; place < mean.gradients.length; place += 7) {
      expect(mean.gradients[place]).toBeCloseTo(
        weighted((index) => single[index]!.gradients[place]!),
        5,
      );
    }
    expect(new Set(single.map(({ losses }) => losses[0])).size).toBe(variants.length);
  });

  it("of the probability is the gradient of the ensemble's cross-entropy", async () => {
    const names = variants.map(({ name }) => name);
    const ofProbability = await differentiate(defence.over(names, "meanProbability"));
    const { network, weights } = switchedNetwork();
    const ensemble = openDefence({ runtime, network: ensembleNetwork(network, variants), weights, batchSize: 8 });
    const ofEnsemble = await differentiate(ensemble.oracle);
    for (let row = 0; row < examples.labels.length; row++) {
      expect(ofProbability.losses[row]).toBeCloseTo(ofEnsemble.losses[row]!, 5);
    }
    const largest = ofEnsemble.gradients.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [place, value] of ofEnsemble.gradients.entries()) {
      expect(Math.abs(ofProbability.gradients[place]! - value)).toBeLessThan(1e-5 * largest);
    }
    await ensemble.release();
  });

  it("answers only the rows that it is asked about", async () => {
    const all = await differentiate(defence.oracle);
    const answer = createAnswer(examples.labels.length, defence.imageSize);
    answer.losses.fill(-5);
    const rows = Int32Array.from([1, 4, 5, 20]);
    await defence.oracle.differentiate(examples, crossEntropyLoss, answer, rows);
    for (let row = 0; row < examples.labels.length; row++) {
      if (!rows.includes(row)) expect(answer.losses[row]).toBe(-5);
      else expect(answer.losses[row]).toBeCloseTo(all.losses[row]!, 5);
    }
  });

  it("counts its passes, images times variants", async () => {
    const before = defence.passes();
    await differentiate(defence.oracle);
    await defence.oracle.evaluate(examples, crossEntropyLoss, createAnswer(21, 0), Int32Array.from([3]));
    const after = defence.passes();
    expect(after.forwardAndBackward - before.forwardAndBackward).toBe(21 * 4);
    expect(after.forward - before.forward).toBe(4);
  });
});

describe("one variant", () => {
  it("is PGD bit for bit", async () => {
    const { network, weights } = tinyNetwork();
    const plain = openDefence({ runtime, network, weights, batchSize: 8 });
    const options = { examples, epsilon: 0.06, random: createRandomStream(2) };
    const points = await pgd({ steps: 9 }).run({ ...options, oracle: plain.oracle });

    // By hand, on the plain graph: image by image, in float32 as tensors hold it.
    const graph = buildImageGradient(withImageRange(network, [0, 1]), { loss: crossEntropyLoss, batchSize: 1 });
    const segment = await runtime.compile(graph.graph, { state: runtime.createState(weights) });
    const size = plain.imageSize;
    for (const row of [0, 3, 20]) {
      const clean = examples.images.subarray(row * size, (row + 1) * size);
      const stream = createRandomStream(2).split(row).split(0);
      const clip = (value: number, place: number) =>
        Math.max(0, Math.min(1, Math.max(clean[place]! - 0.06, Math.min(clean[place]! + 0.06, value))));
      const point = clean.map((value, place) => clip(value + 0.06 * (2 * stream.uniform() - 1), place));
      for (let step = 0; step < 9; step++) {
        const { [graph.gradient!]: gradient } = await segment.run({
          [graph.image]: { elementType: "float32", dimensions: [1, ...plain.imageShape], data: point },
          [graph.label]: {
            elementType: "int64",
            dimensions: [1],
            data: BigInt64Array.from([BigInt(examples.labels[row]!)]),
          },
        });
        const values = gradient!.data as Float32Array;
        for (let place = 0; place < size; place++) {
          point[place] = clip(point[place]! + (0.06 / 4) * Math.sign(values[place]!), place);
        }
      }
      expect(points.slice(row * size, (row + 1) * size)).toEqual(point);
    }
    await plain.release();
  });

  it("is chosen exactly: over one of several is over it alone", async () => {
    const { network, weights } = switchedNetwork();
    const alone = openDefence({
      runtime,
      network,
      weights,
      variants: [{ ...variants[2]!, probability: 1 }],
      batchSize: 8,
    });
    expect(await differentiate(defence.over(["gain 1.5"]))).toEqual(await differentiate(alone.oracle));
    await alone.release();
  });
});

it("steps that are searched for never lower the expected loss", async () => {
  const trace: Float64Array[] = [];
  const attack = lineSearchPgd({ steps: 25, onLosses: (losses) => trace.push(losses) });
  await attack.run({ oracle: defence.oracle, examples, epsilon: 0.05, random: createRandomStream(1) });
  expect(trace.length).toBe(26);
  for (const [step, losses] of trace.slice(1).entries()) {
    for (const [row, loss] of losses.entries()) expect(loss).toBeGreaterThanOrEqual(trace[step]![row]!);
  }
  expect(trace.at(-1)![0]).toBeGreaterThan(trace[0]![0]!);
});

it("takes gradients from elsewhere, and losses and decisions from the defence", async () => {
  const through = await differentiate(backwardThrough(defence.oracle, defence.over(["gain 2"])));
  const [own, other] = [await differentiate(defence.oracle), await differentiate(defence.over(["gain 2"]))];
  expect(through.losses).toEqual(own.losses);
  expect(through.rightShares).toEqual(own.rightShares);
  expect(through.gradients).toEqual(other.gradients);
});

describe("several networks as one defence", () => {
  const members = (seeds: readonly number[]) =>
    seeds.map((seed, index) => ({
      ...tinyNetwork({ seed }),
      variants: [{ name: `seed ${seed}`, scalars: {}, probability: [0.75, 0.25][index]! }],
    }));

  it("are the weighted sum of each by itself", async () => {
    const both = openDefenceOfNetworks({ runtime, batchSize: 8, members: members([3, 4]) });
    const mean = await differentiate(both.oracle);
    const [first, second] = [await differentiate(both.over(["seed 3"])), await differentiate(both.over(["seed 4"]))];
    const alone = openDefence({ runtime, ...tinyNetwork({ seed: 4 }), batchSize: 8 });
    expect(second).toEqual(await differentiate(alone.oracle));
    for (let row = 0; row < examples.labels.length; row++) {
      expect(mean.losses[row]).toBeCloseTo(0.75 * first.losses[row]! + 0.25 * second.losses[row]!, 10);
    }
    for (let place = 0; place < mean.gradients.length; place += 7) {
      expect(mean.gradients[place]).toBeCloseTo(0.75 * first.gradients[place]! + 0.25 * second.gradients[place]!, 5);
    }
    expect(both.passes()).toEqual({ forward: 0, forwardAndBackward: 21 * 4 });
    await both.release();
  });

  it("must be for the same images and classes", () => {
    const [first] = members([3]);
    const other = { ...tinyNetwork({ classCount: 4 }), variants: [{ name: "other", scalars: {}, probability: 0.25 }] };
    expect(() => openDefenceOfNetworks({ runtime, members: [first!, other] })).toThrow(
      /expected images of 3×6×6, 5 classes, received images of 3×6×6, 4 classes/,
    );
  });
});

it("refuses variants that are none", () => {
  const { network, weights } = switchedNetwork();
  const open = (of: typeof variants) => () => openDefence({ runtime, network, weights, variants: of });
  expect(open(variants.slice(1))).toThrow(/positive probabilities that add up to 1/);
  expect(
    open([
      { ...variants[0]!, probability: 0.5 },
      { ...variants[0]!, probability: 0.5 },
    ]),
  ).toThrow(/names that differ/);
  expect(open([{ ...variants[0]!, probability: 1, scalars: { gian: 1 } as never }])).toThrow(
    /expected gain, bend, received gian/,
  );
});

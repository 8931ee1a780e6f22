import { createRandomStream } from "@dovetail/core";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apgdCe } from "../attacks/apgd.js";
import type { Examples } from "../attacks/attack.js";
import { runAutoAttack } from "../attacks/auto-attack.js";
import { cwTau } from "../attacks/cw.js";
import { pgd } from "../attacks/pgd.js";
import { square } from "../attacks/square.js";
import { type Defence, openDefence } from "../model/defence.js";
import { ensembleNetwork } from "../model/ensemble.js";
import { labelled, randomExamples, switchedNetwork, tinyNetwork } from "../testing/tiny-defence.js";
import { adaptiveEvaluation } from "./adaptive.js";
import { decide, decisionsOf } from "./judge.js";
import { publishedAutoAttack, publishedEvaluation, publishedPgd } from "./published.js";
import { type ProtocolOptions, randomAgainstRandom, transferGaps, transferMatrix } from "./transfer.js";

const probabilities = [0.5, 0.3, 0.2];
const variants = probabilities.map((probability, index) => ({
  name: `bend ${8 * index}`,
  scalars: { bend: 8 * index },
  probability,
}));
const count = 40;

let runtime: Runtime;
let defence: Defence;
let examples: Examples;
let options: ProtocolOptions;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  defence = openDefence({ runtime, ...switchedNetwork(), variants, batchSize: 16 });
  const random = randomExamples(count);
  examples = labelled(random, await defence.over(["bend 8"]).logits(random.images));
  options = { defence, examples, epsilon: 0.04, random: createRandomStream(5) };
});
afterAll(() => runtime.release());

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

describe("the transfer matrix", () => {
  it("has a mean that is random against random: what evaluations with draws come to", async () => {
    const matrix = await transferMatrix(pgd({ steps: 5 }), options);
    expect(matrix.variants).toEqual(variants.map(({ name }) => name));
    // Each cell by itself, from the same starts.
    let expected = 0;
    for (const attacked of variants) {
      for (const decides of variants) {
        const images = await pgd({ steps: 5 }).run({ ...options, oracle: defence.over([attacked.name]) });
        const { byVariant } = await decide(defence, images, examples.labels);
        const share = byVariant[variants.indexOf(decides)]!;
        expect(matrix.accuracyFraction[variants.indexOf(decides)]![variants.indexOf(attacked)]).toBe(share);
        expected += attacked.probability * decides.probability * share;
      }
    }
    expect(randomAgainstRandom(matrix, defence)).toBeCloseTo(expected, 12);
    // Draws for each image come near it: 30 evaluations of 40 images.
    const drawn: number[] = [];
    for (let seed = 0; seed < 30; seed++) {
      const random = createRandomStream(seed);
      drawn.push((await publishedEvaluation(pgd({ steps: 5 }), { ...options, random, drawBatch: 8 })).accuracyFraction);
    }
    expect(Math.abs(mean(drawn) - expected)).toBeLessThan(0.05);
  });

  it("has the attacked variant as the weakest", async () => {
    const matrix = await transferMatrix(pgd({ steps: 10 }), options);
    for (const gap of transferGaps(matrix)) expect(gap).toBeGreaterThan(0);
  });

  it("looks better where misclassified images are frozen", async () => {
    const free = await transferMatrix(pgd({ steps: 20 }), options);
    const frozen = await transferMatrix(publishedPgd({ steps: 20 }), options);
    expect(randomAgainstRandom(frozen, defence)).toBeGreaterThan(randomAgainstRandom(free, defence));
    for (const [index] of variants.entries()) {
      expect(frozen.accuracyFraction[index]![index]).toBeCloseTo(free.accuracyFraction[index]![index]!, 1);
    }
  });
});

describe("the published AutoAttack figure", () => {
  it("is R·P + W·P + F·P, and judges only what was broken on attacked images", async () => {
    const figure = await publishedAutoAttack({ ...options, steps: 8, queries: 30, drawBatch: 10 });
    const { survivedFraction: R, wrongFraction: W, brokenFraction: F } = figure;
    expect(R + W + F).toBeCloseTo(1, 12);
    expect(R * figure.rightOfSurvived + W * figure.rightOfWrong + F * figure.rightOfBroken).toBeCloseTo(
      figure.accuracyFraction,
      12,
    );
    for (const share of [R, W, F]) expect(share).toBeGreaterThan(0);
  });
});

describe("decisions", () => {
  const decisions = decisionsOf(
    variants,
    [
      Float32Array.from([3, 0, 0, /**/ 0, 5, 0]),
      Float32Array.from([0, 1, 0, /**/ 1, 0, 0]),
      Float32Array.from([0, 1, 0, /**/ 1, 0, 0]),
    ],
    Int32Array.from([0, 0]),
    3,
  );

  it("differ: of a draw, of the worst case, by vote and by mean", () => {
    // First image: 0.5 for class 0, 0.5 for class 1 by votes; the mean softmax prefers 0. Second: the same votes, but 1.
    expect(decisions.byVariant).toEqual([0.5, 0.5, 0.5]);
    expect(decisions.drawn).toBeCloseTo(0.5, 12);
    expect(decisions.worstCase).toBe(0);
    expect(decisions.majorityVote).toBe(0.5);
    expect(decisions.ensembleMean).toBe(0.5);
  });

  it("of the ensemble's mean are the ensemble network's", async () => {
    const { network, weights } = switchedNetwork();
    const ensemble = openDefence({ runtime, network: ensembleNetwork(network, variants), weights, batchSize: 16 });
    const own = await decide(ensemble, examples.images, examples.labels);
    const { ensembleMean } = await decide(defence, examples.images, examples.labels);
    expect(ensembleMean).toBe(own.drawn);
    await ensemble.release();
  });
});

describe("the adaptive evaluation", () => {
  it("takes each image's worst point within epsilon, and no attack's figure lies below it", async () => {
    const attacks = [pgd({ steps: 5 }), apgdCe({ steps: 10 }), square({ queries: 20 }), cwTau({ steps: 30, tau: 0.3 })];
    const result = await adaptiveEvaluation({ ...options, attacks });
    expect(result.attacks.map(({ attack }) => attack)).toEqual(["pgd", "apgd-ce", "square", "cw-tau"]);
    for (const { attack, accuracyFraction, largestChange, rightShares, interval95 } of result.attacks) {
      expect(accuracyFraction).toBeCloseTo(mean(rightShares), 12);
      expect(interval95[0] <= accuracyFraction && accuracyFraction <= interval95[1]).toBe(true);
      if (attack === "cw-tau") expect(largestChange).toBeGreaterThan(options.epsilon + 0.01);
      else expect(largestChange).toBeLessThanOrEqual(options.epsilon + 1e-7);
      if (attack === "cw-tau") continue;
      for (const [row, share] of rightShares.entries()) {
        expect(result.worst.rightShares[row]).toBeLessThanOrEqual(share);
      }
    }
    expect(result.worst.largestChange).toBeLessThanOrEqual(options.epsilon + 1e-6);
    expect(result.decisions.drawn).toBeCloseTo(result.worst.accuracyFraction, 12);
    expect(result.decisions.worstCase).toBeLessThanOrEqual(result.decisions.drawn);
    expect(result.clean.accuracyFraction).toBeGreaterThan(result.worst.accuracyFraction);
  });

  it("is stronger than attacks on one variant, whatever the variant", async () => {
    const attack = pgd({ steps: 40, keep: "best" });
    const result = await adaptiveEvaluation({ ...options, attacks: [attack] });
    const matrix = await transferMatrix(attack, options);
    for (const attacked of variants.keys()) {
      const column = matrix.accuracyFraction.reduce(
        (sum, row, decides) => sum + row[attacked]! * probabilities[decides]!,
        0,
      );
      expect(result.worst.accuracyFraction).toBeLessThanOrEqual(column + 1e-9);
    }
  });
});

describe("AutoAttack", () => {
  it("only lowers the accuracy from attack to attack, and its points have the accuracy that it states", async () => {
    const plain = openDefence({ runtime, ...tinyNetwork(), batchSize: 16 });
    const own = labelled(examples, await plain.oracle.logits(examples.images));
    const task = { oracle: plain.oracle, examples: own, epsilon: 0.01, random: createRandomStream(1) };
    const result = await runAutoAttack(task, { steps: 10, queries: 50 });
    expect(result.cleanAccuracyFraction).toBe(1);
    const figures = [1, ...result.stages.map((stage) => stage.robustAccuracyFraction)];
    for (const [index, figure] of figures.slice(1).entries()) expect(figure).toBeLessThanOrEqual(figures[index]!);
    expect(figures.at(-1)).toBeGreaterThan(0);
    expect(figures.at(-1)).toBeLessThan(1);
    const { drawn } = await decide(plain, result.images, own.labels);
    expect(drawn).toBe(figures.at(-1));
    await plain.release();
  });

  it("leaves out what needs more classes than there are", async () => {
    const small = { classCount: 3 };
    const plain = openDefence({ runtime, ...tinyNetwork(small), batchSize: 16 });
    const own = randomExamples(10, small);
    const task = { oracle: plain.oracle, examples: own, epsilon: 0.01, random: createRandomStream(1) };
    const result = await runAutoAttack(task, { steps: 3, queries: 5 });
    expect(result.leftOut).toEqual(["apgd-t"]);
    await plain.release();
  });
});

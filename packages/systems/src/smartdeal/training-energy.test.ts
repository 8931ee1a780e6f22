import { extractWorkloads } from "@dovetail/hardware";
import { countMacs, globalAveragePool, linear, NetworkBuilder, resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { inferenceEnergyPj } from "./inference-energy.js";
import {
  type KeptWeights,
  layerArithmetic,
  type Parameters as MovedParameters,
  partPj,
  stepEnergy,
  stepParts,
  totalPj,
} from "./training-energy.js";
import { multiplyAccumulatePj } from "./training-machine.js";

const dramPjPerBit = 8;

/** One layer of 48 × 10 weights. */
const single = (() => {
  const n = new NetworkBuilder("single");
  return n.build(linear(n, "classifier", globalAveragePool(n, n.imageInput(48, 1, 1)), { features: 10 }));
})();
const kept: KeptWeights = { columns: 3, rows: 160, keptRows: 120, bases: 10 };
const factored = (more: Partial<KeptWeights> = {}, momentumBits = 0): MovedParameters => ({
  kind: "factored",
  kept: new Map([["classifier.weight", { ...kept, ...more }]]),
  state: { ownBits: 5, momentumBits },
});
const dense: MovedParameters = { kind: "dense" };
const options = { batchSize: 16, arithmetic: "float32" } as const;

describe("a step of one layer", () => {
  const ours = stepEnergy(single, { ...options, parameters: factored() });
  const theirs = stepEnergy(single, { ...options, parameters: dense });

  it("moves the update's bits as counted by hand", () => {
    const pj = multiplyAccumulatePj("float32");
    expect(theirs.update.weightsPj).toBeCloseTo(480 * 4 * 32 * dramPjPerBit, 6);
    expect(theirs.update.arithmeticPj).toBeCloseTo(2 * 480 * pj, 6);
    // 360 coefficients of 4 + 5 bits read and written, 90 elements of bases with as much momentum.
    expect(ours.update.weightsPj).toBeCloseTo((2 * 360 * 9 + 4 * 90 * 32) * dramPjPerBit, 6);
    // Of a coefficient three products and three float32 additions, and two operations of the step as of a basis element.
    expect(ours.update.arithmeticPj).toBeCloseTo(360 * 3 * (pj + 0.9) + 2 * (360 + 90) * pj, 6);
    const more = stepEnergy(single, { ...options, parameters: factored({}, 32) });
    expect(more.update.weightsPj - ours.update.weightsPj).toBeCloseTo(2 * 360 * 32 * dramPjPerBit, 6);
  });

  it("moves weights in their own bits, and leaves activations as they are", () => {
    const share = (120 * 3 * 4 + 160 + 90 * 32) / (480 * 32);
    expect(ours.forward.weightsPj).toBeCloseTo(theirs.forward.weightsPj * share, 6);
    expect(ours.forward.activationsPj).toBe(theirs.forward.activationsPj);
    expect(ours.forward.arithmeticPj).toBeCloseTo(0.75 * theirs.forward.arithmeticPj, 6);
    expect(ours.forward.rebuildPj).toBeGreaterThan(0);
    expect(theirs.forward.rebuildPj).toBe(0);
  });

  it("has no error product at the first layer", () => {
    expect(partPj(ours.error)).toBe(0);
  });
});

it("computes the classifier in float32, all other layers in what is asked for", () => {
  const network = resNet({ depth: 8 });
  const arithmeticOf = layerArithmetic(network, "integer8");
  const { layers } = extractWorkloads(network.graph, { batchSize: 1 });
  expect(layers.map(({ name }) => arithmeticOf(name))).toEqual([...Array(9).fill("integer8"), "float32"]);
});

it.each(["float32", "integer8"] as const)(
  "of a ResNet in %s: no fewer products than it has, weights shared by the batch",
  (arithmetic) => {
    const network = resNet({ depth: 8 });
    const [small, large] = [4, 16].map((batchSize) =>
      stepEnergy(network, { batchSize, arithmetic, parameters: dense }),
    );
    const productsPj = 4 * countMacs(network.graph) * multiplyAccumulatePj(arithmetic);
    for (const part of ["forward", "weightGradient"] as const) {
      expect(small![part].arithmeticPj).toBeGreaterThan(productsPj * 0.999);
      expect(small![part].arithmeticPj).toBeLessThan(productsPj * (arithmetic === "float32" ? 1.6 : 6));
    }
    expect(large!.forward.weightsPj / 16).toBeLessThan(small!.forward.weightsPj / 4);
    expect(totalPj(small!)).toBeCloseTo(
      stepParts.reduce((sum, part) => sum + partPj(small![part]), 0),
      6,
    );
    expect(large!.update).toEqual(small!.update);
  },
);

describe("inference", () => {
  const energy = (options: Parameters<typeof inferenceEnergyPj>[1]) => inferenceEnergyPj(single, options);
  const factors = new Map([["classifier.weight", kept]]);

  it("takes less with the factors, and less with every zero that the input has", () => {
    const inputZeros = (share: number) => ({ classifier_Gemm: share });
    const [dense, ours] = [energy({}), energy({ kept: factors })];
    expect(ours).toBeLessThan(dense);
    expect(energy({ kept: factors, inputZeros: inputZeros(0) })).toBeCloseTo(ours, 6);
    const [half, most] = [0.5, 0.9].map((share) => energy({ kept: factors, inputZeros: inputZeros(share) }));
    expect(half!).toBeLessThan(ours);
    expect(most!).toBeLessThan(half!);
  });

  it("moves bases at 8 bits, each with its scale", () => {
    const base = { columns: 3, rows: 160, keptRows: 0, bases: 10 };
    const [few, more] = [base, { ...base, bases: 20 }].map((sizes) =>
      energy({ kept: new Map([["classifier.weight", sizes]]) }),
    );
    const none = energy({ kept: new Map([["classifier.weight", { ...base, bases: 0 }]]) });
    expect((more! - none) / (few! - none)).toBeCloseTo(2, 6);
    // A basis of 9 elements takes as much as 80 marks of rows.
    const marks = energy({ kept: new Map([["classifier.weight", { ...base, rows: 160 + 800, bases: 0 }]]) });
    expect(few! - none).toBeCloseTo(marks - none, 6);
  });

  it("stores no more for a word with a mark than the word", () => {
    expect(energy({ inputZeros: { classifier_Gemm: 0.05 } })).toBeLessThanOrEqual(energy({}));
  });
});

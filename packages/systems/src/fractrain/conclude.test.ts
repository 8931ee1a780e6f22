import { resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { conclusionSchema } from "../reproduction/card.js";
import { concludeFracTrain } from "./conclude.js";
import { bitMacsOf, equalStatics } from "./equal-statics.js";
import { experiments } from "./experiment.js";
import { type PieceFigures, piecesOf } from "./pieces.js";

const plain: PieceFigures = {
  accuracyFraction: 0.7,
  steps: 10,
  bitMacs: 100,
  float32Macs: 1600,
  gateShare: 0,
  turningPoints: [],
  twoInOne: { latencyCycles: 1000, energyPj: 500 },
  bitFusion: { latencyCycles: 1500, energyPj: 700 },
};
const choices = Array.from({ length: 3 }, () => [0.5, 0.5, 0, 0, 0, 0]);
const ownChoices = Array.from({ length: 3 }, () => [0.5, 0.25, 0.25, 0, 0]);
const gated = { ...plain, gateShare: 0.002, trainingChoices: choices, testChoices: choices };
const ownGated = { ...gated, trainingChoices: ownChoices, testChoices: ownChoices };

/** Results of all pieces; those whose name contains a key get its figures. */
function resultsOf(scale: "quick" | "full", figures: Readonly<Record<string, Partial<PieceFigures>>>) {
  return new Map(
    piecesOf(experiments[scale]).map(({ name }) => {
      const base = name.includes("published") ? gated : /fractrain|dfq/.test(name) ? ownGated : plain;
      const own = Object.entries(figures).find(([key]) => name.includes(key))?.[1] ?? {};
      const bits = name.includes("equal-static") ? { bits: { activationBits: 4, gradientBits: 6 } } : {};
      return [name, { ...base, ...bits, ...own }] as const;
    }),
  );
}

describe("what the results say", () => {
  it("compares seed by seed, with the best of the static networks of equal cost", () => {
    const results = resultsOf("full", {
      "scratch-fractrain-seed0": {
        accuracyFraction: 0.71,
        bitMacs: 40,
        twoInOne: { latencyCycles: 600, energyPj: 250 },
      },
      "scratch-fractrain-seed1": {
        accuracyFraction: 0.72,
        bitMacs: 50,
        twoInOne: { latencyCycles: 600, energyPj: 250 },
      },
      "scratch-fractrain-seed2": {
        accuracyFraction: 0.7,
        bitMacs: 30,
        twoInOne: { latencyCycles: 600, energyPj: 250 },
      },
      "equal-static-1-seed0": { accuracyFraction: 0.69 },
      "equal-static-2-seed0": { accuracyFraction: 0.705 },
    });
    const conclusion = conclusionSchema.parse(concludeFracTrain("full", results));
    const claim = (text: string) => conclusion.claims.find((candidate) => candidate.text.includes(text))!;
    expect(claim("fewer bit-operations")).toMatchObject({ ours: 60, perSeed: [60, 50, 70], held: true });
    expect(claim("modelled latency than SBM 8/8 on 2-in-1's")).toMatchObject({ ours: 40, held: true });
    expect(claim("modelled latency than SBM 8/8 on Bit Fusion's")).toMatchObject({ ours: 0, held: false });
    expect(claim("modelled energy than SBM 8/8 on 2-in-1's")).toMatchObject({ ours: 50, held: true });
    // 0.71 − 0.705, 0.72 − 0.7, 0.7 − 0.7.
    expect(claim("best static")).toMatchObject({ perSeed: [0.5, 2, 0], held: true });
    expect(claim("gates' own layers").ours).toBeCloseTo(0.2, 9);
    const methods = conclusion.tables[0]!.rows;
    expect(methods.find(([name]) => name === "fractrain")!.slice(1, 3)).toEqual([3, 71]);
    expect(methods.find(([name]) => name === "pfq")![1]).toBe(3);
    expect(methods.find(([name]) => name === "dfq")![1]).toBe(1);
    const chosen = conclusion.tables.find(({ title }) => title.startsWith("What the gates"))!;
    const cells = (method: string): unknown =>
      Object.fromEntries(chosen.rows.find(([name]) => name === method)!.map((cell, at) => [chosen.columns[at], cell]));
    expect(cells("fractrain")).toMatchObject({ "skip, %": null, "3/6, %": 50, "5/6, %": 25, "4/8, %": null });
    expect(cells("fractrain-published")).toMatchObject({ "skip, %": 50, "3/6, %": 50, "5/6, %": null, "4/8, %": 0 });
  });

  it("says what did not hold, and what was tried", () => {
    const results = resultsOf("quick", { "scratch-fractrain": { accuracyFraction: 0.5, bitMacs: 90 } });
    const { claims } = concludeFracTrain("quick", results);
    const failed = claims.filter(({ held }) => !held);
    expect(failed.map(({ text }) => text.split(":")[0])).toContain("FracTrain");
    const accuracy = failed.find(({ text }) => text.includes("best static"))!;
    expect(accuracy.ours).toBe(-20);
    expect(accuracy.spread).toBe(null);
    expect(failed.filter(({ tried }) => tried.length < 3)).toEqual([]);
  });
});

it("finds static precisions of equal cost to within a few percent", () => {
  const network = resNet({ depth: 8 });
  for (const bits of [
    { weightBits: 4, activationBits: 3, gradientBits: 6 },
    { weightBits: 4, activationBits: 6, gradientBits: 8 },
  ]) {
    const target = bitMacsOf(network, bits);
    const [nearest, second] = equalStatics(network, target);
    expect(bitMacsOf(network, nearest!)).toBeCloseTo(target, 6);
    const difference = Math.abs(bitMacsOf(network, second!) / target - 1);
    expect(difference).toBeLessThan(0.05);
  }
});

import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { evaluateCost } from "../cost/explain.js";
import { structuredWeights } from "../precision/structured-weights.js";
import { meanTerms, measureWords, uniformWords } from "../precision/words.js";
import { convolutionProblem } from "../workload/layers.js";
import { costOnAccelerator, mapOnAccelerator } from "./cost.js";
import { type Accelerator, readAccelerator } from "./document.js";
import { specialise } from "./specialise.js";
import { annotatedStatistics } from "./statistics.js";

const text = `
name: small
title: Small
source: none
technologyNm: 45
clockMhz: 100
levels:
  - { name: DRAM, memory: { kind: dram, type: LPDDR4, bitsPerCycle: 64 } }
  - { name: buffer, memory: { kind: sram, bytes: 16384, widthBits: 64 } }
  - { name: array, fanout: { x: 4, y: 4 } }
  - { name: sums, memory: { kind: registers, words: 4, wordBits: 24 } }
unit: { kind: fixed, weightBits: 8, inputBits: 8 }
constraints:
  levels:
    - { level: DRAM, keep: [Weights, Inputs, Outputs] }
    - { level: buffer, keep: [Weights, Inputs], bypass: [Outputs] }
    - { level: array, temporal: { dimensions: [] } }
    - { level: sums, keep: [Outputs], bypass: [Weights, Inputs] }
`;

const base = readAccelerator(text);
const layer = (weights = 8, inputs = 8) =>
  convolutionProblem({
    inputChannels: 16,
    outputChannels: 16,
    outputHeight: 8,
    outputWidth: 8,
    kernelHeight: 3,
    kernelWidth: 3,
    bitWidths: { weights, inputs, outputs: 8 },
  });
const withUnit = (unit: Accelerator["unit"]): Accelerator => ({ ...base, unit });
const serial = withUnit({ kind: "serial", weightBits: 8, inputBits: 8, serialOperand: "weights" });

describe("an accelerator at a layer's precision", () => {
  it("of fixed width is the architecture that it says", () => {
    const { architecture, problem, cyclesPerStep, sources } = specialise(base, layer());
    expect(cyclesPerStep).toBe(1);
    expect(problem).toEqual(layer());
    expect(architecture.compute).toEqual({ name: "unit", energyPj: 0.298, areaUm2: 687.6 });
    expect(Object.keys(sources).sort()).toEqual(["DRAM", "buffer", "fixed", "sums"]);
  });

  it("of fixed width stores narrow words at its own width, and takes passes for wide ones", () => {
    expect(specialise(base, layer(4, 4)).problem.dataSpaces.map(({ bitWidth }) => bitWidth)).toEqual([8, 8, 8]);
    const wide = specialise(base, layer(16, 8));
    expect(wide.cyclesPerStep).toBe(2);
    expect(wide.architecture.compute.energyPj).toBeCloseTo(2 * 0.298, 12);
  });

  it("a step of a serial unit is as many cycles as its operand has bits, and all memories have that time", () => {
    for (const bits of [2, 4, 8]) {
      const { architecture, cyclesPerStep } = specialise(serial, layer(bits, 8));
      expect(cyclesPerStep).toBe(bits);
      expect(architecture.clockMhz).toBe(100 / bits);
      expect(architecture.levels[0]!.storage!.sharedBitsPerCycle).toBe(64 * bits);
      const dense = specialise(base, layer()).architecture.levels[1]!.storage!.leakagePjPerCycle!;
      expect(architecture.levels[1]!.storage!.leakagePjPerCycle).toBeCloseTo(dense * bits, 15);
    }
  });

  it("cycles and time of a mapping agree whichever way they are counted", () => {
    const found = mapOnAccelerator(layer(3, 8), serial, { random: createRandomStream(2), evaluations: 200 });
    if (!found.ok) throw new Error("no mapping");
    const { architecture, problem } = specialise(serial, layer(3, 8));
    const steps = evaluateCost(problem, architecture, found.mapping);
    if (!steps.ok) throw new Error("rejected");
    expect(found.cost.latencyCycles).toBe(3 * steps.latencyCycles);
    expect(found.cost.latencyMs).toBeCloseTo(found.cost.latencyCycles / 1e5, 12);
    expect(found.cost.edpJouleCycles).toBeCloseTo(found.cost.energyPj * 1e-12 * found.cost.latencyCycles, 15);
    const again = costOnAccelerator(layer(3, 8), serial, found.mapping);
    expect(again).toEqual(found.cost);
  });

  it("bounds of the model exact come back in cycles too", () => {
    const options = { random: createRandomStream(2), evaluations: 100, model: "exact" } as const;
    const found = mapOnAccelerator(layer(3, 8), serial, options);
    if (!found.ok) throw new Error("no mapping");
    const { latencyCycles, exactCycles, compute } = found.cost;
    expect(compute.cycles % 3).toBe(0);
    expect(latencyCycles).toBeGreaterThanOrEqual(Math.floor(exactCycles!.least));
    expect(latencyCycles).toBeLessThanOrEqual(Math.ceil(exactCycles!.most));
    expect(exactCycles!.least).toBeGreaterThanOrEqual(compute.cycles);
  });

  it("units without figures are refused", () => {
    expect(() => specialise(serial, layer(16, 8))).toThrow("no figures of a serial unit");
    expect(() => specialise({ ...base, technologyNm: 28 }, layer())).toThrow("28 nm");
    expect(() => specialise({ ...serial, technologyNm: 65 }, layer())).toThrow("65 nm");
  });
});

describe("an accelerator at a layer's sparsity", () => {
  const sparse = (sparsity: Partial<NonNullable<Accelerator["sparsity"]>>): Accelerator => ({
    ...base,
    sparsity: { skips: [], gates: [], skippingLevels: [], stored: {}, ...sparsity },
  });

  it("skipping saves time and energy, gating energy only; without zeros neither saves anything", () => {
    const statistics = { weightZeroFraction: 0.75, inputZeroFraction: 0.5 };
    const skipping = specialise(sparse({ skips: ["Weights"], gates: ["Inputs"] }), layer(), statistics);
    expect(skipping.cyclesPerStep).toBe(0.25);
    expect(skipping.architecture.compute.energyPj).toBeCloseTo(0.298 * 0.25 * 0.5, 12);
    const dense = specialise(sparse({ skips: ["Weights", "Inputs"] }), layer());
    expect(dense.architecture).toEqual(specialise(base, layer()).architecture);
    expect(() => specialise(base, layer(), { weightZeroFraction: 2 })).toThrow("weightZeroFraction: no part");
  });

  it("memories that skip are accessed less, at the pace of what is left", () => {
    const [, buffer] = specialise(base, layer()).architecture.levels;
    const accelerator = sparse({ skips: ["Weights"], skippingLevels: ["buffer"] });
    const [dram, skipped] = specialise(accelerator, layer(), { weightZeroFraction: 0.75 }).architecture.levels;
    expect(skipped!.storage!.readPj).toBeCloseTo(buffer!.storage!.readPj / 4, 12);
    expect(skipped!.storage!.sharedBitsPerCycle).toBe(64);
    expect(dram!.storage!.sharedBitsPerCycle).toBe(16);
  });

  it("compressed tensors take fewer bits a word, and never more than stored plainly", () => {
    const stored = { Weights: { format: "bitmask" }, Inputs: { format: "indexed", indexBits: 4 } } as const;
    const widths = (weightZeroFraction: number, inputZeroFraction: number) =>
      specialise(sparse({ stored }), layer(), { weightZeroFraction, inputZeroFraction }).problem.dataSpaces.map(
        ({ bitWidth }) => bitWidth,
      );
    expect(widths(0.5, 0.5)).toEqual([5, 6, 8]);
    expect(widths(0, 0)).toEqual([8, 8, 8]);
  });

  it("SmartExchange's form: storage of the form, rows skipped, rebuilding charged where weights leave their memory", () => {
    const rebuild = { engines: 2, coefficientsPerCycle: 1, additionPj: 0.019, source: "none" };
    const accelerator = sparse({ skips: ["Weights"], stored: { Weights: { format: "structured" } }, rebuild });
    const structured = { keptRowFraction: 0.5 };
    const shape = { outputChannels: 16, inputChannels: 16, kernelHeight: 3, kernelWidth: 3 };
    const form = structuredWeights(shape, structured);
    const special = specialise(accelerator, layer(), { structured });
    expect(special.problem.dataSpaces[0]!.bitWidth).toBe(form.bitsPerWeight);
    expect(special.effectualFraction).toBe(0.5);
    const dense = specialise(base, layer()).architecture.levels[1]!.storage!;
    const rebuilt = special.architecture.levels[1]!.storage!;
    // A row of 64 bits holds ⌊64 / bits⌋ weights; half of them are kept, three additions each.
    const words = Math.floor(64 / form.bitsPerWeight);
    expect(rebuilt.readPj - dense.readPj).toBeCloseTo(words * 0.5 * 3 * 0.019, 10);
    expect(rebuilt.writePj).toBe(dense.writePj);
    // Two engines rebuild a coefficient each in a cycle, which is two thirds of a kept row; a step is half a cycle.
    const bitsOfRow = form.totalBits / form.keptRows;
    expect(rebuilt.readBitsPerCycle).toBeCloseTo((2 / 3) * bitsOfRow * 0.5, 10);
    // Without a second register three cycles go by for each of the 16 filters' bases.
    const waiting = {
      ...accelerator,
      sparsity: { ...accelerator.sparsity!, rebuild: { ...rebuild, basisLoadCycles: 3 } },
    };
    const slower = specialise(waiting, layer(), { structured }).architecture.levels[1]!.storage!;
    const cycles = (form.keptRows * 3) / 2 + form.bases * 3;
    expect(slower.readBitsPerCycle).toBeCloseTo((form.totalBits / cycles) * 0.5, 10);
    // A basis for nine weights takes more than the weights: such a layer is stored plainly, and nothing is rebuilt.
    const depthwise = { inputChannels: 16, outputChannels: 16, groups: 16, outputHeight: 8, outputWidth: 8 };
    const plain = specialise(accelerator, convolutionProblem({ ...depthwise, kernelHeight: 3, kernelWidth: 3 }), {
      structured,
    });
    expect(plain.problem.dataSpaces[0]!.bitWidth).toBe(8);
    expect(plain.architecture.levels[1]!.storage!.readPj).toBe(dense.readPj);
  });

  it("pairs of rows: either may be zero; time and shared reads go by the rows that a filter in step needs; indices are read", () => {
    const rows = {
      indexBitPj: 0.5,
      outputsTogether: 4,
      filtersInStep: 12,
      filtersPerPattern: 6,
      sharedLevels: ["buffer"],
      source: "none",
    };
    const accelerator = sparse({ skips: ["Weights", "Inputs"], rows, stored: { Inputs: { format: "rowIndexed" } } });
    const structured = { keptRowFraction: 0.25 };
    const statistics = { structured, inputZeroRowFraction: 0.5, inputZeroFraction: 0.9, weightZeroFraction: 0.9 };
    const special = specialise(accelerator, layer(), statistics);
    expect(special.effectualFraction).toBe(0.125);
    // Twelve of the sixteen filters in step, in two patterns that each keep a quarter of the rows.
    expect(special.cyclesPerStep).toBeCloseTo(0.5 * (1 - 0.75 ** 2), 12);
    expect(specialise(accelerator, layer(), { ...statistics, zeroRowsInStepFraction: 0 }).cyclesPerStep).toBe(0.5);
    const one = { ...accelerator, sparsity: { ...accelerator.sparsity!, rows: { ...rows, filtersPerPattern: 12 } } };
    expect(specialise(one, layer(), statistics).cyclesPerStep).toBe(0.125);
    expect(() => specialise(one, layer(), { zeroRowsInStepFraction: 2 })).toThrow("zeroRowsInStepFraction: no part");
    // A row has 10 words; half of the rows are stored.
    expect(special.problem.dataSpaces[1]!.bitWidth).toBeCloseTo(4 + 1 / 10, 12);
    const dense = specialise(base, layer()).architecture;
    const buffer = special.architecture.levels[1]!.storage!;
    expect(buffer.readPj).toBeCloseTo((1 - 0.75 ** 2) * dense.levels[1]!.storage!.readPj, 12);
    expect(buffer.writePj).toBe(dense.levels[1]!.storage!.writePj);
    // A pair stands for 3 × 4 products: a row of 8 outputs is worked on in two parts.
    const index = special.architecture.compute.energyPj - 0.125 * dense.compute.energyPj;
    expect(index).toBeCloseTo((2 * 0.5) / 12, 12);
    // Words that are zero in rows that are not gain nothing.
    expect(specialise(accelerator, layer(), { inputZeroFraction: 0.9 }).effectualFraction).toBe(1);
  });

  it("units beside the multiplier do shifts and additions", () => {
    const three = withUnit({ ...base.unit, beside: ["shift", "add"] });
    const of = (accelerator: Accelerator, operation: "multiply" | "shift" | "add") =>
      specialise(accelerator, { ...layer(5), operation }).architecture.compute;
    expect(of(three, "multiply").energyPj).toBeCloseTo(0.298, 12);
    expect(of(three, "shift").energyPj).toBeCloseTo((0.298 * 958) / 1497, 12);
    expect(of(three, "add").energyPj).toBeCloseTo((0.298 * 726) / 1497, 12);
    for (const kind of ["multiply", "shift", "add"] as const) {
      expect(of(three, kind).areaUm2).toBeCloseTo(687.6 + 428 + 316, 9);
    }
    const bits = (operation: "shift" | "add") =>
      specialise(three, { ...layer(5), operation }).problem.dataSpaces[0]!.bitWidth;
    expect([bits("shift"), bits("add")]).toEqual([5, 8]);
    // A multiplier shifts; it does not sum up |x − w|.
    expect(of(base, "shift").energyPj).toBe(0.298);
    expect(() => of(base, "add")).toThrow(/fixed units do not compute layers of the kind add/);
    const shifting = withUnit({ kind: "shift", weightBits: 5, inputBits: 8 });
    expect(() => of(shifting, "add")).toThrow(/shift units do not compute layers of the kind add/);
  });

  it("zeros may be annotated in the network", () => {
    const tensor = (name: string, sparsityFraction?: number) => ({
      name,
      ...(sparsityFraction !== undefined && { annotation: { sparsityFraction } }),
    });
    const annotated = annotatedStatistics({
      weights: tensor("w", 0.75),
      inputs: tensor("x"),
      outputs: tensor("y", 0.5),
    });
    expect(annotated).toEqual({ weightZeroFraction: 0.75, inputZeroFraction: undefined, outputZeroFraction: 0.5 });
    expect(specialise(sparse({ skips: ["Weights"] }), layer(), annotated).cyclesPerStep).toBe(0.25);
  });

  it("units that skip zero bits take the terms of the words, the most of those in lockstep", () => {
    const unit = { kind: "essentialBits", weightBits: 8, inputBits: 8, serialOperand: "inputs" } as const;
    const inputWords = measureWords([1, 3, 0, 255], { bitWidth: 8, signed: false });
    const alone = specialise(withUnit(unit), layer(), { inputWords });
    // 1, 2, 1 (a zero takes a cycle) and 8 cycles; eleven ones.
    expect(alone.cyclesPerStep).toBeCloseTo(3, 12);
    const perBit = specialise(withUnit({ ...unit, kind: "serial" }), layer()).architecture.compute.energyPj / 8;
    expect(alone.architecture.compute.energyPj).toBeCloseTo((11 / 4) * perBit, 12);
    const together = specialise(withUnit({ ...unit, lockstep: 1000 }), layer(), { inputWords });
    expect(together.cyclesPerStep).toBeCloseTo(8, 6);
    const assumed = specialise(withUnit({ ...unit, encoding: "booth" }), layer());
    expect(assumed.architecture.compute.energyPj).toBeCloseTo(
      meanTerms(uniformWords(8, false).boothTerms) * perBit,
      12,
    );
  });
});

describe("an accelerator's document", () => {
  it.each([
    [text.replace("kind: sram", "kind: flash"), "a.yaml:9:37: levels[1].memory.kind: wrong value"],
    [text.replace("kind: fixed", "kind: serial"), "a serial unit needs serialOperand"],
    [`${text}published: [{ fact: levelBytes, level: array, value: 1, source: x }]`, "unknown memory"],
    [`${text}published: [{ fact: units, level: sums, value: 1, source: x }]`, "only levelBytes is of a level"],
    [`${text}sparsity: { skippingLevels: [nowhere] }`, "expected one of DRAM, buffer, sums"],
  ])("is refused with the place of what is wrong", (wrong, message) => {
    expect(() => readAccelerator(wrong, { file: "a.yaml" })).toThrow(message);
  });
});

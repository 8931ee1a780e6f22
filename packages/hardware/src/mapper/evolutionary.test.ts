import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { checkMapping } from "../analysis/analysis.js";
import { encodeMapping } from "../analysis/code.js";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import { eyerissLike } from "../architecture/families/eyeriss-like.js";
import { prepareCost } from "../cost/evaluator.js";
import { evaluateCost } from "../cost/explain.js";
import type { Loop, Mapping } from "../mapping/mapping.js";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import type { Problem } from "../workload/problem.js";
import { mapLayer } from "./evolutionary.js";
import { type Objective, objectives } from "./objective.js";
import { mapLayerRandomly } from "./random.js";
import type { MapLayerResult, MappedLayer, MapperOptions } from "./trial.js";

const convolution = (channels: number, size: number, kernel: number, stride = 1): Problem =>
  convolutionProblem({
    inputChannels: channels,
    outputChannels: 2 * channels,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
  });

function found(result: MapLayerResult): MappedLayer {
  if (!result.ok) throw new Error(`${result.rejection.reason} at ${result.rejection.level}`);
  return result;
}

const map = (problem: Problem, seed: number, options: Partial<MapperOptions> = {}, on: Architecture = eyerissLike()) =>
  found(mapLayer(problem, on, { random: createRandomStream(seed), evaluations: 200, model: "timeloop", ...options }));

describe("the search for a mapping", () => {
  it("returns a mapping that fits, with its cost and a trace that only falls", () => {
    const problem = convolution(16, 16, 3);
    for (const objective of ["edp", "energy", "latency"] as const) {
      const { mapping, cost, trace, evaluations } = map(problem, 1, { objective, evaluations: 500 });
      expect(checkMapping(problem, eyerissLike(), mapping)).toEqual({ ok: true });
      expect(evaluateCost(problem, eyerissLike(), mapping, { model: "timeloop" })).toEqual(cost);
      expect(evaluations).toBe(500);
      const value = { edp: cost.energyPj * cost.latencyCycles, energy: cost.energyPj, latency: cost.latencyCycles };
      expect(trace.at(-1)!.value).toBeGreaterThanOrEqual(value[objective]);
      expect(trace.at(-1)!.value).toBeLessThan(value[objective] + 1);
      for (let index = 1; index < trace.length; index++) {
        expect(trace[index]!.value).toBeLessThan(trace[index - 1]!.value);
        expect(trace[index]!.evaluation).toBeGreaterThan(trace[index - 1]!.evaluation);
      }
    }
  });

  it("finds the same with the same seed", () => {
    const problem = convolution(16, 16, 3);
    expect(map(problem, 7)).toEqual(map(problem, 7));
  });

  it("minimises what it is asked to", () => {
    const problem = convolution(32, 8, 3);
    const best = (objective: Objective) => map(problem, 2, { objective, evaluations: 2000 }).cost;
    expect(best("energy").energyPj).toBeLessThanOrEqual(best("edp").energyPj);
    expect(best("latency").latencyCycles).toBeLessThanOrEqual(best("edp").latencyCycles);
    expect(best("edp").edpJouleCycles).toBeLessThan(best("energy").edpJouleCycles);
  });

  it.each([
    ["a convolution", convolution(16, 16, 3)],
    ["a strided pointwise convolution", convolution(16, 16, 1, 2)],
    ["a matrix product", matmulProblem({ rows: 16, inner: 60, columns: 48 })],
  ])("beats random search at equal effort: %s", (_, problem) => {
    let won = 0;
    for (let seed = 0; seed < 10; seed++) {
      const options = { random: createRandomStream(seed), evaluations: 150 };
      const evolved = found(mapLayer(problem, eyerissLike(), options)).cost.edpJouleCycles;
      const drawn = mapLayerRandomly(problem, eyerissLike(), { ...options, random: createRandomStream(seed) });
      if (!drawn.ok || evolved <= drawn.cost.edpJouleCycles) won++;
    }
    expect(won).toBeGreaterThanOrEqual(9);
  });

  it("tells mappings of equal latency apart by energy", () => {
    const problem = convolution(32, 8, 3);
    const fast = map(problem, 2, { objective: "latency", evaluations: 2000 }).cost;
    const frugal = map(problem, 2, { objective: "energy", evaluations: 2000 }).cost;
    expect(fast.energyPj).toBeLessThan(1.5 * frugal.energyPj);
  });

  it("begins with the mappings that it is given, and leaves out those of other layers", () => {
    const problem = convolution(32, 8, 3);
    const good = map(problem, 1, { evaluations: 3000 });
    const other = map(convolution(16, 16, 3), 1);
    const seeded = map(problem, 5, { evaluations: 1, seeds: [other.mapping, good.mapping] });
    expect(seeded.cost).toEqual(good.cost);
  });

  it("maps a single multiply-accumulate", () => {
    expect(map(matmulProblem({ rows: 1, inner: 1, columns: 1 }), 1).cost.latencyCycles).toBeGreaterThanOrEqual(1);
  });

  it("stops when cancelled", () => {
    const controller = new AbortController();
    const run = () =>
      map(convolution(16, 16, 3), 1, {
        evaluations: 100_000,
        signal: controller.signal,
        onProgress: ({ done }) => done >= 512 && controller.abort(new Error("enough")),
      });
    expect(run).toThrow("enough");
  });
});

describe("a layer without mapping", () => {
  const small = (entries: number, constraints = "") =>
    readArchitecture(`
name: small
levels:
  - { name: DRAM, storage: { widthBits: 8, readPj: 100, writePj: 100 } }
  - { name: buffer, storage: { entries: ${entries}, widthBits: 8, readPj: 2, writePj: 2 }, fanout: { x: 4 } }
compute: { energyPj: 1 }
constraints: { levels: [{ level: buffer, keep: [Weights, Inputs, Outputs]${constraints} }] }
`);
  const problem = matmulProblem({ rows: 4, inner: 8, columns: 2 });
  const attempt = (architecture: Architecture) =>
    mapLayer(problem, architecture, { random: createRandomStream(1), evaluations: 200 });

  it("is a value that tells what came nearest", () => {
    // A weight, an input and a 16-bit sum are 32 bits.
    expect(attempt(small(4))).toMatchObject({ ok: true });
    expect(attempt(small(3))).toMatchObject({
      ok: false,
      rejection: { reason: "capacity", level: "buffer", dataSpace: "Outputs", needed: 32, available: 24 },
    });
  });

  it("tells when the constraints leave a dimension no way", () => {
    expect(attempt(small(16, ", temporal: { factors: { C: 3 } }"))).toEqual({
      ok: false,
      rejection: { ok: false, reason: "factors", dimension: "C", needed: 3, available: 8 },
      evaluations: 0,
    });
  });

  it("tells when too little of the array can be used", () => {
    const demanding = small(16, ", spatialX: { dimensions: [M] }");
    const constraints = { ...demanding.constraints, minComputeUtilization: 1 };
    expect(attempt({ ...demanding, constraints })).toMatchObject({
      ok: false,
      rejection: { reason: "utilization", needed: 4, available: 2 },
    });
  });
});

describe("remainders", () => {
  // 13 and 37 channels on 23 × 23 outputs: hardly a factor fills an array of 12 × 14.
  const layer = convolutionProblem({
    inputChannels: 13,
    outputChannels: 37,
    outputHeight: 23,
    outputWidth: 23,
    kernelHeight: 3,
    kernelWidth: 3,
  });
  const options = (): MapperOptions => ({ random: createRandomStream(3), evaluations: 400, model: "exact" });

  it("are taken in the model exact, of the layer itself, and pay", () => {
    const result = found(mapLayer(layer, eyerissLike(), options()));
    const whole = found(mapLayer(layer, eyerissLike(), { ...options(), padding: false }));
    const padded = found(mapLayer(layer, eyerissLike(), { ...options(), padding: true, model: "timeloop" }));
    expect(result.paddedProblem).toBeUndefined();
    expect(result.cost).toEqual(evaluateCost(layer, eyerissLike(), result.mapping, { model: "exact" }));
    expect(result.cost.macs).toBe(13 * 37 * 23 * 23 * 9);
    expect(checkMapping(layer, eyerissLike(), result.mapping)).toMatchObject({ ok: false, reason: "factors" });
    expect(result.cost.edpJouleCycles).toBeLessThan(whole.cost.edpJouleCycles);
    expect(result.cost.edpJouleCycles).toBeLessThan(padded.cost.edpJouleCycles);
  });
});

describe("padding", () => {
  const layer = convolution(32, 8, 3);

  it("maps an enlarged layer where that pays, and says so", () => {
    const plain = map(layer, 1);
    const padded = map(layer, 1, { padding: true });
    expect(padded.paddedProblem!.dimensions).toEqual({ ...layer.dimensions, M: 65 });
    expect(checkMapping(padded.paddedProblem!, eyerissLike(), padded.mapping)).toEqual({ ok: true });
    expect(evaluateCost(padded.paddedProblem!, eyerissLike(), padded.mapping, { model: "timeloop" })).toEqual(
      padded.cost,
    );
    expect(padded.cost.macs).toBeGreaterThan(plain.cost.macs);
    expect(padded.cost.edpJouleCycles).toBeLessThan(0.8 * plain.cost.edpJouleCycles);
    expect(padded.evaluations).toBeLessThanOrEqual(200);
    const values = padded.trace.map(({ value }) => value);
    expect(values).toEqual([...values].sort((a, b) => b - a));
  });

  it("leaves a layer alone that fills the array", () => {
    const wide = eyerissLike({ arrayColumns: 16 });
    expect(map(layer, 1, { padding: true }, wide)).toEqual(map(layer, 1, {}, wide));
  });
});

describe("on a space small enough to list", () => {
  const architecture = readArchitecture(`
name: tiny
clockMhz: 100
levels:
  - { name: DRAM, storage: { widthBits: 16, readPj: 100, writePj: 100, sharedBitsPerCycle: 32 } }
  - { name: buffer, storage: { entries: 14, widthBits: 16, readPj: 6, writePj: 7 }, fanout: { x: 3 } }
  - { name: spad, storage: { entries: 4, widthBits: 8, readPj: 1, writePj: 1, readBitsPerCycle: 16 } }
compute: { energyPj: 0.5 }
constraints:
  levels:
    - { level: DRAM, keep: [Weights, Inputs, Outputs] }
    - { level: buffer, keep: [Inputs, Outputs], temporal: { permutation: ["*", N] } }
    - { level: spad, keep: [Weights], bypass: [Outputs, Inputs], temporal: { dimensions: [C] }, spatialX: { dimensions: [] } }
`);
  const problem = matmulProblem({ rows: 4, inner: 6, columns: 4, bitWidths: { outputs: 8 } });

  it.each(["edp", "energy", "latency"] as const)("reaches the best there is: %s", (objective) => {
    const evaluator = prepareCost(problem, architecture, { model: "timeloop" });
    let best = Number.POSITIVE_INFINITY;
    let fitting = 0;
    for (const mapping of everyMapping()) {
      const { valid, energyPj, latencyCycles } = evaluator.evaluate(encodeMapping(evaluator.analysis.tables, mapping));
      if (!valid) continue;
      fitting++;
      best = Math.min(best, objectives[objective](energyPj, latencyCycles));
    }
    expect(fitting).toBeGreaterThan(1000);
    for (let seed = 0; seed < 3; seed++) {
      expect(map(problem, seed, { objective, evaluations: 2000 }, architecture).trace.at(-1)!.value).toBe(best);
    }
  });

  /** Every split of every dimension, every order, and weights in the buffer or not. */
  function* everyMapping(): Generator<Mapping> {
    const sizes = { N: 4, M: 4, C: 6 };
    const splits = Object.entries(sizes).map(([dimension, size]) => ({
      dimension,
      // DRAM, buffer, across the array, spad.
      ways: factorisations(size, 4).filter(
        ([, , across, inside]) => across! <= 3 && (dimension === "C" || inside === 1),
      ),
    }));
    for (const n of splits[0]!.ways) {
      for (const m of splits[1]!.ways) {
        for (const c of splits[2]!.ways) {
          const loops = (slot: number, order: string): Loop[] =>
            [...order]
              .map((dimension) => ({ dimension, bound: { N: n, M: m, C: c }[dimension]![slot]! }))
              .filter(({ bound }) => bound > 1);
          for (const outer of ["NMC", "NCM", "MNC", "MCN", "CNM", "CMN"]) {
            for (const inner of ["MCN", "CMN"]) {
              for (const weights of [["Weights"], []]) {
                yield {
                  levels: [
                    level("DRAM", ["Weights", "Inputs", "Outputs"], loops(0, outer)),
                    level("buffer", [...weights, "Inputs", "Outputs"], loops(1, inner), loops(2, "NMC")),
                    level("spad", ["Weights"], loops(3, "NMC")),
                  ],
                };
              }
            }
          }
        }
      }
    }
  }

  function level(name: string, keep: string[], temporal: Loop[], spatialX: Loop[] = []): Mapping["levels"][number] {
    return { level: name, keep, temporal, spatialY: [], spatialX };
  }

  function factorisations(size: number, parts: number): number[][] {
    if (parts === 1) return [[size]];
    const divisors = Array.from({ length: size }, (_, index) => index + 1).filter((divisor) => size % divisor === 0);
    return divisors.flatMap((first) => factorisations(size / first, parts - 1).map((rest) => [first, ...rest]));
  }
});

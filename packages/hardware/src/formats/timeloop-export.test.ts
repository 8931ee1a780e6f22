import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import { evaluateCost } from "../cost/explain.js";
import { type Mapping, readMapping } from "../mapping/mapping.js";
import { evaluateSparseCost } from "../sparse/cost.js";
import { convolutionProblem } from "../workload/layers.js";
import { type Problem, readProblem } from "../workload/problem.js";
import { exportTimeloop } from "./timeloop-export.js";
import { readTimeloop, type TimeloopInput } from "./timeloop-input.js";

const example = (name: string): string =>
  readFileSync(new URL(`../../../../examples/hardware/${name}.yaml`, import.meta.url), "utf8");

const layer = readProblem(example("conv3x3"));
const small = readArchitecture(example("small-8x8"));
const stationary = readMapping(example("weight-stationary"));

/** Out and in again. */
function roundTrip(problem: Problem, architecture: Architecture, mapping?: Mapping): TimeloopInput {
  const { input, ert, art } = exportTimeloop(problem, architecture, mapping);
  return readTimeloop([
    { file: "input.yaml", text: input },
    { file: "ERT.yaml", text: ert },
    { file: "ART.yaml", text: art },
  ]);
}

/** What the figures of a cost are, without the names of documents. */
function figures(problem: Problem, architecture: Architecture, mapping: Mapping): unknown {
  const cost = evaluateCost(problem, architecture, mapping, { model: "timeloop" });
  if (!cost.ok) return cost;
  return {
    ...cost,
    energyPj: cost.energyPj.toPrecision(10),
    latencyMs: cost.latencyMs?.toPrecision(10),
    edpJouleCycles: cost.edpJouleCycles.toPrecision(10),
    levels: cost.levels.map((level) => ({ ...level, slowdown: level.slowdown.toPrecision(10) })),
  };
}

describe("Timeloop's files", () => {
  it("cost the same when they are read again", () => {
    const again = roundTrip(layer, small, stationary);
    expect(figures(again.problem, again.architecture, again.mapping!)).toEqual(figures(layer, small, stationary));
    expect(again.mapping).toEqual({
      levels: stationary.levels.map((level) => ({ ...level, keep: expect.arrayContaining([...level.keep]) })),
    });
  });

  it("constrain a search as before", () => {
    const { constraints } = roundTrip(layer, small).constrained();
    const of = (name: string) => constraints!.levels!.find(({ level }) => level === name);
    expect(of("buffer")).toMatchObject({ keep: ["Inputs", "Outputs"], bypass: ["Weights"] });
    expect(of("array")).toMatchObject({
      temporal: { dimensions: [] },
      spatialX: { dimensions: ["M", "P", "Q", "S"].filter((name) => name !== "S") },
    });
    expect(of("array")!.spatialY!.factors).toMatchObject({ S: 1 });
  });

  it("say strides, dilations, densities and formats", () => {
    const problem: Problem = {
      ...readProblem(example("sparse-product")),
      name: "sparse-product",
    };
    const architecture = readArchitecture(example("sparse-buffer"));
    const mapping = readMapping(example("sparse-mapping"));
    const again = roundTrip(problem, architecture, mapping);
    const before = evaluateSparseCost(problem, architecture, mapping);
    const after = evaluateSparseCost(again.problem, again.architecture, again.mapping!);
    if (!before.ok || !after.ok) throw new Error("a mapping that does not fit");
    expect(after.energyPj).toBeCloseTo(before.energyPj, 6);
    expect(after.latencyCycles).toBe(before.latencyCycles);
    expect(after.compute).toEqual(before.compute);
    expect(again.problem.dataSpaces.map(({ density }) => density)).toEqual(
      problem.dataSpaces.map(({ density }) => density),
    );
    expect(again.architecture.levels.map(({ sparse }) => sparse?.formats)).toEqual(
      architecture.levels.map(({ sparse }) => sparse?.formats),
    );
  });

  it("cost the same for layers with strides under random mappings", () => {
    const bound = fc.integer({ min: 1, max: 3 });
    const three = fc.tuple(bound, bound, bound);
    fc.assert(
      fc.property(three, three, three, fc.integer({ min: 1, max: 3 }), fc.boolean(), (m, c, p, stride, links) => {
        const sizes = (bounds: readonly number[]): number => bounds.reduce((product, size) => product * size, 1);
        const problem = convolutionProblem({
          name: "strided",
          outputChannels: sizes(m),
          inputChannels: sizes(c),
          outputHeight: sizes(p),
          outputWidth: 2,
          kernelHeight: 2,
          kernelWidth: 1,
          strideHeight: stride,
          strideWidth: 1,
          bitWidths: { weights: 8, inputs: 8, outputs: 8 },
        });
        const loops = (at: number) => [
          { dimension: "M", bound: m[at]! },
          { dimension: "P", bound: p[at]! },
          { dimension: "C", bound: c[at]! },
        ];
        const rest = Object.entries(problem.dimensions)
          .filter(([name, size]) => size > 1 && !["M", "P", "C"].includes(name))
          .map(([dimension, size]) => ({ dimension, bound: size }));
        const keep = problem.dataSpaces.map(({ name }) => name);
        const wanted = (list: readonly { dimension: string; bound: number }[]) =>
          list.filter((loop) => loop.bound > 1 && problem.dimensions[loop.dimension] !== undefined);
        const mapping: Mapping = {
          levels: [
            { level: "DRAM", keep, temporal: wanted(loops(0)), spatialX: [], spatialY: [] },
            {
              level: "array",
              keep: [],
              temporal: [],
              spatialX: wanted(loops(1).slice(0, 1)),
              spatialY: wanted(loops(1).slice(1)),
            },
            { level: "spad", keep, temporal: [...wanted(loops(2)), ...rest], spatialX: [], spatialY: [] },
          ],
        };
        const architecture: Architecture = {
          name: "random",
          levels: [
            { name: "DRAM", storage: { widthBits: 64, readPj: 9, writePj: 8, sharedBitsPerCycle: 32 } },
            { name: "array", fanout: { x: 3, y: 9, neighbourLinks: links } },
            {
              name: "spad",
              storage: {
                entries: 4096,
                widthBits: 32,
                readPj: 2,
                writePj: 3,
                updatePj: 4,
                clusterSize: 3,
                leakagePjPerCycle: 0.1,
              },
            },
          ],
          compute: { name: "mac", energyPj: 1, areaUm2: 5 },
        };
        const again = roundTrip(problem, architecture, mapping);
        expect(figures(again.problem, again.architecture, again.mapping!)).toEqual(
          figures(problem, architecture, mapping),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe("what Timeloop cannot say is refused by name", () => {
  const changed = (change: (architecture: Architecture) => Architecture): Architecture => change(small);
  const level = (index: number, fields: object) => (architecture: Architecture) => ({
    ...architecture,
    levels: architecture.levels.map((own, at) => (at === index ? { ...own, ...fields } : own)),
  });

  it.each<[string, () => unknown, string]>([
    [
      "multicast of fragments",
      () =>
        exportTimeloop(
          layer,
          changed(level(2, { fanout: { x: 8, y: 8, neighbourLinks: false, multicast: "fragments" } })),
        ),
      "multicast",
    ],
    [
      "words of several widths",
      () =>
        exportTimeloop({ ...layer, dataSpaces: layer.dataSpaces.map((s, i) => ({ ...s, bitWidth: 8 + i })) }, small),
      "one width",
    ],
    [
      "rows that hold no whole words",
      () =>
        exportTimeloop(layer, changed(level(3, { storage: { widthBits: 12, wordBits: 8, readPj: 1, writePj: 1 } }))),
      "whole words",
    ],
    ["names with dots", () => exportTimeloop(layer, changed(level(1, { name: "global.buffer" }))), "dots"],
    [
      "dimensions with digits",
      () => exportTimeloop({ name: "d", dimensions: { M1: 4 }, dataSpaces: [] }, small),
      "letters",
    ],
    [
      "leakage of units",
      () => exportTimeloop(layer, { ...small, compute: { ...small.compute, leakagePjPerCycle: 1 } }),
      "leakage",
    ],
    [
      "remainders",
      () =>
        exportTimeloop(layer, small, {
          levels: stationary.levels.map((own, at) =>
            at === 0 ? { ...own, temporal: [{ dimension: "P", bound: 5 }] } : own,
          ),
        }),
      "remainders",
    ],
    [
      "a dimension along either axis",
      () =>
        exportTimeloop(layer, {
          ...small,
          constraints: {
            levels: [{ level: "array", spatialX: { dimensions: ["M"] }, spatialY: { dimensions: ["M", "C"] } }],
          },
        }),
      "either axis",
    ],
  ])("%s", (_, work, message) => {
    expect(work).toThrow(message);
  });
});

import { readFileSync } from "node:fs";
import { DovetailError } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { evaluateCost } from "../cost/explain.js";
import type { TimeloopFile } from "./timeloop-files.js";
import { readTimeloop } from "./timeloop-input.js";

const names = ["arch", "problem", "mapping", "ERT", "ART"] as const;
type Name = (typeof names)[number];

const textOf = (name: Name): string =>
  readFileSync(new URL(`../../../../examples/timeloop/${name}.yaml`, import.meta.url), "utf8");

/** The example's files, some changed. */
function filesWith(changes: Partial<Record<Name, (text: string) => string>> = {}): TimeloopFile[] {
  return names.map((name) => ({ file: `${name}.yaml`, text: (changes[name] ?? ((text) => text))(textOf(name)) }));
}

function complaint(files: readonly TimeloopFile[], constrained = false): Record<string, unknown> {
  try {
    const input = readTimeloop(files);
    if (constrained) input.constrained();
  } catch (error) {
    if (error instanceof DovetailError) return { ...error.diagnostics[0] };
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("Timeloop's split files", () => {
  it("become problem, architecture and mapping", () => {
    const { problem, architecture, mapping } = readTimeloop(filesWith());
    expect(problem.dimensions).toEqual({ M: 16, C: 16, P: 16, Q: 16, R: 3, S: 3 });
    expect(problem.dataSpaces.map(({ name, bitWidth, readWrite }) => [name, bitWidth, readWrite])).toEqual([
      ["Weights", 8, false],
      ["Inputs", 8, false],
      ["Outputs", 8, true],
    ]);
    expect(architecture.clockMhz).toBe(200);
    expect(architecture.levels.map(({ name }) => name)).toEqual([
      "DRAM",
      "buffer",
      "inter_array_spatial",
      "weights",
      "sums",
      "operands",
    ]);
    const [dram, buffer, array, , sums] = architecture.levels;
    expect(dram!.storage).toMatchObject({ widthBits: 64, wordBits: 8, sharedBitsPerCycle: 64, readPj: 512 });
    expect(buffer!.storage).toMatchObject({ entries: 2048, widthBits: 64, leakagePjPerCycle: 0.0023, areaUm2: 50742 });
    expect(array).toEqual({ name: "inter_array_spatial", fanout: { x: 8, y: 8, neighbourLinks: false } });
    expect(sums!.storage).toMatchObject({ entries: 16, widthBits: 24, wordBits: 24 });
    expect(architecture.compute).toEqual({ name: "mac", energyPj: 0.298, areaUm2: 687.6 });
    expect(mapping!.levels[1]).toEqual({
      level: "buffer",
      keep: ["Inputs", "Outputs"],
      temporal: [
        { dimension: "P", bound: 4 },
        { dimension: "Q", bound: 16 },
      ],
      spatialX: [],
      spatialY: [],
    });
    expect(mapping!.levels[2]).toMatchObject({
      keep: [],
      spatialX: [{ dimension: "M", bound: 8 }],
      spatialY: [{ dimension: "C", bound: 8 }],
    });
    // Of the branches side by side each keeps its own tensor.
    expect(mapping!.levels.slice(3).map(({ keep }) => keep)).toEqual([["Weights"], ["Outputs"], ["Inputs"]]);
  });

  it("cost what the same documents of ours cost", () => {
    const { problem, architecture, mapping } = readTimeloop(filesWith());
    const cost = evaluateCost(problem, architecture, mapping!, { model: "timeloop" });
    expect(cost).toMatchObject({ ok: true, latencyCycles: 9216 });
    // Reads of weights and inputs from DRAM, and results back, in rows of 8 words.
    const [dram] = cost.ok ? cost.levels : [];
    expect(dram!.accessEnergyPj).toBeCloseTo(((2304 + 5184 + 4096) / 8) * 512, 6);
  });

  it("constrain a search", () => {
    const { constraints } = readTimeloop(filesWith()).constrained();
    expect(constraints!.levels).toEqual([
      { level: "DRAM" },
      { level: "buffer", keep: ["Inputs", "Outputs"], bypass: ["Weights"] },
      {
        level: "inter_array_spatial",
        temporal: { dimensions: [] },
        spatialX: { dimensions: ["M"], factors: {} },
        spatialY: { dimensions: ["C", "P", "Q", "R", "S"], factors: { P: 1, Q: 1, R: 1, S: 1 } },
      },
      { level: "weights", keep: ["Weights"], bypass: ["Outputs", "Inputs"] },
      { level: "sums", keep: ["Outputs"], bypass: ["Weights", "Inputs"] },
      { level: "operands", keep: ["Inputs"], bypass: ["Weights", "Outputs"] },
    ]);
  });

  it("may have sparse optimizations at their nodes", () => {
    const action = (type: string): string =>
      `dataspace: { keep: [Weights] }
          sparse_optimizations:
            action_optimization:
              - { type: ${type}, target: Weights, condition_on: [Inputs] }
`;
    const withAction = (type: string): TimeloopFile[] =>
      filesWith({ arch: (text) => text.replace(/dataspace: \{ keep: \[Weights\] \}\n/, action(type)) });
    const { architecture, mapping } = readTimeloop(withAction("gating"));
    expect(architecture.levels[3]!.sparse).toEqual({
      actions: [{ kind: "gate", options: [{ target: "Weights", on: ["Inputs"] }] }],
    });
    // Where trivial loops may matter the mapping keeps them.
    expect(mapping!.levels[0]!.temporal).toHaveLength(6);
    expect(complaint(withAction("skipping_spatial"))).toMatchObject({
      code: "timeloop_sparse",
      received: "skipping_spatial",
    });
  });

  it("may lack a mapping", () => {
    expect(readTimeloop(filesWith({ mapping: () => "mapper: { algorithm: random }" })).mapping).toBeUndefined();
  });
});

describe("what is wrong is named with its place", () => {
  const lineOf = (name: Name, text: string): number =>
    textOf(name)
      .split("\n")
      .findIndex((line) => line.includes(text)) + 1;
  const replace = (from: string, to: string) => (text: string) => text.replace(from, to);

  it.each<[string, Partial<Record<Name, (text: string) => string>>, Record<string, unknown>]>([
    [
      "an unknown name in an expression",
      { arch: replace("2 * 1024", "2 * rows") },
      { file: "arch.yaml", line: lineOf("arch", "2 * 1024"), message: "nothing is called rows" },
    ],
    [
      "an expression that refers to itself",
      { arch: replace("word: 8", "word: word + 1") },
      { file: "arch.yaml", code: "timeloop_expression", message: "the expression refers to itself" },
    ],
    [
      "a level that is not there",
      { mapping: replace("target: sums", "target: sum") },
      { file: "mapping.yaml", line: lineOf("mapping", "target: sums"), received: "sum" },
    ],
    [
      "an unknown dimension",
      { mapping: replace("[P=4]", "[X=4]") },
      { file: "mapping.yaml", line: lineOf("mapping", "[P=4]"), code: "timeloop_dimension", received: "X" },
    ],
    [
      "a remainder",
      { mapping: replace("P=4 Q=16", '"P=4,2 Q=16"') },
      { file: "mapping.yaml", code: "timeloop_factor" },
    ],
    [
      "a component without energies",
      { ERT: replace("system_top_level.sums", "system_top_level.other") },
      { file: "ERT.yaml", code: "timeloop_energy", expected: "one of sums" },
    ],
    ["no energies at all", { ERT: () => "globals: {}" }, { code: "timeloop_section", path: ["ERT"] }],
    [
      "a section in two files",
      {
        ERT: (text) =>
          `${text}\nproblem: ${JSON.stringify({ instance: {}, shape: { dimensions: [], data_spaces: [] } })}`,
      },
      { file: "ERT.yaml", code: "timeloop_section", expected: "it in problem.yaml only" },
    ],
    [
      "a misspelt field",
      { arch: replace("permutation: [M", "permutations: [M") },
      {
        file: "arch.yaml",
        line: lineOf("arch", "permutation: [M"),
        code: "unknown_field",
        received: "permutations",
      },
    ],
    [
      "overbooking",
      { arch: replace("depth: 64", "allow_overbooking: true, depth: 64") },
      { file: "arch.yaml", line: lineOf("arch", "depth: 64"), code: "timeloop_architecture" },
    ],
    [
      "reuse that is switched off",
      { arch: replace("{ keep: [Weights] }", "{ keep: [Weights], no_coalesce: [Weights] }") },
      { file: "arch.yaml", code: "timeloop_directive", message: "no_coalesce is not modelled" },
    ],
    [
      "links of some tensors",
      { arch: replace("no_link_transfer: [Weights, Inputs, Outputs]", "no_link_transfer: [Weights]") },
      { file: "arch.yaml", code: "timeloop_directive", received: "Weights" },
    ],
    [
      "two compute units",
      { arch: replace("class: DRAM", "class: intmac") },
      { file: "arch.yaml", code: "timeloop_architecture" },
    ],
    [
      "a template",
      { arch: replace("depth: 64", "depth: {{ depth }}") },
      { file: "arch.yaml", line: lineOf("arch", "depth: 64"), code: "timeloop_template" },
    ],
    ["no YAML", { problem: (text) => `${text}\n  }` }, { file: "problem.yaml", code: "yaml_syntax" }],
    [
      "an unknown distribution",
      { problem: replace("R: 3, S: 3", "R: 3, S: 3, densities: { Weights: { distribution: even, density: 0.5 } }") },
      { code: "timeloop_density", received: "even" },
    ],
  ])("%s", (_, changes, expected) => {
    expect(complaint(filesWith(changes))).toMatchObject(expected);
  });

  it("a bound on a factor, where a mapping is searched", () => {
    const files = filesWith({ arch: replace("P=1, Q=1", "P<=1, Q=1"), mapping: () => "globals: {}" });
    expect(readTimeloop(files).mapping).toBeUndefined();
    expect(complaint(files, true)).toMatchObject({ file: "arch.yaml", code: "timeloop_factor", received: "P<=1" });
  });
});

describe("Timeloop's processed input", () => {
  const processed = (): string => `
architecture:
  version: "0.4"
  subtree:
    - name: system_top_level
      attributes: { global_cycle_seconds: 1e-9 }
      local:
        - { name: "DRAM[1..1]", class: DRAM, attributes: { width: 16, datawidth: 16, meshX: 1, meshY: 1 } }
      subtree:
        - name: "PE[0..3]"
          local:
            - { name: spad, class: regfile, attributes: { depth: 8, width: 512, cluster_size: 4, datawidth: 16, meshX: 4 } }
            - { name: noc, class: XY_NoC, attributes: {} }
            - { name: "mac[0..1]", class: intmac, attributes: { meshX: 8 } }
architecture_constraints:
  targets:
    - { type: bypass, target: 0, keep: ["*"] }
problem:
  shape: { dimensions: [K], data_spaces: [{ name: A, projection: [[[K]]] }, { name: Z, projection: [], read_write: true }] }
  instance: { K: 8, densities: { A: 0.5 } }
mapping:
  - { target: spad, type: spatial, factors: K2, permutation: K }
  - { target: DRAM, type: spatial, factors: K=0 }
ERT:
  tables:
    - { name: DRAM, actions: [{ name: read, energy: 1 }, { name: write, energy: 1 }] }
    - { name: "PE[0..3].spad", actions: [{ name: random_read, energy: 2 }, { name: write, energy: 3 }] }
    - { name: "PE[0..3].mac[0..1]", actions: [{ name: mac, energy: 4 }] }
`;

  it("multiplies the ranges of subtrees and components", () => {
    const { architecture, problem, mapping } = readTimeloop([{ file: "input.yaml", text: processed() }]);
    expect(architecture.levels).toHaveLength(2);
    expect(architecture.levels[0]!.fanout).toEqual({ x: 4, y: 1, neighbourLinks: true });
    expect(architecture.levels[1]!.fanout).toEqual({ x: 2, y: 1, neighbourLinks: true });
    expect(problem.dataSpaces[0]).toMatchObject({ bitWidth: 16, density: 0.5 });
    // A factor of 0 is the whole dimension.
    expect(mapping!.levels[0]!.spatialX).toEqual([{ dimension: "K", bound: 8 }]);
  });

  it("takes the width of a row for that of a cluster, and the names that energies may have", () => {
    const { architecture } = readTimeloop([{ file: "input.yaml", text: processed() }]);
    expect(architecture.levels[1]!.storage).toMatchObject({
      widthBits: 128,
      clusterSize: 4,
      readPj: 2,
      writePj: 3,
      updatePj: 3,
    });
    expect(architecture.compute.energyPj).toBe(4);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systolicCost } from "../systolic/cost.js";
import { readScaleSimConfig, type ScaleSimConfig, writeScaleSimConfig } from "./scalesim-config.js";
import {
  readScaleSimTopology,
  type ScaleSimTopology,
  systolicLayersOf,
  writeScaleSimTopology,
} from "./scalesim-topology.js";

const config = `[general]
run_name = example

[architecture_presets]
ArrayHeight:    32
ArrayWidth:     16
IfmapSramSzkB:   64
FilterSramSzkB:  64
OfmapSramSzkB:   64
Bandwidth : 10, 20,30
Dataflow : os
# a remark
MemoryBanks:   1

[run_presets]
InterfaceBandwidth: USER
`;

const convolutions = `Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\r
Conv1,  224, 224,    11, 11,    3,      96,     4,\r
 ,,,
DPConv2, 10, 10, 3, 3, 8, 1, 1, 2:4,,,
Last, 8, 8, 1, 1, 8, 4, 1`;

const products = "Layer Name, M, N, K,\nTest 1, 256, 128, 64,\n";

describe("SCALE-Sim's configuration", () => {
  it("is read as the tool reads it, with its defaults", () => {
    expect(readScaleSimConfig(config)).toEqual({
      runName: "example",
      array: { rows: 32, columns: 16, dataflow: "outputStationary" },
      inputSramKilobytes: 64,
      weightSramKilobytes: 64,
      outputSramKilobytes: 64,
      inputOffset: 0,
      weightOffset: 10_000_000,
      outputOffset: 20_000_000,
      bandwidths: [10, 20, 30],
      memoryBanks: 1,
      readRequestBuffer: 60,
      writeRequestBuffer: 60,
      interfaceBandwidth: "USER",
      isSparse: false,
    });
  });

  it.each([
    ["ArrayHeight:    32", "", "a.cfg: architecture_presets.ArrayHeight: missing field"],
    [
      "ArrayHeight:    32",
      "ArrayHeight: 3.5",
      "a.cfg:5:1: architecture_presets.ArrayHeight: wrong value: expected a whole number, at least 1, received 3.5",
    ],
    ["ArrayWidth:     16", "ArrayWidth: 0", "a.cfg:6:1: architecture_presets.ArrayWidth: wrong value"],
    [
      "Dataflow : os",
      "Dataflow : rs",
      "a.cfg:11:1: architecture_presets.Dataflow: wrong value: expected one of ws, is, os, received rs",
    ],
    ["Bandwidth : 10, 20,30", "Bandwidth : 10, -2", "a.cfg:10:1: architecture_presets.Bandwidth: wrong value"],
    ["MemoryBanks:   1", "MemoryBank: 1", "a.cfg:13:1: architecture_presets: unknown field"],
    ["MemoryBanks:   1", "MemoryBank: 1", "did you mean MemoryBanks?"],
    ["[run_presets]", "[run_preset]", "a.cfg:15:1: unknown section"],
    ["MemoryBanks:   1", "memorybanks: 1\nMemoryBanks: 2", "a.cfg:14:1: architecture_presets.MemoryBanks: given twice"],
    ["[general]\n", "", "a.cfg:1:1: not a line of a configuration: expected a section"],
    ["run_name = example", "run_name", "a.cfg:2:1: not a line of a configuration: expected KEY = VALUE"],
  ])("with %j replaced by %j says where it is wrong", (from, to, message) => {
    expect(() => readScaleSimConfig(config.replace(from, to), { file: "a.cfg" })).toThrow(message);
  });

  it("comes back from what is written", () => {
    const size = fc.integer({ min: 1, max: 10_000 });
    const configs: fc.Arbitrary<ScaleSimConfig> = fc.record({
      runName: fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/),
      array: fc.record({
        rows: size,
        columns: size,
        dataflow: fc.constantFrom("weightStationary" as const, "inputStationary", "outputStationary"),
      }),
      inputSramKilobytes: size,
      weightSramKilobytes: size,
      outputSramKilobytes: size,
      inputOffset: fc.nat(),
      weightOffset: fc.nat(),
      outputOffset: fc.nat(),
      bandwidths: fc.array(size, { minLength: 1, maxLength: 4 }),
      memoryBanks: size,
      readRequestBuffer: size,
      writeRequestBuffer: size,
      interfaceBandwidth: fc.constantFrom("CALC" as const, "USER"),
      isSparse: fc.boolean(),
    });
    fc.assert(
      fc.property(configs, (each) => {
        expect(readScaleSimConfig(writeScaleSimConfig(each))).toEqual(each);
      }),
    );
  });
});

describe("SCALE-Sim's topology", () => {
  it("is read in the convolution form, depth-wise layers channel by channel", () => {
    const topology = readScaleSimTopology(convolutions);
    expect(topology.form).toBe("convolution");
    expect(topology.layers.map(({ name, line }) => [name, line])).toEqual([
      ["Conv1", 2],
      ["DPConv2", 4],
      ["Last", 5],
    ]);
    expect(topology.layers[1]!.sparsity).toEqual({ kept: 2, block: 4 });
    expect(systolicLayersOf(topology)).toEqual([
      { name: "Conv1", rows: 3025, inner: 363, columns: 96 },
      { name: "DPConv2", rows: 64, inner: 9, columns: 1, products: 8 },
      { name: "Last", rows: 64, inner: 8, columns: 4 },
    ]);
  });

  it("is read in the matrix form, by its heading or when asked to", () => {
    const expected = { form: "gemm", layers: [{ name: "Test 1", m: 256, n: 128, k: 64 }] };
    expect(readScaleSimTopology(products)).toMatchObject(expected);
    expect(readScaleSimTopology(products.replace(" M, N, K", "a,b,c"), { form: "gemm" })).toMatchObject(expected);
    const layer = systolicLayersOf(readScaleSimTopology(products))[0]!;
    const { array } = readScaleSimConfig(config);
    expect(systolicCost(layer, array)).toMatchObject({ spatialRows: 256, spatialColumns: 128, temporal: 64 });
  });

  it.each([
    ["Conv1,  224", "Conv1,  -4", "t.csv:2: IFMAP Height: not a size: expected a whole number from 1 to 999999999"],
    ["96,     4,", "96, four,", "t.csv:2: Strides: not a size"],
    ["96,     4,", "", "t.csv:2: wrong number of columns: expected Layer name, IFMAP Height"],
    ["11, 11", "225, 11", "t.csv:2: Filter Height: the kernel is larger than its input: expected at most 224"],
    ["2:4", "4:2", "t.csv:4: Sparsity: not a sparsity: expected N:M with N at most M, such as 2:4, received 4:2"],
    ["3, 3, 8", "3, 1e9, 8", "t.csv:4: Filter Width: not a size"],
  ])("with %j replaced by %j says where it is wrong", (from, to, message) => {
    expect(() => readScaleSimTopology(convolutions.replace(from, to), { file: "t.csv" })).toThrow(message);
  });

  it.each(["", "\n", "Layer name,\n"])("needs a layer: %j", (text) => {
    expect(() => readScaleSimTopology(text)).toThrow("no layer below the heading");
  });

  it("comes back from what is written", () => {
    const size = fc.integer({ min: 1, max: 999 });
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 _]{0,20}[A-Za-z0-9]$/);
    const sparsity = fc.constantFrom({ kept: 1, block: 1 }, { kept: 2, block: 4 });
    const product = fc.record({ name, m: size, n: size, k: size, sparsity });
    const convolution = fc
      .record({
        name,
        inputHeight: size,
        inputWidth: size,
        kernelHeight: size,
        kernelWidth: size,
        channels: size,
        filters: size,
        stride: size,
        sparsity,
      })
      .filter((each) => each.kernelHeight <= each.inputHeight && each.kernelWidth <= each.inputWidth);
    const some = { minLength: 1, maxLength: 5 };
    const topologies: fc.Arbitrary<ScaleSimTopology> = fc.oneof(
      fc.record({ form: fc.constant("gemm" as const), layers: fc.array(product, some) }),
      fc.record({ form: fc.constant("convolution" as const), layers: fc.array(convolution, some) }),
    );
    fc.assert(
      fc.property(topologies, (each) => {
        const again = readScaleSimTopology(writeScaleSimTopology(each));
        expect(again).toEqual({
          form: each.form,
          layers: each.layers.map((layer, index) => ({ ...layer, line: index + 2 })),
        });
      }),
    );
  });
});

it("mutated files give an error with a place or a topology, and nothing else", () => {
  const edit = fc.record({ at: fc.nat(400), remove: fc.nat(5), insert: fc.string({ maxLength: 4 }) });
  fc.assert(
    fc.property(fc.constantFrom(config, convolutions, products), fc.array(edit, { maxLength: 4 }), (text, edits) => {
      let mutated = text;
      for (const { at, remove, insert } of edits) {
        const place = at % (mutated.length + 1);
        mutated = mutated.slice(0, place) + insert + mutated.slice(place + remove);
      }
      for (const read of [readScaleSimConfig, readScaleSimTopology]) {
        try {
          read(mutated, { file: "x" });
        } catch (error) {
          expect(error).toMatchObject({ name: "DovetailError", diagnostics: [{ file: "x" }] });
        }
      }
    }),
    { numRuns: 500 },
  );
});

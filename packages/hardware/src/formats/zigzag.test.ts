import { DovetailError } from "@dovetail/core";
import { GraphBuilder } from "@dovetail/graph";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mapZigZagNetwork } from "../zigzag/network.js";
import { readZigZagHardware } from "./zigzag-hardware.js";
import { readZigZagMapping } from "./zigzag-mapping.js";
import { zigzagLayersOf } from "./zigzag-onnx.js";
import { readZigZagWorkload } from "./zigzag-workload.js";

const hardware = `name: small
memories:
  registers:
    size: 16
    r_cost: 0.02
    w_cost: 0.03
    area: 0
    latency: 1
    operands: [O]
    ports:
      - name: r_port_1
        type: read
        bandwidth_min: 16
        bandwidth_max: 16
        allocation: ["O, tl", "O, th"]
      - name: w_port_1
        type: write
        bandwidth_min: 16
        bandwidth_max: 16
        allocation: ["O, fh", "O, fl"]
    served_dimensions: []
  dram:
    size: 10000000000
    r_cost: 700
    w_cost: 750
    area: 0
    latency: 1
    operands: [I1, I2, O]
    ports:
      - name: rw_port_1
        type: read_write
        bandwidth_min: 64
        bandwidth_max: 64
        allocation: ["I1, tl", "I2, tl", "O, fl", "O, tl"]
    served_dimensions: [D1, D2]
operational_array:
  dimensions: [D1, D2]
  sizes: [4, 2]
  unit_energy: 0.04
  unit_area: 1
`;

const mapping = `- name: default
  spatial_mapping:
    D1: ["K, 4"]
  memory_operand_links: { O: O, W: I2, I: I1 }
- name: Pooling
  spatial_mapping:
    D1: ["G, 4"]
    D2: ["OX, 1"]
  temporal_ordering:
    - [FX, "*"]
    - [OX, 2]
    - ["*", "*"]
    - [OY, "*"]
`;

const workload = `- id: 0
  name: first
  operator_type: Conv
  equation: O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]
  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
  loop_dims: [B, K, C, OY, OX, FY, FX]
  loop_sizes: [1, 8, 3, 8, 8, 3, 3]
  operand_precision: { W: 8, I: 8, O: 16, O_final: 8 }
  operand_source: { I: 0, W: 0 }
  pr_loop_dims: [IX, IY]
  padding: [[1, 0], [1, 0]]
- id: 1
  operator_type: Add
  equation: O[b][g]=W[b][g]+I[b][g]
  loop_dims: [B, G]
  loop_sizes: [1, 8]
  operand_precision: { W: 8, I: 8, O: 16, O_final: 8 }
`;

describe("ZigZag's hardware", () => {
  it("becomes memories, ports and an array", () => {
    const accelerator = readZigZagHardware(hardware);
    expect(accelerator.array).toEqual({
      dimensions: [
        { name: "D1", size: 4 },
        { name: "D2", size: 2 },
      ],
      unitEnergyPj: 0.04,
      unitArea: 1,
    });
    expect(accelerator.memories.map(({ name, sizeBits }) => [name, sizeBits])).toEqual([
      ["registers", 16],
      ["dram", 1e10],
    ]);
    expect(accelerator.memories[0]!.ports[1]).toEqual({
      name: "w_port_1",
      kind: "write",
      minBitsPerCycle: 16,
      maxBitsPerCycle: 16,
      transfers: [
        { operand: "O", move: "writeFromHigh" },
        { operand: "O", move: "writeFromLow" },
      ],
    });
  });

  it("takes the last of a field that is given twice, as ZigZag's own reader does", () => {
    const twice = hardware.replace("    size: 16\n", "    size: 16\n    size: 32\n");
    expect(readZigZagHardware(twice).memories[0]!.sizeBits).toBe(32);
  });

  it.each([
    ["size: 16", "size: 1.5", "h.yaml:4:11: memories.registers.size: wrong type: expected a whole number"],
    ["size: 16", "sice: 16", "h.yaml:4:5: memories.registers.sice: unknown field"],
    ["r_cost: 0.02", "r_cost: -1", "h.yaml:5:13: memories.registers.r_cost: too small: expected at least 0"],
    ["type: read\n", "type: reed\n", "memories.registers.ports[0].type: wrong value: expected one of read, write"],
    ["type: read\n", "type: write\n", "memories.registers.ports[0].allocation: a write port cannot carry tl or th"],
    ["bandwidth_min: 16", "bandwidth_min: 32", "memories.registers.ports[0].bandwidth_min: larger than bandwidth_max"],
    ["[I1, I2, O]", "[I1, I3, O]", "h.yaml:28:20: memories.dram.operands[1]: wrong value: expected one of I1, I2, O"],
    ["O, fh", "I1, fh", "memories.registers.ports[1].allocation[0]: the memory does not hold this operand"],
    ['O, fl"]\n    served', 'O, fh"]\n    served', "memories.registers.ports: a transfer has no port"],
    ["[D1, D2]\noperational", "[D1, D3]\noperational", "memories.dram.served_dimensions[1]: the array has no such"],
    ["sizes: [4, 2]", "sizes: [4]", "operational_array.sizes: as many sizes as dimensions are needed"],
    ["unit_area: 1", "is_imc: true", "operational_array.is_imc: wrong value: expected false, received true"],
  ])("with %j replaced by %j says where it is wrong", (from, to, message) => {
    expect(hardware).toContain(from);
    expect(() => readZigZagHardware(hardware.replace(from, to), { file: "h.yaml" })).toThrow(message);
  });
});

describe("ZigZag's mapping", () => {
  it("becomes entries, with what is inside and outside of the order", () => {
    const [first, pooling] = readZigZagMapping(mapping);
    expect(first).toEqual({
      name: "default",
      spatial: { D1: [{ dimension: "K", factor: 4 }] },
      spatialHints: {},
      order: { inner: [], outer: [] },
      links: { O: "O", W: "I2", I: "I1" },
    });
    expect(pooling!.order).toEqual({
      inner: [{ dimension: "FX" }, { dimension: "OX", factor: 2 }],
      outer: [{ dimension: "OY" }],
    });
    expect(pooling!.links).toEqual({ O: "O", W: "I2", I: "I1" });
  });

  it.each([
    ["name: default", "name: defaults", "m.yaml:1:1: there is no entry named default"],
    ["K, 4", "K 4", "m.yaml:3:10: [0].spatial_mapping.D1[0]: "],
    ['D1: ["K', 'X1: ["K', "[0].spatial_mapping.X1: expected a dimension of the array, such as D1"],
    ["W: I2", "W: I1", "[0].memory_operand_links: two operands of the layer share a memory operand"],
    ["[OX, 2]", "[OX, 0]", "m.yaml:11:12: [1].temporal_ordering[1][1]: too small: expected more than 0, received 0"],
  ])("with %j replaced by %j says where it is wrong", (from, to, message) => {
    expect(mapping).toContain(from);
    expect(() => readZigZagMapping(mapping.replace(from, to), { file: "m.yaml" })).toThrow(message);
  });
});

describe("ZigZag's workload", () => {
  it("becomes layers; padding is not stored", () => {
    const [first, second] = readZigZagWorkload(workload);
    expect(first!.relations).toEqual([
      { rank: "IX", a: { dimension: "OX", coefficient: 2 }, b: { dimension: "FX", coefficient: 1 }, size: 16 },
      { rank: "IY", a: { dimension: "OY", coefficient: 2 }, b: { dimension: "FY", coefficient: 1 }, size: 16 },
    ]);
    expect(first!.inputs.map(({ name, ranks }) => [name, ranks])).toEqual([
      ["W", ["K", "C", "FY", "FX"]],
      ["I", ["B", "C", "IY", "IX"]],
    ]);
    expect(second).toMatchObject({
      name: "Layer1",
      dimensions: { B: 1, G: 8 },
      output: { name: "O", bits: 16, finalBits: 8 },
    });
  });

  it.each([
    ["*I[b]", "*I(b)", "w.yaml:4:13: [0].equation: "],
    ["W[k][c]", "W[k][q]", "w.yaml:4:13: [0].equation: an index is no loop"],
    ["ix=2*ox", "ix=2*oz", "[0].dimension_relations[0]: there is no such loop: expected one of B, K, C"],
    ["W: 8, I", "V: 8, I", "[0].operand_precision.W: missing field"],
    ["[1, 8, 3,", "[1, 8,", "[0].loop_sizes: not a size a loop: expected 7 sizes, received 6"],
    ["[1, 8, 3,", "[1, 0, 3,", "[0].loop_sizes[1]: too small"],
    ["[[1, 0], [1", "[[1, 0], [64", "[0].padding: nothing of IY is left without its padding"],
    ["[B, K, C,", "[B, K, K,", "[0].loop_dims[2]: the loop is given twice"],
    ["- id: 1", "- ids: 1", "w.yaml:12:3: [1].ids: unknown field"],
  ])("with %j replaced by %j says where it is wrong", (from, to, message) => {
    expect(workload).toContain(from);
    expect(() => readZigZagWorkload(workload.replace(from, to), { file: "w.yaml" })).toThrow(message);
  });
});

describe("a network", () => {
  it("gives its convolutions and matrix products with ZigZag's letters; padding is not stored", () => {
    const g = new GraphBuilder("net");
    const constant = (name: string, dimensions: number[]) => g.constant({ elementType: "float32", dimensions }, name);
    const x = g.input("image", "float32", [1, 8, 16, 16]);
    const attributes = { strides: [2, 2], pads: [1, 1, 1, 1], group: 2 };
    const y = g.op("Conv", [x, constant("w", [12, 4, 3, 3])], attributes, { name: "conv" });
    const flat = g.op("Flatten", [g.op("GlobalAveragePool", [y])]);
    g.output(g.op("Gemm", [flat, constant("v", [5, 12])], { transB: 1 }, { name: "product" }), "z");
    const [convolution, product, ...more] = zigzagLayersOf(g.build(), {
      bitWidths: { weights: 4, inputs: 8, outputs: 8 },
      dataInputs: ["image"],
    });
    expect(more).toEqual([]);
    expect(convolution).toMatchObject({
      name: "conv",
      operator: "Conv",
      dimensions: { B: 1, K: 6, G: 2, OX: 8, OY: 8, C: 4, FX: 3, FY: 3 },
      output: { ranks: ["B", "G", "K", "OY", "OX"], bits: 16, finalBits: 8 },
      inputs: [
        { name: "W", ranks: ["G", "K", "C", "FY", "FX"], bits: 4 },
        { name: "I", ranks: ["B", "G", "C", "IY", "IX"], bits: 8 },
      ],
    });
    expect(convolution!.relations.map(({ rank, size }) => [rank, size])).toEqual([
      ["IY", 16],
      ["IX", 16],
    ]);
    expect(product).toMatchObject({ operator: "Gemm", dimensions: { C: 12, D: 1, K: 5 }, relations: [] });
  });
});

it("mutated files give an error with a place or a document, and nothing else", () => {
  const edit = fc.record({ at: fc.nat(2000), remove: fc.nat(6), insert: fc.string({ maxLength: 4 }) });
  const forms = fc.constantFrom(
    { text: hardware, read: readZigZagHardware },
    { text: mapping, read: readZigZagMapping },
    { text: workload, read: readZigZagWorkload },
  );
  fc.assert(
    fc.property(forms, fc.array(edit, { minLength: 1, maxLength: 4 }), ({ text, read }, edits) => {
      let mutated = text;
      for (const { at, remove, insert } of edits) {
        const place = at % (mutated.length + 1);
        mutated = mutated.slice(0, place) + insert + mutated.slice(place + remove);
      }
      try {
        read(mutated, { file: "x" });
      } catch (error) {
        if (!(error instanceof DovetailError)) throw error;
        for (const { file } of error.diagnostics) expect(file).toBe("x");
      }
    }),
    { numRuns: 1000 },
  );
});

it("files with other numbers are refused, or cost what no invariant forbids", () => {
  const numbers = fc.constantFrom(0, 1, 2, 3, 7, 8, 13, 64, 100, 1_000, 1_000_000);
  const edit = fc.record({ file: fc.nat(2), at: fc.nat(1000), value: numbers });
  const texts = [hardware, mapping, workload] as const;
  let costed = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const [h, m, w] = texts.map((text, index) => {
        let count = 0;
        const places = text.match(/\b\d+\b/g)!.length;
        const own = edits.filter(({ file }) => file === index);
        return text.replace(/\b\d+\b/g, (number) => {
          const hit = own.find(({ at }) => at % places === count);
          count++;
          return hit === undefined ? number : String(hit.value);
        });
      });
      try {
        const layers = readZigZagWorkload(w!, { file: "x" });
        const entries = readZigZagMapping(m!, { file: "x" });
        const network = mapZigZagNetwork(layers, readZigZagHardware(h!, { file: "x" }), entries, { evaluations: 200 });
        for (const { cost } of network.layers) {
          expect(cost.energyPj).toBeGreaterThanOrEqual(0);
          expect(cost.latencyCycles).toBeGreaterThanOrEqual(cost.temporalCycles);
          expect(cost.utilization).toBeLessThanOrEqual(1);
          expect(cost.utilization).toBeGreaterThan(0);
        }
        costed++;
      } catch (error) {
        if (!(error instanceof DovetailError)) throw error;
      }
    }),
    { numRuns: 400 },
  );
  expect(costed).toBeGreaterThan(20);
});

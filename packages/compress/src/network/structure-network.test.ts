import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, modelOf, readModel, type Tensor, tensor, writeModel } from "@dovetail/graph";
import { initializeParameters, mobileNetV2, resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { filtersOf, weightLayersOf } from "../layers/weight-layers.js";
import { unpackTensor } from "../packed/packed-tensor.js";
import { decodePacked } from "../packed/read-packed.js";
import { encodePacked } from "../packed/write-packed.js";
import { integerTensor, magnitudeMasks } from "../pruning/prune-weights.js";
import { fitRows, pruneRows, structuredBitsOf } from "./fit-rows.js";
import { modelOfPacked, packNetwork } from "./pack-network.js";
import { packedTensors, storageOf } from "./storage.js";
import { annotateCompressed, structureNetwork } from "./structure-network.js";

const network = resNet({ depth: 8 });
const weights = initializeParameters(network, createRandomStream(1));
const layers = weightLayersOf(network.graph, weights);

describe("layers that can be compressed", () => {
  it("are the convolutions and products of a network", () => {
    expect(layers.length).toBe(10);
    expect(layers[0]).toEqual({
      name: "stem.conv.weight",
      operator: "Conv",
      shape: { outputChannels: 16, inputChannels: 3, kernelHeight: 3, kernelWidth: 3 },
      isTransposed: false,
    });
    expect(layers.at(-1)).toMatchObject({ operator: "Gemm", shape: { outputChannels: 10, inputChannels: 64 } });
    const light = mobileNetV2();
    const depthwise = weightLayersOf(light.graph, initializeParameters(light, createRandomStream(1))).filter(
      ({ shape }) => shape.inputChannels === 1,
    );
    expect(depthwise.length).toBe(17);
  });

  it("are read filter by filter, whichever way a matrix lies", () => {
    const g = new GraphBuilder("matrices");
    const x = g.input("x", "float32", ["batch", 2]);
    const matrix = (name: string, dimensions: [number, number]) =>
      g.constant(
        tensor(
          "float32",
          dimensions,
          Float32Array.from({ length: 6 }, (_, index) => index),
        ),
        name,
      );
    g.output(g.op("MatMul", [x, matrix("a", [2, 3])]), "first");
    g.output(g.op("Gemm", [x, matrix("b", [3, 2])], { transB: 1 }), "second");
    const { initializers } = g.build();
    const [a, b] = weightLayersOf(g.build(), initializers);
    expect(a).toMatchObject({ isTransposed: true, shape: { outputChannels: 3, inputChannels: 2 } });
    expect([...filtersOf(a!, initializers.get("a")!)]).toEqual([0, 3, 1, 4, 2, 5]);
    expect(b).toMatchObject({ isTransposed: false, shape: { outputChannels: 3, inputChannels: 2 } });
    expect([...filtersOf(b!, initializers.get("b")!)]).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("a network in SmartExchange's form", () => {
  it("is the same bits after a file, and its model's annotations say what it takes", () => {
    const { layers: structured, weights: rebuilt } = structureNetwork(layers, weights);
    const bytes = encodePacked({ tensors: packedTensors(weights, structured), graph: new Uint8Array(), metadata: {} });
    for (const [name, packed] of decodePacked(bytes).tensors) expect(unpackTensor(packed)).toEqual(rebuilt.get(name));
    const graph = annotateCompressed(network.graph, structured);
    const { graph: read } = readModel(writeModel(modelOf(graph)));
    const { structured: form } = read.annotations.get("stage1.0.first.conv.weight")!;
    expect(form).toMatchObject({ columns: 3, rows: 768, bases: 16, coefficientBitWidth: 4, basisBitWidth: 8 });
    expect(storageOf(packedTensors(weights, structured)).compressionRate).toBeGreaterThan(6);
  });
});

describe("a packed network", () => {
  it("is its model again, weights, annotations, metadata and all", () => {
    const { layers: structured, weights: rebuilt } = structureNetwork(layers, weights);
    const packed = packNetwork(network, packedTensors(weights, structured), {
      modelMetadata: new Map([["classNames", "[]"]]),
      metadata: { method: "smartexchange" },
    });
    const model = modelOfPacked(decodePacked(encodePacked(packed)));
    const { graph } = readModel(writeModel(model));
    for (const [name, tensor] of rebuilt) expect(graph.initializers.get(name)).toEqual(tensor);
    expect(graph.inputs.map(({ name }) => name)).toEqual([network.image]);
    expect(graph.annotations.get("classifier.weight")!.structured!.bases).toBe(10);
    expect(model.metadata.get("classNames")).toBe("[]");
    expect(() => modelOfPacked({ ...packed, graph: new Uint8Array() })).toThrow("holds tensors, but no graph");
  });
});

describe("pruning of rows", () => {
  it("zeroes the same rows in a group, the smallest first", () => {
    const rows = pruneRows(layers, weights, { by: "share", share: 0.5 }).get("stage3.0.second.conv.weight")!;
    for (const group of [0, 32]) {
      const first = rows.slice(group * 192, (group + 1) * 192);
      expect(first.reduce((sum, row) => sum + row, 0)).toBe(96);
      for (let filter = group; filter < group + 32; filter++) {
        expect(rows.slice(filter * 192, (filter + 1) * 192)).toEqual(first);
      }
    }
    const linear = pruneRows(layers, weights, { by: "share", share: 0.5 }).get("classifier.weight")!;
    expect(linear.slice(0, 22)).toEqual(linear.slice(9 * 22));
  });

  it("by value and by energy keeps more the lower the bar is", () => {
    const kept = (rule: Parameters<typeof pruneRows>[2]) =>
      [...pruneRows(layers, weights, rule).values()].flatMap((rows) => [...rows]).reduce((sum, row) => sum + row, 0);
    expect(kept({ by: "energy", kept: 1 })).toBe(kept({ by: "value", value: 0 }));
    expect(kept({ by: "energy", kept: 0.5 })).toBeLessThan(kept({ by: "energy", kept: 0.9 }));
    expect(kept({ by: "value", value: 1e9 })).toBe(0);
    expect(kept({ by: "energy", kept: 0 })).toBe(0);
    expect(() => kept({ by: "share", share: 2 })).toThrow("share: cannot choose rows to prune: expected 0 to 1");
    expect(() => kept({ by: "share", share: 0, groupFilters: 0 })).toThrow("groupFilters");
  });

  it("fits the layers into so many bits", () => {
    const all = structuredBitsOf(layers, pruneRows(layers, weights, { by: "share", share: 0 }));
    const rows = fitRows(layers, weights, { bits: 0.7 * all, groupFilters: 1 });
    const bits = structuredBitsOf(layers, rows);
    expect(bits / all).toBeLessThanOrEqual(0.7);
    expect(bits / all).toBeGreaterThan(0.69);
    expect(() => fitRows(layers, weights, { bits: 1000 })).toThrow("the layers do not fit, even without rows");
  });
});

describe("magnitude pruning", () => {
  const count = (masks: Map<string, Uint8Array>, name: string) => masks.get(name)!.reduce((sum, bit) => sum + bit, 0);
  const sizes = new Map(layers.map((layer) => [layer.name, filtersOf(layer, weights.get(layer.name)!).length]));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);

  it("zeroes the smallest of each layer or of all", () => {
    const each = magnitudeMasks(layers, weights, { share: 0.75, scope: "layer" });
    for (const [name, size] of sizes) expect(count(each, name)).toBe(size - Math.floor(0.75 * size));
    const all = magnitudeMasks(layers, weights, { share: 0.75, scope: "global" });
    expect([...sizes.keys()].reduce((sum, name) => sum + count(all, name), 0)).toBe(total - Math.floor(0.75 * total));
    const largestPruned = Math.max(...values(all, 0));
    expect(Math.min(...values(all, 1))).toBeGreaterThanOrEqual(largestPruned);
    expect(() => magnitudeMasks(layers, weights, { share: -1, scope: "layer" })).toThrow("no part of the weights");
  });

  function values(masks: Map<string, Uint8Array>, bit: number): number[] {
    return layers.flatMap((layer) => {
      const mask = masks.get(layer.name)!;
      return [...filtersOf(layer, weights.get(layer.name)!)].filter((_, index) => mask[index] === bit).map(Math.abs);
    });
  }

  it("of equal weights zeroes as many as it is told", () => {
    const equal = new Map<string, Tensor>([["w", tensor("float32", [2, 5], new Float32Array(10).fill(1))]]);
    const layer = { name: "w", operator: "Gemm", isTransposed: false } as const;
    const shape = { outputChannels: 2, inputChannels: 5, kernelHeight: 1, kernelWidth: 1 };
    const masks = magnitudeMasks([{ ...layer, shape }], equal, { share: 0.3, scope: "global" });
    expect(count(masks, "w")).toBe(7);
  });

  it("in whole numbers is as near as the bits allow", () => {
    const [layer] = layers;
    const exact = filtersOf(layer!, weights.get(layer!.name)!);
    const error = (bitWidth: number) => {
      const packed = integerTensor(layer!, weights.get(layer!.name)!, { bitWidth });
      const data = unpackTensor(packed).data as Float32Array;
      return data.reduce((sum, value, index) => sum + (value - exact[index]!) ** 2, 0);
    };
    // A bit more is about 6 dB.
    expect(error(4) / error(8)).toBeGreaterThan(100);
    expect(error(2) / error(4)).toBeGreaterThan(5);
  });
});

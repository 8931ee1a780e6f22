import { readFileSync } from "node:fs";
import path from "node:path";
import { decomposeLayer, filtersOf, type StructuredLayer, weightLayersOf } from "@dovetail/compress";
import { readModel } from "@dovetail/graph";
import { loadDataset } from "@dovetail/train";
import { describe, expect, it } from "vitest";
import { compareOnLine, layerInputs } from "../line-check.js";
import { type LayerInput, layerOnLine } from "./layer-on-line.js";

const shared = process.env.DOVETAIL_SHARED ?? path.join(import.meta.dirname, "../../../../../../shared");
const file = path.join(shared, "data/onnx/mlperf-tiny-resnet8-cifar10.onnx");

interface Case {
  readonly name: string;
  readonly layer: StructuredLayer;
  readonly input: LayerInput;
}

/** Every layer of MLPerf Tiny's ResNet-8, decomposed, with the activations of a test image in 8 bit. */
async function layersOfResNet8(): Promise<Case[]> {
  const model = readModel(new Uint8Array(readFileSync(file)));
  const { initializers } = model.graph;
  const layers = weightLayersOf(model.graph, initializers);
  const dataset = await loadDataset({ kind: "bundled-cifar10", trainImagesPerClass: 1, testImagesPerClass: 1 });
  const image = Float32Array.from(
    dataset.images("test").subarray(
      0,
      dataset.imageShape.reduce((a, b) => a * b, 1),
    ),
  );
  const inputs = await layerInputs(model, new Set(layers.map(({ name }) => name)), image);
  return inputs.map(({ name, operator, input }) => {
    const found = layers.find((each) => each.name === name)!;
    const filters = filtersOf(found, initializers.get(name)!);
    const largest = filters.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // So that there are zero coefficients, and zero rows of kernels.
    const { layer } = decomposeLayer(filters, found.shape, { threshold: 0.03 * largest });
    return { name: `${operator} ${name}`, layer, input };
  });
}

describe("MLPerf Tiny's ResNet-8, compressed, layer by layer", async () => {
  const layers = await layersOfResNet8();

  it("has nine convolutions and a dense layer", () => {
    expect(layers.filter(({ name }) => name.startsWith("Conv"))).toHaveLength(9);
    expect(layers).toHaveLength(10);
  });

  it.each(layers.map((each) => [each.name, each] as const))(
    "%s: the models' sums are those of plain integers",
    (_, { layer, input }) => {
      const { sums, nonZeroSums, differences } = compareOnLine(layer, input);
      expect(sums).toBe(2 * layer.shape.outputChannels * input.outputHeight * input.outputWidth);
      expect(nonZeroSums).toBeGreaterThan(0);
      expect(differences).toBe(0);
    },
  );

  it("computes every second row as it does all, and in no more cycles than both parts take", () => {
    const { layer, input } = layers[5]!;
    const settings = { weightBits: 8, accumulatorBits: 24 } as const;
    const all = layerOnLine(layer, input, settings);
    const half = layerOnLine(layer, { ...input, rowStep: 2 }, settings);
    const { outputHeight, outputWidth } = input;
    const isComputed = (_: number, index: number) => (Math.floor(index / outputWidth) % outputHeight) % 2 === 0;
    expect(half.sums).toEqual(all.sums.filter(isComputed));
    expect(all.cycles).toBeLessThanOrEqual(all.multiplyCycles + all.rebuildCycles);
  });
});

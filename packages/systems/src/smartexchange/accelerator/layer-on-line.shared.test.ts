import { readFileSync } from "node:fs";
import path from "node:path";
import { decomposeLayer, type LayerDecomposition } from "@dovetail/compress";
import { attributeOf, inferTypes, readModel, windowOf, writeModel } from "@dovetail/graph";
import { openModel } from "@dovetail/runtime";
import { loadDataset } from "@dovetail/train";
import { describe, expect, it } from "vitest";
import { type LayerInput, layerInIntegers, layerOnLine } from "./layer-on-line.js";

const shared = process.env.DOVETAIL_SHARED ?? path.join(import.meta.dirname, "../../../../../../shared");
const file = path.join(shared, "data/onnx/mlperf-tiny-resnet8-cifar10.onnx");

interface Case {
  readonly name: string;
  readonly decomposition: LayerDecomposition;
  readonly input: LayerInput;
}

/** Every convolution of MLPerf Tiny's ResNet-8, decomposed, with the activations of a test image in 8 bit. */
async function layersOfResNet8(): Promise<Case[]> {
  const model = readModel(new Uint8Array(readFileSync(file)));
  const graph = inferTypes(model.graph);
  const nodes = graph.nodes.filter(({ operator }) => operator === "Conv");
  const names = [...new Set(nodes.map(({ inputs: [name] }) => name!))];
  const imageName = graph.inputs[0]!.name;
  const outputs = names.filter((name) => name !== imageName).map((name) => ({ name, type: graph.types.get(name)! }));
  const open = await openModel(writeModel({ ...model, graph: { ...graph, outputs } }), { threads: 1 });
  const dataset = await loadDataset({ kind: "bundled-cifar10", trainImagesPerClass: 1, testImagesPerClass: 1 });
  const [channels, height, width] = dataset.imageShape;
  const data = Float32Array.from(dataset.images("test").subarray(0, channels * height * width));
  const image = { elementType: "float32" as const, dimensions: [1, channels, height, width], data };
  const results = { ...(await open.run({ [imageName]: image })), [imageName]: image };
  await open.release();
  return nodes.map((node) => {
    const [inputName, weightName] = node.inputs as [string, string];
    const weight = graph.initializers.get(weightName)!;
    const [outputChannels, inputChannels, kernelHeight, kernelWidth] = weight.dimensions as [
      number,
      number,
      number,
      number,
    ];
    const activations = results[inputName] as { data: ArrayLike<number>; dimensions: readonly number[] };
    const spatial = activations.dimensions.slice(2);
    const window = windowOf(node, [kernelHeight, kernelWidth], spatial)!;
    const [, , outputHeight, outputWidth] = graph.types.get(node.outputs[0]!)!.shape as number[];
    const values = Float64Array.from(activations.data);
    const signed = values.some((value) => value < 0);
    const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const step = most / (signed ? 127 : 255);
    expect(attributeOf(node, "group", "int", 1)).toBe(1);
    const weights = Float32Array.from((weight as { data: ArrayLike<number> }).data);
    const largest = weights.reduce((found, value) => Math.max(found, Math.abs(value)), 0);
    return {
      name: node.name,
      decomposition: decomposeLayer(
        weights,
        { outputChannels, inputChannels, kernelHeight, kernelWidth },
        // So that there are zero coefficients, and zero rows of kernels.
        { threshold: 0.03 * largest },
      ),
      input: {
        codes: Int32Array.from(values, (value) => Math.round(value / step)),
        height: spatial[0]!,
        width: spatial[1]!,
        stride: window.strides[0]!,
        padTop: window.pads[0]!,
        padLeft: window.pads[1]!,
        outputHeight: outputHeight!,
        outputWidth: outputWidth!,
        signed,
      },
    };
  });
}

describe("MLPerf Tiny's ResNet-8, compressed, layer by layer", async () => {
  const layers = await layersOfResNet8();

  it("has nine convolutions", () => expect(layers).toHaveLength(9));

  it.each(layers.map((each) => [each.name, each] as const))(
    "%s: the models' sums are those of plain integers",
    (_, each) => {
      const { layer } = each.decomposition;
      for (const [weightBits, accumulatorBits] of [
        [8, 24],
        [24, 48],
      ] as const) {
        const found = layerOnLine(layer, each.input, { weightBits, accumulatorBits });
        expect(found.sums).toEqual(layerInIntegers(layer, each.input, weightBits));
        expect(found.sums.some((sum) => sum !== 0)).toBe(true);
        expect(found.cycles).toBeLessThanOrEqual(found.multiplyCycles + found.rebuildCycles);
      }
    },
  );
});

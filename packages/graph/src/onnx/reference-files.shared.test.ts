import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readModel } from "./read-model.js";
import { writeModel } from "./write-model.js";

const shared = process.env.DOVETAIL_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));
const bytesOf = (name: string): Uint8Array => readFileSync(`${shared}/data/onnx/${name}`);

describe("the reference ONNX files", () => {
  it("reads ResNet-8 of MLPerf Tiny with all its weights", () => {
    const { graph, opsets } = readModel(bytesOf("mlperf-tiny-resnet8-cifar10.onnx"));
    expect(opsets.get("")).toBe(18);
    expect(graph.inputs).toEqual([{ name: "image", type: { elementType: "float32", shape: ["batch", 3, 32, 32] } }]);
    expect(graph.outputs).toEqual([{ name: "probabilities", type: { elementType: "float32", shape: ["batch", 10] } }]);
    expect([...graph.initializers.values()].every(({ data }) => data !== undefined)).toBe(true);
    for (const node of graph.nodes) for (const output of node.outputs) expect(graph.types.has(output)).toBe(true);
  });

  it("writes ResNet-8 so that it reads back the same", () => {
    const model = readModel(bytesOf("mlperf-tiny-resnet8-cifar10.onnx"));
    expect(readModel(writeModel(model))).toEqual(model);
  });

  it.each([
    ["resnet18-structure.onnx", "Conv", 20],
    ["mobilenetv2-structure.onnx", "Conv", 52],
    ["alexnet-structure.onnx", "Conv", 5],
  ])("reads the shapes of %s, whose weights are not there", (name, operator, count) => {
    const { graph } = readModel(bytesOf(name), { missingExternalData: "shape-only" });
    expect(graph.nodes.filter((node) => node.operator === operator)).toHaveLength(count);
    for (const node of graph.nodes)
      for (const output of node.outputs) expect(graph.types.get(output)?.shape).toBeDefined();
    expect([...graph.initializers.values()].some(({ data }) => data === undefined)).toBe(true);
    expect(() => readModel(bytesOf(name))).toThrow(/is not there/);
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { elementTypeOfOnnxCode } from "../ir/element-type.js";
import type { Graph, Model, Tensor } from "../ir/graph.js";
import { readModel } from "./read-model.js";
import { writeModel } from "./write-model.js";

interface PeerModel {
  readonly base64: string;
  readonly externalBase64?: string;
  readonly types?: Readonly<Record<string, { elementTypeCode: number; shape: (number | string | null)[] | null }>>;
  readonly constants: Readonly<Record<string, (number | string)[]>>;
}

const golden = JSON.parse(readFileSync(new URL("./peer-models.golden.json", import.meta.url), "utf8")) as {
  readonly models: Readonly<Record<string, PeerModel>>;
};

const decode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

function read(name: string): Model {
  const { base64, externalBase64 } = golden.models[name]!;
  const blob = decode(externalBase64 ?? "");
  return readModel(decode(base64), {
    externalData: (location, offset, length) =>
      location === "weights.bin" ? blob.subarray(offset, offset + length) : undefined,
  });
}

const operators = (graph: Graph): string[] => graph.nodes.map(({ operator }) => operator);

/** Values of a constant as the reference gives them: 4-bit and 16-bit ones decoded. */
function valuesOf({ elementType, dimensions, data }: Tensor): (number | string)[] {
  const count = dimensions.reduce((a, b) => a * b, 1);
  if (elementType === "int4" || elementType === "uint4") {
    return Array.from({ length: count }, (_, index) => {
      const nibble = ((data as Uint8Array)[index >> 1]! >> (4 * (index % 2))) & 15;
      return elementType === "int4" && nibble > 7 ? nibble - 16 : nibble;
    });
  }
  if (elementType === "bfloat16") {
    return Array.from(data as Uint16Array, (bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!);
  }
  if (elementType === "float16") return Array.from(data as Uint16Array, halfToNumber);
  return Array.from(data as ArrayLike<number | string>, (value) => (typeof value === "string" ? value : Number(value)));
}

function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits >> 15 ? -1 : 1;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

describe.each(Object.keys(golden.models))("the reference's file %s", (name) => {
  it("gives the reference's constants", () => {
    const { graph } = read(name);
    for (const [constant, values] of Object.entries(golden.models[name]!.constants)) {
      expect(valuesOf(graph.initializers.get(constant)!), constant).toEqual(values);
    }
  });

  it("gives the reference's types", () => {
    const { graph } = read(name);
    for (const [value, { elementTypeCode, shape }] of Object.entries(golden.models[name]!.types ?? {})) {
      const type = graph.types.get(value);
      // BatchNormalization's and Dropout's further outputs are gone when nothing reads them.
      if (!type) continue;
      expect(type.elementType, value).toBe(elementTypeOfOnnxCode(elementTypeCode));
      shape?.forEach((size, axis) => {
        if (size !== null && !`${size}`.startsWith("unk__")) expect(type.shape?.[axis], `${value}[${axis}]`).toBe(size);
      });
    }
  });

  it("reads back the same after writing", () => {
    const model = read(name);
    expect(readModel(writeModel(model))).toEqual(model);
  });
});

describe("forms of older operator sets", () => {
  it("takes initializers among the inputs as constants", () => {
    const { graph, opsets, producer } = read("convolutional_11");
    expect(graph.inputs).toEqual([{ name: "image", type: { elementType: "float32", shape: ["batch", 3, 8, 8] } }]);
    expect(opsets).toEqual(new Map([["", 18]]));
    expect(producer).toBe("onnx-helper");
    const normalization = graph.nodes.find(({ operator }) => operator === "BatchNormalization")!;
    expect(normalization.attributes).toEqual({ epsilon: { kind: "float", value: 1e-3 } });
  });

  it("moves attributes to inputs, and writes old softmaxes out", () => {
    const { graph } = read("old_forms_11");
    const node = (output: string) => graph.nodes.find(({ outputs }) => outputs.includes(output))!;
    const input = (output: string, index: number) => graph.initializers.get(node(output).inputs[index]!);
    expect(input("unsqueezed", 1)?.data).toEqual(BigInt64Array.of(0n, 4n));
    expect(input("summed", 1)?.data).toEqual(BigInt64Array.of(1n));
    expect(node("summed").attributes).toEqual({ keepdims: { kind: "int", value: 1 } });
    expect(input("largest", 1)?.data).toEqual(BigInt64Array.of(-1n));
    expect(node("norm").inputs).toEqual(["x"]);
    expect(input("left", 1)?.data).toEqual(BigInt64Array.of(1n, 3n));
    expect(node("half_a").attributes).toEqual({
      axis: { kind: "int", value: 0 },
      num_outputs: { kind: "int", value: 2 },
    });
    expect(node("softmax_flat").operator).toBe("Reshape");
    expect(node("log_softmax_last").attributes).toEqual({ axis: { kind: "int", value: -1 } });
    expect(input("dropped", 1)).toEqual({ elementType: "float32", dimensions: [], data: Float32Array.of(0.1) });
    expect(node("resized").inputs).toEqual(["image", "", "scales"]);
    expect(node("resized_to").inputs).toEqual(["image", "", "", "sizes"]);
    expect(node("normal").outputs).toEqual(["normal"]);
    expect(node("aligned").attributes.coordinate_transformation_mode).toEqual({
      kind: "string",
      value: "output_half_pixel",
    });
  });

  it("reads constants of every kind as tensors", () => {
    const { graph } = read("constants_13");
    const values = graph.nodes
      .filter(({ operator }) => operator === "Constant")
      .map(({ attributes }) => attributes.value);
    expect(values.map((value) => (value?.kind === "tensor" ? value.value : undefined))).toEqual([
      { elementType: "int64", dimensions: [], data: BigInt64Array.of(3n) },
      { elementType: "int64", dimensions: [2], data: BigInt64Array.of(0n, -1n) },
      { elementType: "float32", dimensions: [], data: Float32Array.of(0.5) },
      { elementType: "int64", dimensions: [1], data: BigInt64Array.of(1n) },
    ]);
    expect(graph.nodes.find(({ operator }) => operator === "Softmax")?.attributes.axis?.value).toBe(0);
  });
});

describe("what surrounds a graph", () => {
  it("reads subgraphs that use the surrounding graph's values, with their types", () => {
    const { graph } = read("control_flow_18");
    expect(operators(graph)).toEqual(["If", "Loop"]);
    const branch = graph.nodes[0]!.attributes.else_branch;
    const body = graph.nodes[1]!.attributes.body;
    if (branch?.kind !== "graph" || body?.kind !== "graph") throw new Error("the subgraphs are missing");
    expect(branch.value.types.get("e")).toEqual({ elementType: "float32", shape: ["n", 4] });
    expect(body.value.types.get("scaled")).toEqual({ elementType: "float32", shape: ["n", 4] });
  });

  it("reads functions, and keeps operators that it does not know with the types that the file gives", () => {
    const { graph, functions, opsets } = read("functions_18");
    expect(graph.types.get("z")).toEqual({ elementType: "float32", shape: ["n", 2] });
    expect(graph.types.get("out")).toEqual({ elementType: "float32", shape: ["n", 2] });
    expect(graph.nodes[1]).toMatchObject({ domain: "elsewhere", operator: "Mystery" });
    expect(opsets.get("elsewhere")).toBe(2);
    expect(functions).toHaveLength(1);
    expect(functions[0]).toMatchObject({
      domain: "example",
      name: "ScaledLeaky",
      attributes: ["scale"],
      attributeDefaults: { slope: { kind: "float", value: 0.1 } },
    });
    expect(functions[0]!.nodes[0]!.attributes).toEqual({
      value_float: { kind: "reference", value: "scale", of: "float" },
    });
  });

  it("reads values that lie in a file beside the model", () => {
    const { graph } = read("external_18");
    const data = graph.initializers.get("outside")?.data as Float32Array;
    expect(data[0]).toBeCloseTo(Math.sin(7), 6);
    expect(data[15]).toBeCloseTo(Math.sin(15 * 0.7 + 7), 6);
  });
});

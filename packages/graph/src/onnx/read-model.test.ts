import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Diagnostic, DovetailError } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import {
  AttributeProto_Type,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataLocation,
  type TensorProtoSchema,
} from "./generated/onnx_pb.js";
import { type ReadOptions, readModel } from "./read-model.js";

type GraphInit = MessageInitShape<typeof GraphProtoSchema>;
type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type TensorInit = MessageInitShape<typeof TensorProtoSchema>;

const value = (name: string, ...shape: number[]) => ({
  name,
  type: {
    value: {
      case: "tensorType" as const,
      value: {
        elemType: 1,
        shape: { dim: shape.map((size) => ({ value: { case: "dimValue" as const, value: BigInt(size) } })) },
      },
    },
  },
});

/** A model with input x [2,4] and output y [2,4], unless the parts say otherwise. */
function bytesOf(graph: GraphInit, opset = 18): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    graph: { name: "g", input: [value("x", 2, 4)], output: [value("y", 2, 4)], ...(graph as object) },
  });
  return toBinary(ModelProtoSchema, model);
}

const relu: NodeInit = { name: "relu", opType: "Relu", input: ["x"], output: ["y"] };
const withTensor = (tensor: TensorInit): Uint8Array =>
  bytesOf({ node: [relu], initializer: [{ name: "w", dataType: 1, ...tensor }] });

function refusal(bytes: Uint8Array, options?: ReadOptions): Diagnostic {
  try {
    readModel(bytes, options);
  } catch (error) {
    if (error instanceof DovetailError) return error.diagnostics[0]!;
    throw error;
  }
  throw new Error("the model was read");
}

describe("what a file must have", () => {
  it("names the version of an operator set that is too old or too new", () => {
    for (const opset of [10, 22]) {
      expect(refusal(bytesOf({ node: [relu] }, opset))).toMatchObject({
        code: "unsupported_opset",
        kind: "input",
        expected: "11 to 21",
        received: `${opset}`,
      });
    }
    for (const opset of [11, 12, 17, 18]) expect(readModel(bytesOf({ node: [relu] }, opset)).opsets.get("")).toBe(18);
    for (const opset of [19, 20, 21]) expect(readModel(bytesOf({ node: [relu] }, opset)).opsets.get("")).toBe(opset);
  });

  it("says which operators of a newer set mean something else", () => {
    const nodes: NodeInit[] = [
      { name: "norm", opType: "GroupNormalization", input: ["x", "x", "x"], output: ["n"] },
      { name: "grid", opType: "GridSample", input: ["n", "n"], output: ["y"] },
    ];
    expect(refusal(bytesOf({ node: nodes }, 21)).message).toBe(
      'operator set 21 gives other meanings to: GroupNormalization (node "norm"), GridSample (node "grid")',
    );
    expect(refusal(bytesOf({ node: nodes }, 20)).message).toBe(
      'operator set 20 gives other meanings to: GridSample (node "grid")',
    );
  });

  it("refuses an empty file, other files, and a model without a graph or operator set", () => {
    expect(refusal(new Uint8Array()).message).toBe("the file is empty");
    expect(refusal(new TextEncoder().encode("<!doctype html><html></html>")).code).toBe("malformed_model");
    const graphless = create(ModelProtoSchema, { opsetImport: [{ version: 18n }] });
    expect(refusal(toBinary(ModelProtoSchema, graphless)).path).toEqual(["graph"]);
    const versionless = create(ModelProtoSchema, { graph: create(GraphProtoSchema, {}) });
    expect(refusal(toBinary(ModelProtoSchema, versionless)).path).toEqual(["opset_import"]);
  });

  it("names the byte and the field of damage in the message", () => {
    const bytes = bytesOf({ node: [relu] });
    const cut = refusal(bytes.subarray(0, 20));
    expect(cut).toMatchObject({ code: "malformed_model", path: ["graph"] });
    expect(cut.message).toMatch(/^byte \d+: the file is cut short/);
    // The length of the node's name "relu" becomes 100, beyond the node.
    const damaged = bytes.slice();
    damaged[Buffer.from(bytes).indexOf("relu") - 1] = 100;
    expect(refusal(damaged)).toMatchObject({ path: ["graph", "node", 0, "name"], received: "a field of 100 bytes" });
    // A text that is not UTF-8.
    const garbled = bytes.slice();
    garbled[Buffer.from(bytes).indexOf("relu")] = 0xff;
    expect(refusal(garbled)).toMatchObject({ path: ["graph", "node", 0, "name"], message: /not UTF-8/ });
  });

  it("skips fields that it does not know", () => {
    const bytes = bytesOf({ node: [relu] });
    const documented = new Uint8Array([
      ...bytes,
      (6 << 3) | 2,
      2,
      0x68,
      0x69,
      ((500 << 3) & 0x7f) | 0x80 | 5,
      500 >> 4,
      1,
      2,
      3,
      4,
    ]);
    expect(readModel(documented)).toEqual(readModel(bytes));
  });
});

describe("names and order", () => {
  it("takes names for names, whatever they mean to JavaScript", () => {
    for (const name of ["constructor", "toString", "__proto__"]) {
      const attribute = [{ name, type: AttributeProto_Type.INT, i: 3n }];
      const node: NodeInit = { name, opType: name, input: ["x"], output: ["y"], attribute };
      const { graph } = readModel(bytesOf({ node: [node] }));
      expect(graph.nodes[0]!.operator).toBe(name);
      expect(Object.entries(graph.nodes[0]!.attributes)).toEqual([[name, { kind: "int", value: 3 }]]);
      expect(graph.outputs[0]!.type).toEqual({ elementType: "float32", shape: [2, 4] });
    }
  });

  it("refuses axes that are no whole numbers", () => {
    const unsqueeze: NodeInit = { name: "u", opType: "Unsqueeze", input: ["x", "axes"], output: ["y"] };
    const axes: TensorInit = { name: "axes", dims: [1n], dataType: 1, floatData: [0.5] };
    expect(refusal(bytesOf({ node: [unsqueeze], initializer: [axes] })).code).toBe("shape_mismatch");
  });

  it("puts nodes into order, names nameless ones, and makes names unique", () => {
    const nodes: NodeInit[] = [
      { opType: "Relu", input: ["b"], output: ["y"], name: "same" },
      { opType: "Relu", input: ["x"], output: ["a"], name: "same" },
      { opType: "Relu", input: ["a"], output: ["b"] },
    ];
    const { graph } = readModel(bytesOf({ node: nodes }));
    expect(graph.nodes.map(({ outputs }) => outputs[0])).toEqual(["a", "b", "y"]);
    expect(graph.nodes.map(({ name }) => name)).toEqual(["same_1", "Relu_2", "same"]);
  });

  it("refuses cycles, undefined values and values that are defined twice", () => {
    const cycle: NodeInit[] = [
      { opType: "Add", input: ["x", "y"], output: ["a"], name: "first" },
      { opType: "Relu", input: ["a"], output: ["y"] },
    ];
    expect(refusal(bytesOf({ node: cycle })).code).toBe("cyclic_graph");
    expect(refusal(bytesOf({ node: [{ ...relu, input: ["nowhere"] } as NodeInit] })).message).toBe(
      'node "relu" (Relu): there is no value "nowhere"',
    );
    expect(refusal(bytesOf({ node: [relu, relu] })).message).toBe('the value "y" is defined twice');
    expect(refusal(bytesOf({ node: [] })).message).toBe('no node gives the output "y"');
  });

  it("gives missing sizes names of their own, and keeps those that have one", () => {
    const unknown = {
      name: "x",
      type: {
        value: {
          case: "tensorType" as const,
          value: {
            elemType: 1,
            shape: {
              dim: [
                { value: { case: "dimParam" as const, value: "batch" } },
                {},
                { value: { case: "dimValue" as const, value: -1n } },
              ],
            },
          },
        },
      },
    };
    const { graph } = readModel(bytesOf({ node: [relu], input: [unknown], output: [{ ...unknown, name: "y" }] }));
    expect(graph.inputs[0]!.type.shape).toEqual(["batch", "x?1", "x?2"]);
    expect(graph.outputs[0]!.type.shape).toEqual(["batch", "x?1", "x?2"]);
  });

  it("refuses shapes that do not fit, and outputs that are not what they are declared to be", () => {
    const add: NodeInit = { name: "sum", opType: "Add", input: ["x", "z"], output: ["y"] };
    const misfit = refusal(bytesOf({ node: [add], input: [value("x", 2, 4), value("z", 2, 5)] }));
    expect(misfit.code).toBe("shape_mismatch");
    expect(misfit.message).toMatch(/node "sum" \(Add\)/);
    expect(refusal(bytesOf({ node: [relu], output: [value("y", 2, 5)] }))).toMatchObject({
      code: "type_conflict",
      expected: "float32[2,5]",
      received: "float32[2,4]",
    });
  });
});

describe("tensors", () => {
  it("must have as much data as their type and dimensions say", () => {
    expect(refusal(withTensor({ dims: [3n], floatData: [1, 2] }))).toMatchObject({
      path: ["graph", "initializer", 0],
      expected: "3 values",
      received: "2",
    });
    expect(refusal(withTensor({ dims: [3n], rawData: new Uint8Array(11) }))).toMatchObject({
      path: ["graph", "initializer", 0, "raw_data"],
      expected: "12 bytes",
      received: "11",
    });
    expect(refusal(withTensor({ dims: [1n], floatData: [1], rawData: new Uint8Array(4) })).message).toMatch(
      /given twice/,
    );
  });

  it("cannot ask for more memory than the file has", () => {
    const huge = withTensor({ dims: [2n ** 31n] });
    expect(refusal(huge)).toMatchObject({ code: "malformed_model", expected: "2147483648 values", received: "0" });
    expect(refusal(withTensor({ dims: [2n ** 20n, 2n ** 20n] })).code).toBe("limit_exceeded");
    expect(refusal(withTensor({ dims: [2n ** 62n, 0n] })).code).toBe("limit_exceeded");
    expect(refusal(withTensor({ dims: [-1n] })).path).toEqual(["graph", "initializer", 0, "dims", 0]);
  });

  it("of no values are fine", () => {
    const { graph } = readModel(withTensor({ dims: [0n, 5n] }));
    expect(graph.initializers.get("w")).toEqual({
      elementType: "float32",
      dimensions: [0, 5],
      data: new Float32Array(),
    });
  });

  it("of unsupported types, in segments, or sparse are refused by name", () => {
    expect(refusal(withTensor({ dims: [1n], dataType: 14 }))).toMatchObject({ received: "complex64" });
    expect(refusal(withTensor({ dims: [1n], dataType: 99 }))).toMatchObject({ received: "code 99" });
    expect(refusal(withTensor({ dims: [1n], segment: { begin: 0n, end: 1n } })).message).toMatch(/segments/);
    expect(refusal(bytesOf({ node: [relu], sparseInitializer: [{}] })).message).toBe("sparse tensors are not read");
  });

  it("share the file's memory where they are aligned", () => {
    const bytes = withTensor({ dims: [4n], rawData: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) });
    for (let shift = 0; shift < 4; shift++) {
      const buffer = new ArrayBuffer(bytes.length + shift);
      const shifted = new Uint8Array(buffer, shift);
      shifted.set(bytes);
      const data = readModel(shifted).graph.initializers.get("w")!.data as Float32Array;
      expect(data).toEqual(Float32Array.of(1, 2, 3, 4));
      const start = Buffer.from(buffer).indexOf(new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
      expect(data.buffer === buffer).toBe(start % 4 === 0);
    }
  });
});

describe("external data", () => {
  const external = (entries: Record<string, string>, dims = [2n]): Uint8Array =>
    withTensor({
      dims,
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, text]) => ({ key, value: text })),
    });
  const blob = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const externalData: ReadOptions["externalData"] = (location, offset, length) =>
    location === "data/w.bin" ? blob.subarray(offset, offset + length) : undefined;

  it("is read by place and length", () => {
    const { graph } = readModel(external({ location: "data/w.bin", offset: "8", length: "8" }), { externalData });
    expect(graph.initializers.get("w")?.data).toEqual(Float32Array.of(3, 4));
    const whole = readModel(external({ location: "data/w.bin" }, [4n]), { externalData });
    expect(whole.graph.initializers.get("w")?.data).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it("must not leave the model's folder", () => {
    const seen: string[] = [];
    for (const location of [
      "/etc/passwd",
      "../w.bin",
      "a/../../w.bin",
      "C:\\w.bin",
      "..\\w.bin",
      "\\\\host\\w",
      "file:///w",
      "a\0b",
    ]) {
      const diagnostic = refusal(external({ location }), { externalData: (name) => void seen.push(name) });
      expect(diagnostic).toMatchObject({ code: "unsafe_path", received: JSON.stringify(location) });
    }
    expect(seen).toEqual([]);
    expect(refusal(external({ offset: "0" })).message).toBe("the location is missing");
  });

  it("must be as long as the tensor", () => {
    expect(refusal(external({ location: "data/w.bin", length: "12" }), { externalData })).toMatchObject({
      expected: "8 bytes",
      received: "12",
    });
    expect(refusal(external({ location: "data/w.bin", offset: "12" }), { externalData })).toMatchObject({
      code: "external_data_size",
      expected: "8 bytes from offset 12",
      received: "4",
    });
    for (const offset of ["-1", "1e3", "0x10", "99999999999999999999"]) {
      expect(refusal(external({ location: "data/w.bin", offset }), { externalData }).message).toBe(
        "not a number of bytes",
      );
    }
  });

  it("may be missing when only shapes are wanted", () => {
    const bytes = external({ location: "other.bin" });
    expect(refusal(bytes, { externalData })).toMatchObject({ code: "missing_external_data", kind: "input" });
    const { graph } = readModel(bytes, { externalData, missingExternalData: "shape-only" });
    expect(graph.initializers.get("w")).toEqual({ elementType: "float32", dimensions: [2] });
  });
});

describe("limits", () => {
  const nested = (depth: number): GraphInit => {
    let graph = create(GraphProtoSchema, { name: "leaf", node: [{ opType: "Relu", input: ["x"], output: ["leaf"] }] });
    for (let level = 1; level < depth; level++) {
      const attribute = [{ name: "body", type: AttributeProto_Type.GRAPH, g: graph }];
      graph = create(GraphProtoSchema, {
        name: "n",
        node: [{ opType: "Own", domain: "d", output: [`v${level}`], attribute }],
      });
    }
    return { node: [...graph.node, create(GraphProtoSchema, { node: [relu] }).node[0]!] };
  };

  it("bound nodes, nesting, messages, list values and bytes", () => {
    const many = bytesOf({ node: [relu, { opType: "Relu", input: ["x"], output: ["z"] }] });
    expect(refusal(many, { limits: { nodes: 1 } })).toMatchObject({
      code: "limit_exceeded",
      path: ["graph", "node", 1],
      expected: "at most 1",
      received: "2",
    });
    expect(refusal(many, { limits: { messages: 5 } }).message).toMatch(/"messages"/);
    expect(refusal(many, { limits: { listValues: 3 } }).message).toMatch(/"listValues"/);
    expect(refusal(many, { limits: { fileBytes: 10 } }).message).toMatch(/"fileBytes"/);
    expect(
      refusal(withTensor({ dims: [4n], floatData: [1, 2, 3, 4] }), { limits: { tensorElements: 3 } }).message,
    ).toMatch(/"tensorElements"/);
    expect(readModel(bytesOf(nested(16))).graph.nodes).toHaveLength(2);
    expect(refusal(bytesOf(nested(17)))).toMatchObject({ code: "limit_exceeded", received: "17" });
  });

  it("hold back deeply nested messages before they cost the stack", () => {
    let graph: Uint8Array = new Uint8Array();
    const wrap = (field: number, content: Uint8Array): Uint8Array => {
      const length = content.length;
      const prefix = [(field << 3) | 2, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14];
      return Buffer.concat([Uint8Array.from(prefix), content]);
    };
    for (let depth = 0; depth < 2000; depth++) graph = wrap(1, wrap(5, wrap(6, graph)));
    expect(refusal(wrap(7, graph)).code).toBe("limit_exceeded");
  });
});

describe("attributes", () => {
  const withAttribute = (attribute: object): Uint8Array =>
    bytesOf({ node: [{ ...(relu as object), domain: "own", attribute: [{ name: "a", ...attribute }] } as NodeInit] });
  const read = (attribute: object) => readModel(withAttribute(attribute)).graph.nodes[0]!.attributes.a;

  it("absent scalars are zero, as in files of other writers", () => {
    expect(read({ type: AttributeProto_Type.INT })).toEqual({ kind: "int", value: 0 });
    expect(read({ type: AttributeProto_Type.FLOAT })).toEqual({ kind: "float", value: 0 });
    expect(read({ type: AttributeProto_Type.STRING })).toEqual({ kind: "string", value: "" });
  });

  it("floats are the shortest decimals that mean them", () => {
    expect(read({ type: AttributeProto_Type.FLOAT, f: Math.fround(1e-5) })).toEqual({ kind: "float", value: 1e-5 });
    expect(read({ type: AttributeProto_Type.FLOATS, floats: [Math.fround(0.1), 1 / 3, -Infinity] })).toEqual({
      kind: "floats",
      value: [0.1, 0.33333334, -Infinity],
    });
  });

  it("integers beyond 2^53 are refused, except those that mean the end", () => {
    expect(read({ type: AttributeProto_Type.INT, i: 2n ** 63n - 1n })).toEqual({ kind: "int", value: 2 ** 63 });
    expect(refusal(withAttribute({ type: AttributeProto_Type.INT, i: 2n ** 53n + 1n }))).toMatchObject({
      path: ["graph", "node", 0, "attribute", 0, "i"],
      received: "9007199254740993",
    });
  });

  it("of unsupported or missing types are refused", () => {
    expect(refusal(withAttribute({ type: AttributeProto_Type.TYPE_PROTO }))).toMatchObject({ received: "type_proto" });
    expect(refusal(withAttribute({ type: AttributeProto_Type.SPARSE_TENSOR }))).toMatchObject({
      received: "sparse_tensor",
    });
    expect(refusal(withAttribute({})).message).toBe('the type of attribute "a" is missing');
    expect(refusal(withAttribute({ type: AttributeProto_Type.TENSOR })).message).toBe(
      "the attribute's tensor is missing",
    );
    expect(refusal(withAttribute({ type: AttributeProto_Type.STRING, s: Uint8Array.of(0xff) })).message).toMatch(
      /UTF-8/,
    );
  });
});

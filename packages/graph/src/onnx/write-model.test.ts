import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import type { ElementType } from "../ir/element-type.js";
import { elementTypes } from "../ir/element-type.js";
import type { FunctionDefinition, Graph, Tensor } from "../ir/graph.js";
import { scalar, tensor, tensorFromData } from "../ir/tensor.js";
import { ModelProtoSchema } from "./generated/onnx_pb.js";
import { readModel } from "./read-model.js";
import { modelOf, writeModel, writeModelWithExternalData } from "./write-model.js";

function classifier(): Graph {
  const g = new GraphBuilder("classifier");
  const image = g.input("image", "float32", ["batch", 3, 8, 8]);
  const weight = g.constant(
    tensor(
      "float32",
      [4, 3, 3, 3],
      Array.from({ length: 108 }, (_, i) => i / 64),
    ),
    "weight",
  );
  const features = g.relu(g.conv(image, weight, undefined, { pads: [1, 1, 1, 1] }));
  g.annotate(weight, { bitWidth: 4, powerOfTwo: true });
  g.annotate(features, { sparsityFraction: 0.5 });
  g.output(g.reduceMean(features, [2, 3]), "features");
  return g.build();
}

const header = (bytes: Uint8Array) => {
  const { irVersion, opsetImport, metadataProps, producerName } = fromBinary(ModelProtoSchema, bytes);
  return {
    irVersion,
    opsets: opsetImport.map(({ domain, version }) => [domain, version]),
    metadataProps,
    producerName,
  };
};

describe("writing a model", () => {
  it("gives a file that reads back the same", () => {
    const model = modelOf(classifier(), { metadata: new Map([["author", "test"]]) });
    expect(readModel(writeModel(model))).toEqual(model);
  });

  it("gives the same bytes every time", () => {
    const model = modelOf(classifier());
    expect(writeModel(model)).toEqual(writeModel(readModel(writeModel(model))));
  });

  it("uses operator set 18, and puts annotations into the metadata", () => {
    const { irVersion, opsets, metadataProps, producerName } = header(writeModel(modelOf(classifier())));
    expect({ irVersion, opsets, producerName }).toEqual({
      irVersion: 8n,
      opsets: [["", 18n]],
      producerName: "dovetail",
    });
    expect(metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ["ai.dovetail.annotations", '{"Relu:out":{"sparsityFraction":0.5},"weight":{"bitWidth":4,"powerOfTwo":true}}'],
    ]);
  });

  it.each<[ElementType, bigint, bigint]>([
    ["int8", 18n, 8n],
    ["uint8", 18n, 8n],
    ["int16", 21n, 10n],
    ["int4", 21n, 10n],
  ])("uses the operator set that dequantization of %s needs", (elementType, opset, irVersion) => {
    const g = new GraphBuilder("quantized");
    const data = elementTypes[elementType].allocate(4);
    const quantized = g.constant(tensorFromData(elementType, [4], data), "quantized");
    const output = { name: "y", type: { elementType: "float32" as const, shape: [4] } };
    const graph = g.build();
    const dequantize = {
      name: "dequantize",
      domain: "",
      operator: "DequantizeLinear",
      inputs: [quantized.name, "scale"],
      outputs: ["y"],
      attributes: {},
    };
    const model = modelOf({
      ...graph,
      nodes: [dequantize],
      outputs: [output],
      initializers: new Map([...graph.initializers, ["scale", scalar(0.5)]]),
      types: new Map([...graph.types, ["scale", { elementType: "float32", shape: [] }], ["y", output.type]]),
    });
    const bytes = writeModel(model);
    expect(header(bytes)).toMatchObject({ irVersion, opsets: [["", opset]] });
    expect(readModel(bytes)).toEqual(model);
  });

  it("imports every domain in use", () => {
    const g = new GraphBuilder("domains");
    g.output(g.relu(g.input("x", "float32", [2])), "y");
    const graph = g.build();
    const nodes = graph.nodes.map((node) => ({ ...node, domain: "com.example" }));
    expect(header(writeModel(modelOf({ ...graph, nodes }))).opsets).toEqual([
      ["", 18n],
      ["com.example", 1n],
    ]);
  });

  it("keeps every kind of attribute", () => {
    const g = new GraphBuilder("attributes");
    g.output(g.relu(g.input("x", "float32", [2])), "y");
    const graph = g.build();
    const attributes = {
      int: { kind: "int", value: -3 },
      end: { kind: "int", value: 2 ** 63 },
      float: { kind: "float", value: 0.1 },
      text: { kind: "string", value: "grün" },
      tensor: { kind: "tensor", value: tensor("int64", [2], [1, -1]) },
      graph: { kind: "graph", value: classifier() },
      ints: { kind: "ints", value: [0, 1, -(2 ** 40)] },
      floats: { kind: "floats", value: [1e-5, Number.POSITIVE_INFINITY] },
      texts: { kind: "strings", value: ["", "b"] },
      tensors: { kind: "tensors", value: [scalar(1), scalar(2)] },
      graphs: { kind: "graphs", value: [classifier()] },
      empty: { kind: "ints", value: [] },
      __proto__x: { kind: "int", value: 0 },
    } as const;
    const nodes = graph.nodes.map((node) => ({ ...node, domain: "own", attributes }));
    const model = modelOf({ ...graph, nodes });
    expect(readModel(writeModel(model)).graph.nodes).toEqual(nodes);
  });

  it("keeps functions with their references and defaults", () => {
    const g = new GraphBuilder("functions");
    g.output(g.relu(g.input("x", "float32", [2])), "y");
    const body: FunctionDefinition = {
      domain: "own",
      name: "Leaky",
      inputs: ["v"],
      outputs: ["w"],
      attributes: ["slope"],
      attributeDefaults: { axis: { kind: "int", value: 1 } },
      nodes: [
        {
          name: "leaky",
          domain: "",
          operator: "LeakyRelu",
          inputs: ["v"],
          outputs: ["w"],
          attributes: { alpha: { kind: "reference", value: "slope", of: "float" } },
        },
      ],
      opsets: new Map([["", 18]]),
    };
    const graph = g.build();
    const model = {
      ...modelOf(graph),
      functions: [body],
      opsets: new Map([
        ["", 18],
        ["own", 1],
      ]),
    };
    expect(readModel(writeModel(model))).toEqual(model);
  });

  it("refuses constants without values, or with the wrong number", () => {
    const graph = classifier();
    const withWeight = (constant: Tensor) =>
      modelOf({ ...graph, initializers: new Map([...graph.initializers, ["weight", constant]]) });
    expect(() => writeModel(withWeight({ elementType: "float32", dimensions: [4, 3, 3, 3] }))).toThrow(/"weight"/);
    const short = { elementType: "float32", dimensions: [4, 3, 3, 3], data: new Float32Array(107) } as const;
    expect(() => writeModel(withWeight(short))).toThrow(/expected 432 bytes, received 428/);
  });

  it("refuses to raise the operator set under an operator that would mean something else", () => {
    const g = new GraphBuilder("conflict");
    g.output(g.relu(g.input("x", "float32", [2])), "y");
    const graph = g.build();
    const nodes = [
      { ...graph.nodes[0]!, operator: "GridSample" },
      { ...graph.nodes[0]!, operator: "QuantizeLinear", name: "q", outputs: ["q"] },
    ];
    const types = new Map([...graph.types, ["q", { elementType: "int16" as const }]]);
    expect(() => writeModel({ ...modelOf(graph), graph: { ...graph, nodes, types } })).toThrow(/GridSample/);
  });
});

describe("writing large constants into a second file", () => {
  it("puts those of enough bytes at pages' starts, and reads them back", () => {
    const g = new GraphBuilder("external");
    const x = g.input("x", "float32", [4, 4]);
    const first = g.constant(
      tensor(
        "float32",
        [4, 4],
        Array.from({ length: 16 }, (_, i) => i),
      ),
      "first",
    );
    const second = g.constant(
      tensor(
        "float32",
        [4, 4],
        Array.from({ length: 16 }, (_, i) => -i),
      ),
      "second",
    );
    const small = g.constant(tensor("float32", [4], [1, 2, 3, 4]), "small");
    g.output(g.add(g.matMul(g.matMul(x, first), second), small), "y");
    const model = modelOf(g.build());
    const { bytes, externalData } = writeModelWithExternalData(model, { location: "w.bin", minimumBytes: 64 });
    expect(externalData.byteLength).toBe(4096 + 64);
    const asked: [string, number, number][] = [];
    const read = readModel(bytes, {
      externalData: (location, offset, length) => {
        asked.push([location, offset, length]);
        return externalData.subarray(offset, offset + length);
      },
    });
    expect(read).toEqual(model);
    expect(asked).toEqual([
      ["w.bin", 0, 64],
      ["w.bin", 4096, 64],
    ]);
  });
});

describe("speed", () => {
  it("does not depend on the number of values: 64 MB of weights take no loop over them", () => {
    const g = new GraphBuilder("large");
    const x = g.input("x", "float32", [1, 4096]);
    const weight = g.constant(tensorFromData("float32", [4096, 4096], new Float32Array(2 ** 24)), "weight");
    g.output(g.matMul(x, weight), "y");
    const model = modelOf(g.build());
    const start = performance.now();
    const bytes = writeModel(model);
    const read = readModel(bytes);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(read.graph.initializers.get("weight")!.data).toHaveLength(2 ** 24);
  });
});

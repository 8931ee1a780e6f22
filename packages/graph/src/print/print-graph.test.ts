import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import type { Graph, Node } from "../ir/graph.js";
import { scalar, tensor, tensorFromData } from "../ir/tensor.js";
import { printGraph } from "./print-graph.js";

const relu = (input: string, output: string): Node => ({
  name: output,
  domain: "",
  operator: "Relu",
  inputs: [input],
  outputs: [output],
  attributes: {},
});

describe("printGraph", () => {
  it("lists inputs, constants, nodes with their types, outputs and parameters", () => {
    const g = new GraphBuilder("small");
    const image = g.input("image", "float32", ["batch", 3, 8, 8]);
    const weight = g.constant(tensor("float32", [48, 3, 3, 3], new Array(1296).fill(0.1)), "weight");
    const features = g.conv(image, weight, undefined, { pads: [1, 1, 1, 1] });
    g.annotate(weight, { bitWidth: 4, sparsityFraction: 0.25 });
    const [left] = g.split(g.clip(features, undefined, 6), [16, 32], 1);
    g.output(g.reshape(left!, [-1, 1024]), "features");
    expect(printGraph(g.build())).toBe(`graph "small"
inputs
  image: float32[batch,3,8,8]
constants
  weight: float32[48,3,3,3] {bitWidth 4, sparsityFraction 0.25}
  constant: float32[] = 6
  constant_1: int64[2] = [16, 32]
  constant_2: int64[2] = [-1, 1024]
nodes
  Conv:out: float32[batch,48,8,8] = Conv(image, weight, pads=[1,1,1,1])
  Clip:out: float32[batch,48,8,8] = Clip(Conv:out, _, constant)
  Split:out: float32[batch,16,8,8], Split:out1: float32[batch,32,8,8] = Split(Clip:out, constant_1, axis=1)
  features: float32[batch,1024] = Reshape(Split:out, constant_2)
outputs
  features: float32[batch,1024]
total: 4 nodes, 1,297 floating-point parameters in constants of 5,220 bytes
`);
  });

  it("shows every kind of attribute, unknown types, subgraphs and other domains", () => {
    const branch: Graph = {
      name: "branch",
      inputs: [],
      outputs: [{ name: "t", type: { elementType: "float32", shape: ["n"] } }],
      nodes: [relu("x", "t")],
      initializers: new Map(),
      types: new Map([["t", { elementType: "float32", shape: ["n"] }]]),
      annotations: new Map(),
      customGradients: [],
    };
    const node: Node = {
      name: "node",
      domain: "example",
      operator: "Mystery",
      inputs: ["x", "", "w"],
      outputs: ["", "y"],
      attributes: {
        zeta: { kind: "float", value: 1 / 3 },
        alpha: { kind: "ints", value: [1, 2] },
        branch: { kind: "graph", value: branch },
        floats: { kind: "floats", value: [0.5, 2] },
        mode: { kind: "string", value: "a\nb" },
        names: { kind: "strings", value: ["p", "q"] },
        table: { kind: "tensor", value: tensor("int64", [2], [3, 4]) },
        large: { kind: "tensor", value: tensor("int64", [9], new Array(9).fill(0)) },
        more: { kind: "tensors", value: [scalar(1), scalar(2)] },
        given: { kind: "reference", value: "outer", of: "int" },
        all: { kind: "graphs", value: [] },
      },
    };
    const graph: Graph = {
      name: "odd",
      inputs: [{ name: "x", type: { elementType: "float32" } }],
      outputs: [{ name: "y", type: { elementType: "int8", shape: [] } }],
      nodes: [node],
      initializers: new Map([
        ["w", { elementType: "float32", dimensions: [2, 2] }],
        ["half", tensorFromData("float16", [1], Uint16Array.of(0x3c00))],
        ["words", tensorFromData("string", [2], ["a", 'b"'])],
      ]),
      types: new Map(),
      annotations: new Map(),
      customGradients: [],
    };
    const attributes = [
      "all=[]",
      "alpha=[1,2]",
      'branch=graph "branch"',
      "floats=[0.5,2]",
      "given=@outer",
      "large=int64[9]",
      'mode="a\\nb"',
      "more=[float32[] 1,float32[] 2]",
      'names=["p","q"]',
      "table=int64[2] [3, 4]",
      "zeta=0.333333",
    ].join(", ");
    expect(printGraph(graph)).toBe(`graph "odd"
inputs
  x: float32[…]
constants
  w: float32[2,2] (values not loaded)
  half: float16[1]
  words: string[2] = ["a", "b\\""]
nodes
  _, y: unknown = example.Mystery(x, _, w, ${attributes})
    graph "branch"
    nodes
      t: float32[n] = Relu(x)
    outputs
      t: float32[n]
    total: 1 node, 0 floating-point parameters in constants of 0 bytes
outputs
  y: int8[]
total: 1 node, 5 floating-point parameters in constants of 18 bytes
`);
  });
});

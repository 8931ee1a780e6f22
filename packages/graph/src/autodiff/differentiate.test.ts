import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import { differentiate, withGradients } from "./differentiate.js";

describe("differentiate", () => {
  it("adds nodes on the needed paths only", () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float32", [4, 3]);
    const weight = g.input("weight", "float32", [3, 2]);
    const loss = g.op("ReduceSum", [g.matMul(g.relu(x), weight)], { keepdims: 0 });
    const before = g.snapshot().nodes.length;
    differentiate(g, { loss, withRespectTo: [weight] });
    const added = g.snapshot().nodes.slice(before);
    expect(added.map(({ operator }) => operator)).not.toContain("ReluGradient");
    expect(added.filter(({ operator }) => operator === "Gemm")).toHaveLength(1);
    expect(added.every(({ name }) => name.startsWith("gradient/"))).toBe(true);
  });

  it("returns gradients in the type and shape of their values, with sizes known by name", () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float64", ["batch", "length", 3]);
    const bias = g.input("bias", "float64", ["length", 1]);
    const loss = g.op("ReduceMean", [g.exp(g.add(x, bias))], { keepdims: 0 });
    const gradients = differentiate(g, { loss, withRespectTo: [x, bias] });
    expect(gradients.map(({ type }) => type)).toEqual([x.type, bias.type]);
  });

  it("names the node, the operator and the path to the loss when a rule is missing", () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float32", [2, 2]);
    const determinant = g.op("Det", [g.mul(x, 2)], {}, { name: "volume" });
    const loss = g.op("Neg", [g.op("Exp", [determinant], {}, { name: "growth" })], {}, { name: "loss" });
    expect(() => differentiate(g, { loss, withRespectTo: [x] })).toThrow(
      /node "volume" \(Det\): this operator has no gradient rule: .*node "volume" \(Det\) → node "growth" \(Exp\) → node "loss" \(Neg\) → the loss/,
    );
  });

  it("does not ask for rules off the path, nor where only integers flow", () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float32", [2, 2]);
    const other = g.input("other", "float32", [2, 2]);
    const index = g.op("ArgMax", [x], { axis: 1, keepdims: 1 });
    const loss = g.op("ReduceSum", [g.mul(g.mul(x, g.cast(index, "float32")), g.op("Det", [other]))], { keepdims: 0 });
    expect(differentiate(g, { loss, withRespectTo: [x] })).toHaveLength(1);
  });

  it("refuses to differentiate integers, and operator sets before 18", () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float32", [2]);
    const index = g.op("ArgMax", [x], { keepdims: 0 });
    expect(() => differentiate(g, { loss: index, withRespectTo: [x] })).toThrow(/floating-point.*int64/);
    expect(() => differentiate(g, { loss: x, withRespectTo: [index] })).toThrow(/floating-point.*int64/);
    const old = new GraphBuilder("old", { opset: 13 });
    const y = old.input("y", "float32", [2]);
    expect(() => differentiate(old, { loss: y, withRespectTo: [y] })).toThrow(/operator set 18.*operator set 13/);
  });

  it("does not overlook values that a subgraph takes from outside", () => {
    const outer = new GraphBuilder("outer");
    const x = outer.input("x", "float32", [2]);
    const condition = outer.input("condition", "bool", []);
    const branch = {
      name: "branch",
      inputs: [],
      outputs: [{ name: "y", type: x.type }],
      nodes: [{ name: "n", domain: "", operator: "Neg", inputs: ["x"], outputs: ["y"], attributes: {} }],
      initializers: new Map(),
      types: new Map([["y", x.type]]),
      annotations: new Map(),
      customGradients: [],
    };
    const graph = { kind: "graph", value: branch } as const;
    const y = outer.op("If", [condition], { then_branch: graph, else_branch: graph });
    expect(() => differentiate(outer, { loss: y, withRespectTo: [x] })).toThrow(
      /\(If\): this operator has no gradient/,
    );
  });

  it("rejects a custom gradient of another shape or type", () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float32", [2, 3]);
    const [wrongShape] = g.customGradient(
      [x],
      ([value]) => [g.neg(value!)],
      ([gradient], { g }) => [g.reduceSum(gradient!, [0])],
    );
    const [wrongType] = g.customGradient(
      [x],
      ([value]) => [g.neg(value!)],
      ([gradient], { g }) => [g.cast(gradient!, "float64")],
    );
    expect(() => differentiate(g, { loss: wrongShape!, withRespectTo: [x] })).toThrow(
      /custom gradient "gradient": gradient of "x": expected shape \[2,3\], received \[3\]/,
    );
    expect(() => differentiate(g, { loss: wrongType!, withRespectTo: [x] })).toThrow(
      /expected float32, received float64/,
    );
  });

  it("adds gradients to a finished graph as outputs", () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float32", [3]);
    g.output(g.op("ReduceSumSquare", [x], { keepdims: 0 }), "energy");
    const graph = withGradients(g.build(), { loss: "energy", withRespectTo: ["x"] });
    expect(graph.outputs.map(({ name }) => name)).toEqual(["energy", "gradient/x"]);
    expect(graph.outputs[1]!.type).toEqual(x.type);
  });
});

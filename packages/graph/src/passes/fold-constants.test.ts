import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import type { Graph } from "../ir/graph.js";
import { int64Vector, scalar, tensor, tensorFromData } from "../ir/tensor.js";
import { foldConstants } from "./fold-constants.js";

const operators = (graph: Graph): string[] => graph.nodes.map(({ operator }) => operator);

describe("foldConstants", () => {
  it("computes arithmetic on shapes, and clears up behind it", () => {
    const g = new GraphBuilder("shapes");
    const x = g.input("x", "float32", [2, 3, 4]);
    const sizes = g.op("Shape", [x], { start: 1 });
    const rest = g.op("ReduceProd", [sizes], { keepdims: 1 });
    g.output(g.reshape(x, g.concat([g.int64s([-1]), rest], 0)), "y");
    const graph = foldConstants(g.build());
    expect(operators(graph)).toEqual(["Reshape"]);
    expect(graph.initializers.get(graph.nodes[0]!.inputs[1]!)).toEqual(int64Vector([-1, 12]));
    expect(graph.initializers.size).toBe(1);
  });

  it("leaves shapes alone that are not all known", () => {
    const g = new GraphBuilder("symbolic");
    const x = g.input("x", "float32", ["batch", 3]);
    g.output(g.expand(g.constant(scalar(1)), g.shapeOf(x)), "y");
    expect(operators(foldConstants(g.build()))).toEqual(["Shape", "Expand"]);
  });

  it("leaves outputs, annotated values and results beyond the limit alone", () => {
    const g = new GraphBuilder("limits");
    const x = g.input("x", "float32", [4, 4]);
    const column = g.constant(tensor("float32", [4, 1], [1, 2, 3, 4]));
    const row = g.constant(tensor("float32", [1, 4], [1, 2, 3, 4]));
    g.output(g.add(x, g.mul(column, row)), "y");
    g.output(g.neg(row), "constant_output");
    const graph = g.build();
    expect(operators(foldConstants(graph))).toEqual(["Add", "Neg"]);
    expect(operators(foldConstants(graph, { maximumElements: 15 }))).toEqual(["Mul", "Add", "Neg"]);
    const annotated = { ...graph, annotations: new Map([[graph.nodes[0]!.outputs[0]!, { bitWidth: 4 }]]) };
    expect(operators(foldConstants(annotated))).toEqual(["Mul", "Add", "Neg"]);
  });

  it("does not divide integers by zero, nor touch 16-bit floats, other domains or custom-gradient regions", () => {
    const g = new GraphBuilder("left");
    const zero = g.div(g.int64s([1]), g.int64s([0]));
    g.output(g.op("Identity", [zero]), "divided");
    const half = g.constant(tensorFromData("float16", [1], Uint16Array.of(0x3c00)));
    g.output(g.op("Identity", [g.add(half, half)]), "half");
    const stopped = g.stopGradient(g.constant(scalar(2)));
    g.output(g.op("Identity", [stopped]), "stopped");
    const graph = g.build();
    expect(foldConstants(graph)).toEqual(graph);
  });

  it("gives up on values that have no defined result", () => {
    const g = new GraphBuilder("undefined");
    const huge = g.cast(g.constant(tensor("float32", [1], [1e20])), "int32");
    g.output(g.op("Identity", [huge]), "y");
    expect(operators(foldConstants(g.build()))).toEqual(["Cast", "Identity"]);
  });

  it("turns Constant nodes of every type into constants", () => {
    const g = new GraphBuilder("constants");
    const half = tensorFromData("float16", [1], Uint16Array.of(0x3c00));
    g.output(g.neg(g.op("Constant", [], { value: half })), "y");
    const graph = foldConstants(g.build());
    expect(operators(graph)).toEqual(["Neg"]);
    expect([...graph.initializers.values()]).toEqual([half]);
  });
});

import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import { float } from "../ir/attribute.js";
import type { Dimension, Value } from "../ir/graph.js";
import { int64Vector } from "../ir/tensor.js";

const builder = (): GraphBuilder => new GraphBuilder("test");

function input(g: GraphBuilder, shape: readonly Dimension[], name = "x"): Value {
  return g.input(name, "float32", shape);
}

describe("errors name the node, the operator, the shapes, and what was expected", () => {
  test("channels of a convolution", () => {
    const g = builder();
    const x = input(g, [1, 3, 32, 32]);
    const weight = input(g, [8, 16, 3, 3], "w");
    expect(() => g.op("Conv", [x, weight], {}, { name: "conv1" })).toThrow(
      'node "conv1" (Conv): weight expects 16 input channels, input has 3; inputs float32[1,3,32,32], float32[8,16,3,3]',
    );
  });

  test("a window larger than the padded input", () => {
    const g = builder();
    expect(() => g.maxPool(input(g, [1, 3, 4, 9]), [7, 7], { pads: [1, 0, 1, 0] })).toThrow(
      /window is larger than the padded input on spatial axis 0; inputs float32\[1,3,4,9\]: expected a window of at most 6, received 7/,
    );
  });

  test("shapes that do not broadcast", () => {
    const g = builder();
    expect(() => g.add(input(g, [2, 3]), input(g, [2, 4], "y"))).toThrow(
      /"Add" \(Add\): the shapes do not broadcast; inputs float32\[2,3\], float32\[2,4\]/,
    );
  });

  test("values that do not fill a target", () => {
    const g = builder();
    expect(() => g.reshape(input(g, [2, 3, 4]), [5, -1])).toThrow(/expected 24 values, received a multiple of 5/);
    expect(() => g.reshape(input(g, [2, 3, 4], "y"), [5, 5])).toThrow(/expected 24 values, received 25/);
  });

  test("element types that differ", () => {
    const g = builder();
    expect(() => g.op("Add", [input(g, [2]), g.input("n", "int64", [2])])).toThrow(/expected float32, received int64/);
  });

  test("an unknown operator, and an output too many", () => {
    const g = builder();
    expect(() => g.op("Konv", [input(g, [2])])).toThrow(/node "Konv" \(Konv\): this operator is not known/);
    expect(() => g.node("Relu", [input(g, [2], "y")], {}, { outputs: 2 })).toThrow(/expected at most 1, received 2/);
  });

  test("an axis out of range", () => {
    const g = builder();
    expect(() => g.softmax(input(g, [2, 3]), 2)).toThrow(/expected an axis in \[-2, 1\], received 2/);
  });
});

describe("sizes known by name", () => {
  test("a name against 1 stays, against a larger number is that number", () => {
    const g = builder();
    const x = input(g, ["batch", 4]);
    expect(g.add(x, input(g, [1, 4], "one")).type.shape).toEqual(["batch", 4]);
    expect(g.add(x, input(g, [5, 1], "five")).type.shape).toEqual([5, 4]);
  });

  test("two names give a new one", () => {
    const g = builder();
    const [size] = g.add(input(g, ["a"]), input(g, ["b"], "y")).type.shape!;
    expect(typeof size).toBe("string");
    expect(["a", "b"]).not.toContain(size);
  });

  test("a convolution that keeps the size keeps its name; equal windows over one name agree", () => {
    const g = builder();
    const x = input(g, ["batch", 3, "height", 32]);
    const same = g.conv(x, input(g, [8, 3, 3, 3], "w"), undefined, { pads: [1, 1, 1, 1] });
    expect(same.type.shape).toEqual(["batch", 8, "height", 32]);
    const main = g.conv(x, input(g, [8, 3, 3, 3], "a"), undefined, { pads: [1, 1, 1, 1], strides: [2, 2] });
    const shortcut = g.conv(x, input(g, [8, 3, 1, 1], "b"), undefined, { strides: [2, 2] });
    expect(main.type.shape).toEqual(shortcut.type.shape);
    expect(g.add(main, shortcut).type.shape).toEqual(main.type.shape);
  });

  test("flattening multiplies names", () => {
    const g = builder();
    expect(g.flatten(input(g, ["batch", 3, "height", 2])).type.shape).toEqual(["batch", "6*height"]);
    expect(g.flatten(input(g, ["batch", 3, 4, 2], "y")).type.shape).toEqual(["batch", 24]);
  });
});

describe("shapes computed in the graph", () => {
  test("Shape → Gather → Unsqueeze → Concat → Reshape with a batch known by name", () => {
    const g = builder();
    const x = input(g, ["batch", 16, 5, 5]);
    const batch = g.gather(g.shapeOf(x), g.scalar(0, "int64"));
    const target = g.concat([g.unsqueeze(batch, [0]), g.int64s([-1])], 0);
    expect(g.reshape(x, target).type.shape).toEqual(["batch", 400]);
  });

  test("arithmetic on sizes, with integer division towards zero", () => {
    const g = builder();
    const x = input(g, ["batch", "length", 65]);
    const width = g.gather(g.shapeOf(x), g.scalar(2, "int64"));
    const half = g.div(width, 2);
    const rest = g.sub(width, half);
    const positions = g.slice(g.shapeOf(x), [0], [2], [0]);
    const noise = g.op("ConstantOfShape", [g.concat([positions, g.unsqueeze(half, [0]), g.unsqueeze(rest, [0])], 0)]);
    expect(noise.type.shape).toEqual(["batch", "length", 32, 33]);
  });

  test("merging heads into the batch and back", () => {
    const g = builder();
    const x = input(g, ["batch", 8, 10, 4]);
    const count = g.mul(g.gather(g.shapeOf(x), g.scalar(0, "int64")), 8);
    const merged = g.reshape(x, g.concat([g.unsqueeze(count, [0]), g.int64s([10, 4])], 0));
    expect(merged.type.shape).toEqual(["8*batch", 10, 4]);
    expect(g.reshape(merged, [-1, 8, 10, 4]).type.shape).toEqual(["batch", 8, 10, 4]);
  });

  test("Expand's target with a choice by Where(Equal(shape, -1))", () => {
    const g = builder();
    const x = input(g, ["batch", 1]);
    const shape = g.concat([g.slice(g.shapeOf(x), [0], [1], [0]), g.int64s([7])], 0);
    const asked = g.int64s([-1, 7]);
    const target = g.where(g.equal(asked, -1), shape, asked);
    expect(g.expand(x, target).type.shape).toEqual(["batch", 7]);
  });

  test("a product of sizes, a cast, a range, a scaled size for Resize", () => {
    const g = builder();
    const x = input(g, [2, 3, 5, 7]);
    const values = g.op("ReduceProd", [g.shapeOf(x), g.int64s([0])], { keepdims: 1 });
    expect(g.reshape(x, values).type.shape).toEqual([210]);
    const height = g.gather(g.shapeOf(x), g.scalar(2, "int64"));
    const scaled = g.cast(g.floor(g.mul(g.cast(height, "float32"), 1.5)), "int64");
    expect(g.op("Range", [g.scalar(0, "int64"), scaled, g.scalar(1, "int64")]).type.shape).toEqual([7]);
    const sizes = g.concat([g.slice(g.shapeOf(x), [0], [2], [0]), g.int64s([9]), g.unsqueeze(scaled, [0])], 0);
    expect(g.op("Resize", [x, undefined, undefined, sizes]).type.shape).toEqual([2, 3, 9, 7]);
  });

  test("a target known at run time only gives the rank", () => {
    const g = builder();
    const target = g.input("target", "int64", [3]);
    const result = g.reshape(input(g, [2, 3]), target);
    expect(result.type.shape).toHaveLength(3);
    expect(result.type.shape!.every((size) => typeof size === "string")).toBe(true);
  });

  test("long chains are evaluated once a node", () => {
    const g = builder();
    let size = g.gather(g.shapeOf(input(g, [3])), g.scalar(0, "int64"));
    for (let step = 0; step < 200; step++) size = g.add(size, g.mul(size, 0));
    // Every sum uses the sum before it twice: without a memo this would take 2^200 steps.
    expect(g.op("ConstantOfShape", [g.unsqueeze(size, [0])]).type.shape).toEqual([3]);
  });
});

describe("control flow", () => {
  const body = (name: string, shape: readonly Dimension[]) => {
    const g = new GraphBuilder(name);
    g.output(g.relu(g.input("v", "float32", shape)), "out");
    return { kind: "graph", value: g.build() } as const;
  };

  test("If: what the branches agree on", () => {
    const g = builder();
    const condition = g.input("condition", "bool", []);
    const branches = (a: readonly Dimension[], b: readonly Dimension[]) =>
      g.op("If", [condition], { then_branch: body("then", a), else_branch: body("else", b) }).type.shape;
    expect(branches([2, 3], [2, 3])).toEqual([2, 3]);
    const mixed = branches([2, 3], [2, 4])!;
    expect(mixed[0]).toBe(2);
    expect(typeof mixed[1]).toBe("string");
    expect(branches([2, 3], [2])).toBeUndefined();
  });

  test("Loop: carried values, then stacked ones", () => {
    const inner = new GraphBuilder("body");
    inner.input("iteration", "int64", []);
    const going = inner.input("going", "bool", []);
    const state = inner.input("state", "float32", [2, 3]);
    inner.output(inner.identity(going), "goingOut");
    inner.output(inner.relu(state), "stateOut");
    inner.output(inner.neg(state), "row");
    const g = builder();
    const outputs = g.node(
      "Loop",
      [g.scalar(5, "int64"), undefined, input(g, [2, 3])],
      { body: { kind: "graph", value: inner.build() } },
      { outputs: 2 },
    );
    expect(outputs[0]!.type.shape).toEqual([2, 3]);
    expect(outputs[1]!.type.shape).toHaveLength(3);
    expect(outputs[1]!.type.shape!.slice(1)).toEqual([2, 3]);
  });
});

test("statistics of batch normalization are outputs in training mode only", () => {
  const g = builder();
  const x = input(g, ["batch", 8, 4, 4]);
  const vectors = ["scale", "bias", "mean", "variance"].map((name) => input(g, [8], name));
  const outputs = g.node(
    "BatchNormalization",
    [x, ...vectors],
    { training_mode: 1, epsilon: float(1e-5) },
    { outputs: 3 },
  );
  expect(outputs.map(({ type }) => type.shape)).toEqual([["batch", 8, 4, 4], [8], [8]]);
  expect(() => g.node("BatchNormalization", [x, ...vectors], {}, { outputs: 3 })).toThrow(/training mode only/);
});

test("a shape given by a constant without data still gives the rank", () => {
  const g = builder();
  const { elementType, dimensions } = int64Vector([6, 4]);
  const target = g.constant({ elementType, dimensions }, "target");
  expect(g.reshape(input(g, [2, 3, 4]), target).type.shape).toHaveLength(2);
});

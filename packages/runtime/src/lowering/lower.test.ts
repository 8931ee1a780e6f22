import {
  float,
  type Graph,
  GraphBuilder,
  type Node,
  scalar,
  type Tensor,
  tensor,
  tensorFromData,
  type Value,
} from "@dovetail/graph";
import { describe, expect, it } from "vitest";
import { createRuntime } from "../segments/runtime.js";
import { blockedDomain } from "./emitter.js";
import { lower } from "./lower.js";
import { type NetworkDescription, randomNetwork } from "./testing/random-network.js";

const blocked = { provider: "cpu", blockSize: 16 } as const;

const residualNetwork: NetworkDescription = {
  batch: 8,
  channels: 3,
  height: 12,
  width: 12,
  layers: [
    { kind: "conv", outputs: 16, kernel: [3, 3], stride: 1, pads: [1, 1, 1, 1], dilation: 1, bias: false },
    { kind: "norm" },
    { kind: "relu" },
    { kind: "conv", outputs: 32, kernel: [3, 3], stride: 2, pads: [1, 1, 1, 1], dilation: 1, bias: false },
    { kind: "norm" },
    { kind: "residual", back: 2 },
    { kind: "relu" },
    { kind: "depthwise", kernel: 3, stride: 1, pad: 1 },
    { kind: "norm" },
    { kind: "relu6" },
    { kind: "conv", outputs: 24, kernel: [1, 1], stride: 1, pads: [0, 0, 0, 0], dilation: 1, bias: true },
    { kind: "maxPool" },
  ],
};

/** A network whose operators are given one after the other. */
function chain(shape: readonly number[], ...steps: ((g: GraphBuilder, x: Value) => Value)[]): Graph {
  const g = new GraphBuilder("chain");
  let x = g.input("x", "float32", shape);
  for (const step of steps) x = step(g, x);
  g.output(x, "y");
  return g.build();
}

const conv =
  (name: string, weight: readonly number[], group = 1) =>
  (g: GraphBuilder, x: Value): Value =>
    g.conv(x, g.input(name, "float32", weight), undefined, { pads: [1, 1, 1, 1], group });

const relu = (g: GraphBuilder, x: Value): Value => g.relu(x);

const norm = (g: GraphBuilder, x: Value): Value => {
  const channels = x.type.shape![1] as number;
  const vector = (name: string): Value => g.input(name, "float32", [channels]);
  return g.ownNode(
    "BatchNormalizationTraining",
    [x, vector("scale"), vector("shift")],
    { epsilon: float(1e-5) },
    { outputs: 3 },
  )[0]!;
};

const blockedOperators = (graph: Graph): string[] =>
  graph.nodes.filter(({ domain }) => domain === blockedDomain).map(({ operator }) => operator);
const withActivation = ({ nodes }: Graph): Node[] => nodes.filter(({ attributes }) => attributes.activation);

describe("lowering to blocked kernels", () => {
  it("keeps images blocked from layer to layer, with the activation inside the convolution", () => {
    const graph = lower(chain([2, 16, 8, 8], conv("a", [32, 16, 3, 3]), relu, conv("b", [32, 32, 3, 3])), blocked);
    // Two filters and the image are reordered.
    const reordered = ["ReorderInput", "ReorderInput", "ReorderInput"];
    expect(blockedOperators(graph).sort()).toEqual(["Conv", "Conv", ...reordered, "ReorderOutput"]);
    expect(withActivation(graph)).toHaveLength(1);
    expect(graph.nodes.some(({ operator }) => operator === "Relu")).toBe(false);
  });

  it("reads few channels in plain order", () => {
    const graph = lower(chain([2, 3, 8, 8], conv("a", [16, 3, 3, 3])), blocked);
    expect(blockedOperators(graph)).toEqual(["ReorderInput", "Conv", "ReorderOutput"]);
    expect(graph.nodes.find(({ operator }) => operator === "Conv")!.inputs[0]).toBe("x");
  });

  it("makes one pass of batch normalization and the activation after it", () => {
    const graph = lower(chain([2, 3, 8, 8], conv("a", [16, 3, 3, 3]), norm, relu), blocked);
    const [pass] = withActivation(graph);
    expect(pass!.attributes.group).toEqual({ kind: "int", value: 16 });
  });

  it("leaves convolutions that would be mostly filling in plain order", () => {
    const graph = lower(chain([2, 17, 8, 8], conv("a", [17, 17, 3, 3])), blocked);
    expect(blockedOperators(graph)).toEqual([]);
  });

  it("adds nothing blocked where there are no blocked kernels", () => {
    const { graph } = randomNetwork(residualNetwork, 1);
    for (const provider of ["cpu", "webgpu"] as const) {
      const domains = new Set(lower(graph, { provider }).nodes.map(({ domain }) => domain));
      expect([...domains]).toEqual([""]);
    }
  });

  it("fills channels up to the target's block size", () => {
    const graph = chain([2, 24, 8, 8], conv("a", [24, 24, 3, 3]));
    const pads = (size: 8 | 16): number => {
      const lowered = lower(graph, { provider: "cpu", blockSize: size });
      return lowered.nodes.filter(({ operator }) => operator === "Pad").length;
    };
    expect([pads(8), pads(16)]).toEqual([0, 1]);
  });
});

describe("lowered graphs", () => {
  it("give the same bits with any number of threads", async () => {
    const { graph, feeds } = randomNetwork(residualNetwork, 3);
    const results: Record<string, Tensor>[] = [];
    for (const threads of [1, 2, 3]) {
      const runtime = await createRuntime({ threads });
      results.push(await (await runtime.compile(graph)).run(feeds));
      await runtime.release();
    }
    const [first, ...others] = results.map((outputs) =>
      Object.values(outputs).map(({ data }) => Buffer.from((data as Float32Array).buffer).toString("base64")),
    );
    for (const other of others) expect(other).toEqual(first);
  });

  it("compute what subgraphs take from outside", async () => {
    const g = new GraphBuilder("branch");
    const x = g.input("x", "float32", [1, 16, 4, 4]);
    const weight = g.input("weight", "float32", [16, 16, 1, 1]);
    const features = g.conv(x, weight, undefined, {});
    const branch = (operator: string): Graph => {
      const inner = new GraphBuilder(operator);
      const outer = inner.input(features.name, "float32", [1, 16, 4, 4]);
      inner.output(inner.op(operator, [outer]), `${operator}Result`);
      return { ...inner.build(), inputs: [] };
    };
    const condition = g.input("condition", "bool", []);
    const [result] = g.node("If", [condition], {
      then_branch: { kind: "graph", value: branch("Neg") },
      else_branch: { kind: "graph", value: branch("Abs") },
    });
    g.output(result!, "y");
    const runtime = await createRuntime({ threads: 1 });
    const segment = await runtime.compile(g.build());
    const identity = Array.from({ length: 256 }, (_, index) => (index % 17 === 0 ? 1 : 0));
    const run = async (value: number): Promise<number> => {
      const { y } = await segment.run({
        x: tensor("float32", [1, 16, 4, 4], new Array<number>(256).fill(2)),
        weight: tensor("float32", [16, 16, 1, 1], identity),
        condition: tensor("bool", [], [value]),
      });
      return (y!.data as Float32Array)[7]!;
    };
    expect([await run(1), await run(0)]).toEqual([-2, 2]);
    await runtime.release();
  });
});

it.each([{ provider: "cpu" }, blocked] as const)("leaves out what no output depends on", (target) => {
  const g = new GraphBuilder("dead");
  const x = g.input("x", "float32", [8, 16, 12, 12]);
  const weight = g.input("w", "float32", [16, 16, 3, 3]);
  g.customGradient(
    [x, weight],
    () => [g.conv(g.mul(x, 2), weight)],
    () => [undefined],
  );
  g.output(g.mul(x, 3), "y");
  expect(lower(g.build(), target).nodes.map(({ operator }) => operator)).toEqual(["Mul"]);
});

describe("affine quantization by integer kernels", () => {
  const sizes = [2, 16, 16, 16];
  const count = 2 * 16 * 256;
  const values = Float32Array.from({ length: count }, (_, index) => Math.sin(index * 0.7) * 3 + 0.5);
  const noise = Float32Array.from({ length: count }, (_, index) => ((index * 37) % 101) / 101 - 0.5);

  async function quantized(layout: "fastest" | "plain", isNoisy: boolean, feeds: Readonly<Record<string, number>>) {
    const g = new GraphBuilder("quantization");
    const x = g.input("x", "float32", sizes);
    const scalars = ["min", "step", "levels"].map((name) => g.input(name, "float32", []));
    const on = g.greater(g.input("on", "float32", []), 0);
    const draw = isNoisy ? g.input("noise", "float32", sizes) : undefined;
    g.output(g.ownNode("AffineQuantization", [x, ...scalars, on, draw])[0]!, "y");
    const runtime = await createRuntime({ threads: 1, layout });
    const segment = await runtime.compile(g.build());
    const tensors: Record<string, Tensor> = { x: tensorFromData("float32", sizes, values) };
    if (isNoisy) tensors.noise = tensorFromData("float32", sizes, noise);
    for (const [name, value] of Object.entries(feeds)) tensors[name] = scalar(value);
    const { y } = await segment.run(tensors);
    await runtime.release();
    return y!.data as Float32Array;
  }

  it.each([
    { levels: 255, min: -2.5, step: 6 / 255 },
    { levels: 7, min: -1, step: 0.25 },
    { levels: 65_535, min: -2.5, step: 6 / 65_535 },
    { levels: 1, min: 0, step: 1 },
  ])("gives the values of the formula at $levels levels from $min by $step", async ({ levels, min, step }) => {
    for (const isNoisy of [false, true]) {
      const feeds = { min, step, levels, on: 1 };
      const [fast, plain] = [await quantized("fastest", isNoisy, feeds), await quantized("plain", isNoisy, feeds)];
      const off = fast.map((value, index) => Math.abs(value - plain[index]!));
      const codes = fast.map((value) => (value - min) / step);
      // A value near a tie may be rounded either way, and nothing else differs.
      expect(off.reduce((most, error) => Math.max(most, error))).toBeLessThan(1.001 * step);
      const different = off.filter((error, index) => error > 1e-5 * Math.max(step, Math.abs(fast[index]!))).length;
      expect(different).toBeLessThan(levels === 65_535 ? count / 20 : 10);
      expect(codes.reduce((least, code) => Math.min(least, code))).toBeGreaterThan(-0.01);
      expect(codes.reduce((most, code) => Math.max(most, code))).toBeLessThan(levels + 0.01);
    }
  });

  it("gives the value itself, to the bit, where nothing is quantized", async () => {
    for (const layout of ["fastest", "plain"] as const) {
      expect(await quantized(layout, false, { min: 0, step: 1, levels: 3, on: 0 })).toEqual(values);
    }
  });
});

it("finds the smallest and largest of all values in whatever order they are, but not among the filling of blocks", () => {
  const reduced = (channels: number): Graph =>
    chain([8, 16, 12, 12], conv("w", [channels, 16, 3, 3]), (g, x) => {
      const [min, max] = ["ReduceMin", "ReduceMax"].map((operator) => g.op(operator, [x], { keepdims: 0 }));
      return g.sub(max!, min!);
    });
  expect(blockedOperators(lower(reduced(32), blocked))).toEqual(["ReorderInput", "ReorderInput", "Conv"]);
  expect(blockedOperators(lower(reduced(28), blocked))).toContain("ReorderOutput");
});

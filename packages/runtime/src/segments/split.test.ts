import { createRandomStream } from "@dovetail/core";
import {
  differentiate,
  elementCount,
  type Graph,
  GraphBuilder,
  type Node,
  type Tensor,
  tensor,
  type Value,
} from "@dovetail/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileForTest, relativeError } from "../gradients/testing/execute.js";
import { hasKernel } from "../kernels/operators.js";
import { createRuntime, type Runtime } from "./runtime.js";
import { planBuffers, splitGraph } from "./split.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 2 });
});
afterAll(() => runtime.release());

const window = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] };

/** Two residual blocks of add layers, their gradients, and a step of the weights. */
function training(batch: number | string): Graph {
  const g = new GraphBuilder("adders");
  const weights: Value[] = [];
  const adder = (x: Value, channels: number, stride = 1): Value => {
    const weight = g.input(`weight${weights.length}`, "float32", [channels, x.type.shape![1]!, 3, 3]);
    weights.push(weight);
    return g.ownNode("AdderConv", [x, weight], { ...window, strides: [stride, stride] })[0]!;
  };
  const scaled = (x: Value): Value => g.relu(g.mul(g.add(x, 20), 0.1));
  const x = g.input("x", "float32", [batch, 3, 7, 6]);
  // Two layers read x, and one add layer reads another directly.
  const first = scaled(adder(x, 8));
  const joined = g.add(first, scaled(adder(adder(x, 5), 8)));
  const y = scaled(adder(joined, 10, 2));
  g.output(y, "y");
  const lossGradient = g.input("dy", "float32", y.type.shape!);
  const gradients = differentiate(g, { loss: y, withRespectTo: [x, ...weights], lossGradient });
  g.output(gradients[0]!, "dx");
  weights.forEach((weight, index) => {
    g.output(g.sub(weight, g.mul(gradients[index + 1]!, 0.01)), `${weight.name}:next`);
  });
  return g.build();
}

function drawFeeds(graph: Graph, batch: number): Record<string, Tensor> {
  const random = createRandomStream(5);
  return Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      const shape = type.shape!.map((size) => (typeof size === "number" ? size : batch));
      const stream = random.split(name);
      return [
        name,
        tensor(
          "float32",
          shape,
          Float32Array.from({ length: elementCount(shape) }, () => stream.normal()),
        ),
      ];
    }),
  );
}

const numbers = (found: Tensor | undefined): number[] => Array.from(found!.data as Float32Array);

describe("graphs with add layers", () => {
  it.each([4, "batch"])(
    "run in sessions and kernels to what the expansion gives, with a batch of %s",
    async (batch) => {
      const graph = training(batch);
      const feeds = drawFeeds(graph, 4);
      const expected = await (await compileForTest(graph))(feeds);
      const segment = await runtime.compile(graph);
      for (let repetition = 0; repetition < 2; repetition++) {
        const found = await segment.run(feeds);
        for (const { name } of graph.outputs) {
          expect(relativeError(numbers(found[name]), numbers(expected[name])), name).toBeLessThan(1e-5);
          expect(found[name]!.dimensions).toEqual(expected[name]!.dimensions);
        }
      }
      await segment.release();
    },
  );

  it("keep their state inside, run in turn, and write into tensors that they are given", async () => {
    const graph = training(4);
    const { x, dy, ...weights } = drawFeeds(graph, 4);
    const state = runtime.createState(new Map(Object.entries(weights)));
    const statePairs = Object.fromEntries(Object.keys(weights).map((name) => [name, `${name}:next`]));
    const segment = await runtime.compile(graph, { state, statePairs });
    expect(segment.inputs.map(({ name }) => name)).toEqual(["x", "dy"]);
    const dx = tensor("float32", [4, 3, 7, 6], new Float32Array(4 * 3 * 42));
    const [first, second] = await Promise.all([
      segment.run({ x: x!, dy: dy! }, { dx }),
      segment.run({ x: x!, dy: dy! }),
    ]);
    const run = await compileForTest(graph);
    const one = await run({ x: x!, dy: dy!, ...weights });
    const next = Object.fromEntries(Object.keys(weights).map((name) => [name, one[`${name}:next`]!]));
    const two = await run({ x: x!, dy: dy!, ...next });
    expect(first!.dx).toBe(dx);
    expect(relativeError(numbers(dx), numbers(one.dx))).toBeLessThan(1e-5);
    expect(relativeError(numbers(second!.y), numbers(two.y))).toBeLessThan(1e-5);
    expect(relativeError(numbers(state.read("weight2")), numbers(two["weight2:next"]))).toBeLessThan(1e-5);
    await segment.release();
  });

  it("give the same bits with any number of threads", async () => {
    const graph = training(4);
    const feeds = drawFeeds(graph, 4);
    const results = [];
    for (const threads of [1, 3]) {
      const own = await createRuntime({ threads });
      results.push(await (await own.compile(graph)).run(feeds));
      await own.release();
    }
    expect(results[0]).toEqual(results[1]);
  });
});

describe("splitting", () => {
  const graph = training(4);
  const isKernel = (node: Node): boolean => hasKernel(graph, node);
  const steps = splitGraph(graph, isKernel);

  it("makes every value before it is read", () => {
    const known = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
    for (const { graph: part, node } of steps) {
      for (const name of part ? part.inputs.map((input) => input.name) : node.inputs)
        expect(known, name).toContain(name);
      for (const name of part ? part.outputs.map((output) => output.name) : node.outputs) known.add(name);
    }
    for (const { name } of graph.outputs) expect(known).toContain(name);
    expect(steps.filter(({ node }) => node).length).toBe(graph.nodes.filter(isKernel).length);
  });

  it("shares memory between values that do not live at the same time, and only between them", () => {
    const { bufferOf, sizes } = planBuffers(graph, steps);
    const inside = new Map<number, string>();
    const lastRead = new Map<string, number>();
    steps.forEach(({ graph: part, node }, time) => {
      for (const name of part ? part.inputs.map((input) => input.name) : node.inputs) lastRead.set(name, time);
    });
    steps.forEach(({ graph: part, node }, time) => {
      for (const name of part ? part.inputs.map((input) => input.name) : node.inputs) {
        const buffer = bufferOf.get(name);
        if (buffer !== undefined) expect(inside.get(buffer), name).toBe(name);
      }
      for (const name of part ? part.outputs.map((output) => output.name) : node.outputs) {
        const buffer = bufferOf.get(name);
        if (buffer === undefined) continue;
        const before = inside.get(buffer);
        if (before !== undefined) expect(lastRead.get(before)!, `${before} → ${name}`).toBeLessThan(time);
        inside.set(buffer, name);
        expect(sizes[buffer]!).toBeGreaterThanOrEqual(elementCount(graph.types.get(name)!.shape as number[]));
      }
    });
    expect(sizes.length).toBeLessThan(bufferOf.size);
  });
});

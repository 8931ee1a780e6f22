import { type Graph, GraphBuilder, tensor } from "@dovetail/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRuntime, type Runtime } from "./runtime.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

function scaled(): Graph {
  const g = new GraphBuilder("scaled");
  const x = g.input("x", "float32", [2]);
  const w = g.input("w", "float32", [2]);
  g.output(g.mul(x, w), "y");
  g.output(g.add(w, 1), "w:next");
  return g.build();
}

const vector = (...values: number[]) => tensor("float32", [values.length], values);
const numbers = (value: { readonly data?: unknown } | undefined) => Array.from(value!.data as Float32Array);

describe("segments", () => {
  it("run a graph on what they are fed", async () => {
    const segment = await runtime.compile(scaled());
    const { y } = await segment.run({ x: vector(2, 3), w: vector(4, 5) });
    expect(numbers(y)).toEqual([8, 15]);
    expect(y!.dimensions).toEqual([2]);
    expect(segment.inputs.map(({ name }) => name)).toEqual(["x", "w"]);
  });

  it("keep paired state inside, shared by all segments over a store", async () => {
    const state = runtime.createState(new Map([["w", vector(4, 5)]]));
    const stepping = await runtime.compile(scaled(), { state, statePairs: { w: "w:next" } });
    const reading = await runtime.compile(scaled(), { state });
    expect(stepping.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(stepping.outputs.map(({ name }) => name)).toEqual(["y"]);
    const first = stepping.run({ x: vector(1, 1) });
    const second = stepping.run({ x: vector(1, 1) });
    expect(numbers((await first).y)).toEqual([4, 5]);
    expect(numbers((await second).y)).toEqual([5, 6]);
    expect(numbers(state.read("w"))).toEqual([6, 7]);
    expect(numbers((await reading.run({ x: vector(2, 2) })).y)).toEqual([12, 14]);
    state.write("w", vector(0, 1));
    expect(numbers((await reading.run({ x: vector(2, 2) })).y)).toEqual([0, 2]);
  });

  it("hand out copies of the state", async () => {
    const given = vector(1, 2);
    const state = runtime.createState(new Map([["w", given]]));
    (given.data as Float32Array)[0] = 9;
    (state.read("w").data as Float32Array)[1] = 9;
    (state.snapshot().get("w")!.data as Float32Array)[1] = 9;
    expect(numbers(state.read("w"))).toEqual([1, 2]);
  });

  it("write into tensors that they are given", async () => {
    const segment = await runtime.compile(scaled());
    const y = vector(0, 0);
    const results = await segment.run({ x: vector(2, 3), w: vector(4, 5) }, { y });
    expect(numbers(y)).toEqual([8, 15]);
    expect(results.y).toBe(y);
  });

  it("compile a graph of the same content once", async () => {
    const a = await runtime.compile(scaled());
    const b = await runtime.compile(scaled());
    await a.release();
    expect(numbers((await b.run({ x: vector(1, 1), w: vector(1, 2) })).y)).toEqual([1, 2]);
  });

  it("refuse wrong feeds and say which", async () => {
    const segment = await runtime.compile(scaled());
    await expect(segment.run({ x: vector(1, 2) })).rejects.toThrow('graph "scaled": input "w" is not fed');
    await expect(segment.run({ x: vector(1), w: vector(1, 2) })).rejects.toThrow('input "x"');
    await expect(segment.run({ x: vector(1, 2), w: vector(1, 2), z: vector(1) })).rejects.toThrow(
      'graph "scaled" has no input "z" to feed',
    );
  });

  it("refuse graphs without their constants, and pairs that name nothing", async () => {
    const g = new GraphBuilder("shapes");
    const weight = g.constant({ elementType: "float32", dimensions: [2] }, "weight");
    g.output(g.add(g.input("x", "float32", [2]), weight), "y");
    await expect(runtime.compile(g.build())).rejects.toThrow('constant "weight" has no data');
    const state = runtime.createState(new Map([["w", vector(4, 5)]]));
    await expect(runtime.compile(scaled(), { state, statePairs: { w: "w:nex" } })).rejects.toThrow(
      'did you mean "w:next"?',
    );
    await expect(runtime.compile(scaled(), { state, statePairs: { v: "w:next" } })).rejects.toThrow('state has no "v"');
    expect(() => state.write("w", vector(1))).toThrow('state "w": expected float32 [2], received float32 [1]');
  });
});

describe("providers", () => {
  it("that are absent are an environment error that says what is needed", async () => {
    await expect(createRuntime({ provider: "cuda" })).rejects.toThrow(
      "execution provider cuda is not available: expected an NVIDIA GPU",
    );
  });
});

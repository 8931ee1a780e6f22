import { differentiate, GraphBuilder, tensor, type Value, withGradients } from "@dovetail/graph";
import { describe, expect, it } from "vitest";
import { compileForTest } from "./testing/execute.js";

const sampleOfX = [-1.5, -0.5, 0.25, 2];

/** Gradient of the sum of what `build` returns with respect to x = (−1.5, −0.5, 0.25, 2). */
async function gradientOf(build: (g: GraphBuilder, x: Value) => Value): Promise<number[]> {
  const g = new GraphBuilder("graph");
  const x = g.input("x", "float32", [4]);
  const [gradient] = differentiate(g, { loss: build(g, x), withRespectTo: [x] });
  g.output(gradient!, "gradient");
  const results = await (await compileForTest(g.build()))({ x: tensor("float32", [4], sampleOfX) });
  return Array.from(results.gradient!.data as Float32Array);
}

describe("regions with gradients of their own", () => {
  it("stop the gradient", async () => {
    expect(await gradientOf((g, x) => g.mul(x, g.stopGradient(x)))).toEqual(sampleOfX);
    expect(await gradientOf((g, x) => g.stopGradient(g.exp(x)))).toEqual([0, 0, 0, 0]);
  });

  it("pass it straight through", async () => {
    expect(await gradientOf((g, x) => g.mul(g.straightThrough(x, g.round), 3))).toEqual([3, 3, 3, 3]);
  });

  it("pass it through operators that have no gradient", async () => {
    const quantize = (g: GraphBuilder) => (x: Value) => {
      const scale = g.scalar(0.5);
      return g.op("DequantizeLinear", [g.op("QuantizeLinear", [x, scale]), scale]);
    };
    expect(await gradientOf((g, x) => g.straightThrough(x, quantize(g)))).toEqual([1, 1, 1, 1]);
  });

  it("have the gradient that the user defines", async () => {
    const clipped = (g: GraphBuilder, x: Value): Value =>
      g.customGradient(
        [x],
        ([value]) => [g.round(value!)],
        ([gradient], { inputs }) => [g.where(g.less(g.abs(inputs[0]!), 1), g.mul(gradient!, 10), 0)],
      )[0]!;
    expect(await gradientOf((g, x) => g.mul(clipped(g, x), 2))).toEqual([0, 20, 20, 0]);
  });

  it("see the outputs, and no gradient at outputs that are not used", async () => {
    const twoOutputs = (g: GraphBuilder, x: Value): Value =>
      g.customGradient(
        [x],
        ([value]) => [g.exp(value!), g.neg(value!)],
        ([first, second], { outputs }) => {
          expect(first).toBeUndefined();
          return [g.mul(second!, outputs[1]!)];
        },
      )[1]!;
    expect(await gradientOf(twoOutputs)).toEqual(sampleOfX.map((value) => -value));
  });

  it("differentiate a value that is used inside and outside by both ways", async () => {
    // x² inside a region whose gradient is 1; its inner square is used outside as well.
    expect(
      await gradientOf((g, x) => {
        let square: Value | undefined;
        const [region] = g.customGradient(
          [x],
          ([value]) => {
            square = g.mul(value!, value!);
            return [g.sign(square)];
          },
          ([gradient]) => [gradient],
        );
        return g.add(g.add(region!, square!), g.mul(x, 5));
      }),
    ).toEqual(sampleOfX.map((value) => 1 + 2 * value + 5));
  });

  it("give nothing to values that are used inside but not listed", async () => {
    expect(
      await gradientOf((g, x) => {
        const other = g.mul(x, 7);
        const [y] = g.customGradient(
          [x],
          ([value]) => [g.mul(value!, other)],
          ([gradient]) => [gradient],
        );
        return y!;
      }),
    ).toEqual([1, 1, 1, 1]);
  });

  it("are one operation when nested: the outer gradient counts", async () => {
    const outer = (g: GraphBuilder, x: Value): Value =>
      g.customGradient(
        [x],
        ([value]) => [g.stopGradient(g.straightThrough(value!, g.floor))],
        ([gradient]) => [g.mul(gradient!, 4)],
      )[0]!;
    expect(await gradientOf(outer)).toEqual([4, 4, 4, 4]);
    const inner = (g: GraphBuilder, x: Value): Value => g.straightThrough(x, (value) => g.exp(g.stopGradient(value)));
    expect(await gradientOf(inner)).toEqual([1, 1, 1, 1]);
  });

  it("follow one another", async () => {
    expect(
      await gradientOf((g, x) => {
        const rounded = g.straightThrough(x, g.round);
        const [reversed] = g.customGradient(
          [rounded],
          ([value]) => [g.mul(value!, 1)],
          ([gradient]) => [g.neg(gradient!)],
        );
        return g.mul(g.straightThrough(reversed!, g.sign), reversed!);
      }),
    ).toEqual([-2, 0, 0, 2].map((rounded) => -(Math.sign(rounded) + rounded)));
  });

  it("may return one of their inputs, or the same value twice", async () => {
    expect(
      await gradientOf((g, x) => {
        const [same, twice] = g.customGradient(
          [x],
          ([value]) => [value!, value!],
          ([first, second]) => [g.add(g.mul(first!, 10), g.mul(second!, 100))],
        );
        return g.add(g.add(same!, twice!), x);
      }),
    ).toEqual([111, 111, 111, 111]);
  });

  it("stay when a graph is included in another, and in a finished graph", async () => {
    const inner = new GraphBuilder("inner");
    const value = inner.input("value", "float32", [4]);
    inner.output(inner.straightThrough(value, inner.round), "rounded");
    const graph = inner.build();
    expect(await gradientOf((g, x) => g.mul(g.include(graph, { value: x }).rounded!, 2))).toEqual([2, 2, 2, 2]);
    const run = await compileForTest(withGradients(graph, { loss: "rounded", withRespectTo: ["value"] }));
    const results = await run({ value: tensor("float32", [4], sampleOfX) });
    expect(Array.from(results["gradient/value"]!.data as Float32Array)).toEqual([1, 1, 1, 1]);
  });
});

describe("differentiation", () => {
  it("adds up what arrives by several paths, also at values between", async () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float32", [4]);
    const middle = g.mul(x, 2);
    const loss = g.add(g.mul(middle, middle), g.add(g.mul(middle, x), middle));
    const [atMiddle, atX, atX2] = differentiate(g, { loss, withRespectTo: [middle, x, x] });
    g.output(atMiddle!, "middle");
    g.output(atX!, "x1");
    g.output(atX2!, "x2");
    const results = await (await compileForTest(g.build()))({ x: tensor("float32", [4], sampleOfX) });
    expect(Array.from(results.middle!.data as Float32Array)).toEqual(sampleOfX.map((value) => 5 * value + 1));
    const expected = sampleOfX.map((value) => 2 * (5 * value + 1) + 2 * value);
    expect(Array.from(results.x1!.data as Float32Array)).toEqual(expected);
    expect(Array.from(results.x2!.data as Float32Array)).toEqual(expected);
  });

  it("starts from the gradient that is given, or from ones", async () => {
    const seeded = async (withSeed: boolean): Promise<number[]> => {
      const g = new GraphBuilder("graph");
      const x = g.input("x", "float32", ["n"]);
      const seed = withSeed ? { lossGradient: g.mul(x, 3) } : {};
      g.output(differentiate(g, { loss: g.neg(x), withRespectTo: [x], ...seed })[0]!, "gradient");
      const results = await (await compileForTest(g.build()))({ x: tensor("float32", [4], sampleOfX) });
      return Array.from(results.gradient!.data as Float32Array);
    };
    expect(await seeded(true)).toEqual(sampleOfX.map((value) => -3 * value));
    expect(await seeded(false)).toEqual([-1, -1, -1, -1]);
  });

  it("gives zeros where the loss does not depend on a value, and the seed where it is the value", async () => {
    const g = new GraphBuilder("graph");
    const x = g.input("x", "float32", ["n"]);
    const other = g.input("other", "float32", ["m", 2]);
    const [atX, atOther] = differentiate(g, { loss: x, withRespectTo: [x, other] });
    g.output(atX!, "atX");
    g.output(atOther!, "atOther");
    const run = await compileForTest(g.build());
    const results = await run({ x: tensor("float32", [1], [5]), other: tensor("float32", [3, 2], [1, 2, 3, 4, 5, 6]) });
    expect(Array.from(results.atX!.data as Float32Array)).toEqual([1]);
    expect(results.atOther!.dimensions).toEqual([3, 2]);
    expect(Array.from(results.atOther!.data as Float32Array)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("takes Dropout's mask, and is the identity outside of training", async () => {
    const dropout = async (training: boolean, isConstant: boolean): Promise<{ y: number[]; gradient: number[] }> => {
      const g = new GraphBuilder("graph");
      const x = g.input("x", "float32", [200]);
      const mode = isConstant
        ? g.constant(tensor("bool", [], [training ? 1 : 0]), "mode")
        : g.input("mode", "bool", []);
      const [y] = g.node("Dropout", [x, g.scalar(0.25), mode], { seed: 5 }, { outputs: 2 });
      g.output(y!, "y");
      g.output(differentiate(g, { loss: y!, withRespectTo: [x] })[0]!, "gradient");
      const feeds = {
        x: tensor("float32", [200], new Array(200).fill(1)),
        mode: tensor("bool", [], [training ? 1 : 0]),
      };
      const results = await (await compileForTest(g.build()))(feeds);
      return {
        y: Array.from(results.y!.data as Float32Array),
        gradient: Array.from(results.gradient!.data as Float32Array),
      };
    };
    for (const isConstant of [true, false]) {
      const { y, gradient } = await dropout(true, isConstant);
      // At x = 1 the result is its own slope.
      expect(gradient).toEqual(y);
      expect(new Set(y).size).toBe(2);
      expect((await dropout(false, isConstant)).gradient).toEqual(new Array(200).fill(1));
    }
  });
});

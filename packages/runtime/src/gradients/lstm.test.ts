import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, lstm, lstmCell, type Tensor, tensor, type Value } from "@dovetail/graph";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileForTest, relativeError } from "./testing/execute.js";

const directions = ["forward", "reverse", "bidirectional"] as const;

describe("lstm", () => {
  it("computes what ONNX Runtime's LSTM computes, the batch known or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          direction: fc.constantFrom(...directions),
          length: fc.integer({ min: 1, max: 4 }),
          batch: fc.integer({ min: 1, max: 3 }),
          features: fc.integer({ min: 1, max: 4 }),
          hidden: fc.integer({ min: 1, max: 4 }),
          hasBias: fc.boolean(),
          hasHidden: fc.boolean(),
          hasCell: fc.boolean(),
          isOpen: fc.boolean(),
          seed: fc.nat(),
        }),
        async ({ direction, length, batch, features, hidden, hasBias, hasHidden, hasCell, isOpen, seed }) => {
          const g = new GraphBuilder("lstm");
          const random = createRandomStream(seed);
          const feeds: Record<string, Tensor> = {};
          const input = (name: string, shape: readonly number[], batchAxis = -1): Value => {
            const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random.normal);
            feeds[name] = tensor("float32", shape, values);
            return g.input(
              name,
              "float32",
              shape.map((size, axis) => (isOpen && axis === batchAxis ? "batch" : size)),
            );
          };
          const count = direction === "bidirectional" ? 2 : 1;
          const x = input("x", [length, batch, features], 1);
          const options = {
            inputWeight: input("w", [count, 4 * hidden, features]),
            recurrentWeight: input("r", [count, 4 * hidden, hidden]),
            bias: hasBias ? input("b", [count, 8 * hidden]) : undefined,
            initialHidden: hasHidden ? input("h", [count, batch, hidden], 1) : undefined,
            initialCell: hasCell ? input("c", [count, batch, hidden], 1) : undefined,
            direction,
          };
          const own = lstm(g, x, options);
          [own.outputs, own.hidden, own.cell].forEach((value, index) => {
            g.output(value, `own${index}`);
          });
          g.node(
            "LSTM",
            [
              x,
              options.inputWeight,
              options.recurrentWeight,
              options.bias,
              undefined,
              options.initialHidden,
              options.initialCell,
            ],
            { hidden_size: hidden, direction },
            { outputs: 3 },
          ).forEach((value, index) => {
            g.output(value, `theirs${index}`);
          });
          const results = await (await compileForTest(g.build()))(feeds);
          for (const index of [0, 1, 2]) {
            const [mine, theirs] = [results[`own${index}`]!, results[`theirs${index}`]!];
            expect(mine.dimensions).toEqual(theirs.dimensions);
            expect(relativeError(mine.data as Float32Array, theirs.data as Float32Array)).toBeLessThan(1e-5);
          }
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });

  it("needs the sequence's length", () => {
    const g = new GraphBuilder("lstm");
    const x = g.input("x", "float32", ["time", 2, 3]);
    const weights = {
      inputWeight: g.input("w", "float32", [1, 8, 3]),
      recurrentWeight: g.input("r", "float32", [1, 8, 2]),
    };
    expect(() => lstm(g, x, weights)).toThrow(/length of "x" must be known.*received time/);
  });
});

describe("lstmCell", () => {
  it("is one step of lstm", async () => {
    const g = new GraphBuilder("cell");
    const random = createRandomStream(3);
    const feeds: Record<string, Tensor> = {};
    const input = (name: string, shape: readonly number[]): Value => {
      feeds[name] = tensor(
        "float32",
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random.normal),
      );
      return g.input(name, "float32", shape);
    };
    const [x, w, r, b] = [input("x", [2, 3, 4]), input("w", [1, 8, 4]), input("r", [1, 8, 2]), input("b", [1, 16])];
    const weights = { input: g.squeeze(w, [0]), recurrent: g.squeeze(r, [0]), bias: g.squeeze(b, [0]) };
    const [first, second] = g.split(x, [1, 1], 0).map((step) => g.squeeze(step, [0]));
    const state = lstmCell(g, second!, lstmCell(g, first!, undefined, weights), weights);
    g.output(state.hidden, "hidden");
    g.output(state.cell, "cell");
    const whole = lstm(g, x, { inputWeight: w, recurrentWeight: r, bias: b });
    g.output(whole.hidden, "wholeHidden");
    g.output(whole.cell, "wholeCell");
    const { hidden, cell, wholeHidden, wholeCell } = await (await compileForTest(g.build()))(feeds);
    expect(relativeError(hidden!.data as Float32Array, wholeHidden!.data as Float32Array)).toBeLessThan(1e-6);
    expect(relativeError(cell!.data as Float32Array, wholeCell!.data as Float32Array)).toBeLessThan(1e-6);
  });
});

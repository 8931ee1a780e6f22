import type { RandomStream } from "@dovetail/core";
import { float, scalar } from "@dovetail/graph";
import { describe } from "vitest";
import { between, isOpen, oneOf, property, shapeOf } from "./testing/draw.js";
import type { Sampling } from "./testing/finite-differences.js";

// Gradients against central differences, on random shapes and attributes.

describe("arithmetic with broadcasting", () => {
  /** Two shapes that broadcast, by dropping axes and setting sizes to 1. */
  const shapes = (random: RandomStream): readonly [number[], number[]] => {
    const full = shapeOf(random, between(random, 1, 4), 3);
    const narrowed = (): number[] =>
      full.slice(random.integer(full.length + 1)).map((size) => (random.integer(3) === 0 ? 1 : size));
    return random.integer(2) === 0 ? [full, narrowed()] : [narrowed(), full];
  };
  const samplings: Readonly<Record<string, readonly [Sampling, Sampling]>> = {
    Add: ["normal", "normal"],
    Sub: ["normal", "normal"],
    Mul: ["normal", "normal"],
    Div: ["normal", "positive"],
    Pow: ["positive", "normal"],
    Sum: ["normal", "normal"],
    Mean: ["normal", "normal"],
  };
  property("two operands", (random) => {
    const operator = oneOf(random, Object.keys(samplings));
    const [left, right] = shapes(random);
    return {
      operator,
      inputs: [
        { shape: left, sampling: samplings[operator]![0] },
        { shape: right, sampling: samplings[operator]![1] },
      ],
      openBatch: isOpen(random) && left.length > 0,
    };
  });

  property("Min and Max", (random) => {
    const [left, right] = shapes(random);
    // Off the multiples of 0.1 and off the places between them where "separated" values lie.
    const apart = scalar(0.29);
    return {
      operator: oneOf(random, ["Min", "Max"]),
      inputs: [{ shape: left, sampling: "separated" }, { shape: right, sampling: "grid" }, { constant: apart }],
    };
  });

  property("PRelu", (random) => {
    const channels = between(random, 1, 3);
    return {
      operator: "PRelu",
      inputs: [{ shape: [2, channels, 3], sampling: "separated" }, { shape: oneOf(random, [[channels, 1], [1], [3]]) }],
      openBatch: isOpen(random),
    };
  });

  property("Clip", (random) => ({
    operator: "Clip",
    inputs: [
      { shape: shapeOf(random, 2, 5), sampling: "separated" },
      random.integer(2) === 0 ? undefined : { constant: scalar(-0.4) },
      random.integer(2) === 0 ? undefined : { constant: scalar(0.5) },
    ],
  }));
});

describe("element by element", () => {
  const samplings: Readonly<Record<string, Sampling>> = {
    ...Object.fromEntries(
      ["Neg", "Exp", "Sin", "Cos", "Atan", "Asinh", "Erf", "Sigmoid", "Tanh", "Softplus", "Mish"].map((operator) => [
        operator,
        "normal",
      ]),
    ),
    ...Object.fromEntries(["Log", "Sqrt", "Reciprocal"].map((operator) => [operator, "positive"])),
    ...Object.fromEntries(["Asin", "Acos", "Atanh", "Tan", "Sinh", "Cosh"].map((operator) => [operator, "inside"])),
    ...Object.fromEntries(
      ["Abs", "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "HardSigmoid", "HardSwish", "Softsign"]
        .concat("Shrink", "Round", "Floor", "Ceil", "Sign")
        .map((operator) => [operator, "separated"]),
    ),
    Acosh: "beyond one",
  };
  const attributes: Readonly<Record<string, readonly string[]>> = {
    LeakyRelu: ["alpha"],
    Elu: ["alpha"],
    Celu: ["alpha"],
    Selu: ["alpha", "gamma"],
  };
  property("functions of one value", (random) => {
    const operator = oneOf(random, Object.keys(samplings));
    return {
      operator,
      attributes: Object.fromEntries(
        (attributes[operator] ?? []).map((name) => [name, float(0.5 + Math.round(random.uniform() * 8) / 8)]),
      ),
      inputs: [{ shape: shapeOf(random, between(random, 1, 3)), sampling: samplings[operator]! }],
      openBatch: isOpen(random),
    };
  });
});

describe("products", () => {
  property("MatMul", (random) => {
    const inner = between(random, 1, 4);
    const batch = shapeOf(random, random.integer(3), 2);
    const batchOf = (): number[] =>
      batch.slice(random.integer(batch.length + 1)).map((size) => oneOf(random, [1, size]));
    const left = random.integer(4) === 0 ? [inner] : [...batchOf(), between(random, 1, 3), inner];
    const right = random.integer(4) === 0 ? [inner] : [...batchOf(), inner, between(random, 1, 3)];
    return {
      operator: "MatMul",
      inputs: [{ shape: left }, { shape: right }],
      openBatch: isOpen(random) && left.length > 1,
    };
  });

  property("Gemm", (random) => {
    const [rows, inner, columns] = [between(random, 1, 4), between(random, 1, 4), between(random, 1, 4)];
    const [transA, transB] = [random.integer(2), random.integer(2)];
    return {
      operator: "Gemm",
      attributes: { transA, transB, alpha: float(oneOf(random, [1, 0.5, -2])), beta: float(oneOf(random, [1, 3])) },
      inputs: [
        { shape: transA ? [inner, rows] : [rows, inner] },
        { shape: transB ? [columns, inner] : [inner, columns] },
        oneOf(random, [
          undefined,
          { shape: [] },
          { shape: [columns] },
          { shape: [rows, 1] },
          { shape: [rows, columns] },
        ]),
      ],
      openBatch: isOpen(random),
    };
  });

  property("Einsum", (random) => {
    const size: Readonly<Record<string, number>> = { i: 2, j: 3, k: 2, b: 2 };
    const equation = oneOf(random, [
      "bij,bjk->bik",
      "bij,bkj->bki",
      "ij,j->i",
      "ij,kj->",
      "bij->bji",
      "bij,b->j",
      "i,k->ik",
    ]);
    const operands = equation.split("->")[0]!.split(",");
    return {
      operator: "Einsum",
      attributes: { equation },
      inputs: operands.map((letters) => ({ shape: [...letters].map((letter) => size[letter]!) })),
    };
  });
});

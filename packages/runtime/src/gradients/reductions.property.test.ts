import { float, tensor } from "@dovetail/graph";
import { describe } from "vitest";
import { between, ints, isOpen, oneOf, property, shapeOf, someAxes } from "./testing/draw.js";
import type { InputSpecification, Sampling } from "./testing/finite-differences.js";

// Gradients against central differences, on random shapes and attributes.

describe("reductions", () => {
  const samplings: Readonly<Record<string, Sampling>> = {
    ReduceSum: "normal",
    ReduceMean: "normal",
    ReduceSumSquare: "normal",
    ReduceLogSumExp: "normal",
    ReduceL2: "normal",
    ReduceProd: "normal",
    ReduceL1: "separated",
    ReduceMax: "separated",
    ReduceMin: "separated",
    ReduceLogSum: "positive",
  };
  property("over some axes", (random) => {
    const operator = oneOf(random, Object.keys(samplings));
    const rank = between(random, 1, 4);
    const axes = someAxes(random, rank).map((axis) => oneOf(random, [axis, axis - rank]));
    return {
      operator,
      attributes: { keepdims: random.integer(2) },
      inputs: [
        { shape: shapeOf(random, rank, 3), sampling: samplings[operator]! },
        random.integer(4) === 0 ? undefined : ints(...axes),
      ],
      openBatch: isOpen(random),
    };
  });

  property("along an axis", (random) => {
    const operator = oneOf(random, ["Softmax", "LogSoftmax", "CumSum", "LpNormalization"]);
    const rank = between(random, 1, 4);
    const axis = between(random, -rank, rank - 1);
    const shape: InputSpecification = {
      shape: shapeOf(random, rank).map((size) => size + 1),
      sampling: operator === "LpNormalization" ? "positive" : "normal",
    };
    if (operator !== "CumSum") return { operator, attributes: { axis }, inputs: [shape], openBatch: isOpen(random) };
    return {
      operator,
      attributes: { exclusive: random.integer(2), reverse: random.integer(2) },
      inputs: [shape, { constant: tensor("int64", [], [axis]) }],
      openBatch: isOpen(random),
    };
  });
});

describe("normalization", () => {
  property("over the batch", (random) => {
    const operator = oneOf(random, ["BatchNormalization", "BatchNormalizationTraining"]);
    const shape = [between(random, 2, 4), between(random, 1, 3), ...shapeOf(random, random.integer(4), 3)];
    const vector: InputSpecification = { shape: [shape[1]!] };
    const isTraining = operator === "BatchNormalizationTraining";
    return {
      operator,
      domain: isTraining ? "ai.dovetail" : "",
      attributes: { epsilon: float(0.1) },
      inputs: isTraining
        ? [{ shape }, vector, vector]
        : [{ shape }, vector, vector, vector, { shape: [shape[1]!], sampling: "positive" }],
      outputs: isTraining ? 3 : 1,
      openBatch: isOpen(random),
    };
  });

  property("over a sample", (random) => {
    const operator = oneOf(random, ["LayerNormalization", "InstanceNormalization", "GroupNormalization"]);
    const groups = between(random, 1, 2);
    const shape = [between(random, 1, 2), groups * between(random, 1, 2), between(random, 2, 3), between(random, 2, 3)];
    const epsilon = float(0.1);
    if (operator === "LayerNormalization") {
      const axis = between(random, 1, 3);
      const scale: InputSpecification = { shape: shape.slice(axis) };
      return { operator, attributes: { axis, epsilon }, inputs: [{ shape }, scale, scale], openBatch: isOpen(random) };
    }
    const isGrouped = operator === "GroupNormalization";
    const vector: InputSpecification = { shape: [isGrouped ? groups : shape[1]!] };
    return {
      operator,
      attributes: isGrouped ? { num_groups: groups, epsilon } : { epsilon },
      inputs: [{ shape }, vector, vector],
      openBatch: isOpen(random),
    };
  });
});

describe("recurrence", () => {
  property("LSTM", (random) => {
    const [length, batch, features, hidden] = shapeOf(random, 4, 3) as [number, number, number, number];
    const direction = oneOf(random, ["forward", "reverse", "bidirectional"]);
    const directions = direction === "bidirectional" ? 2 : 1;
    const state: InputSpecification = { shape: [directions, batch, hidden] };
    return {
      operator: "LSTM",
      attributes: { hidden_size: hidden, direction },
      inputs: [
        { shape: [length, batch, features] },
        { shape: [directions, 4 * hidden, features] },
        { shape: [directions, 4 * hidden, hidden] },
        random.integer(2) === 0 ? undefined : { shape: [directions, 8 * hidden] },
        undefined,
        random.integer(2) === 0 ? undefined : state,
        random.integer(2) === 0 ? undefined : state,
      ],
      outputs: 3,
    };
  });
});

import { createRandomStream, type RandomStream } from "@dovetail/core";
import { float, int64Vector, scalar, tensor } from "@dovetail/graph";
import fc from "fast-check";
import { describe, it } from "vitest";
import {
  checkNode,
  type InputSpecification,
  type NodeSpecification,
  type Sampling,
} from "./testing/finite-differences.js";

// Random shapes and attributes, central differences. A seed makes a whole case, so a failure names it.

const runs = 20;

function property(name: string, draw: (random: RandomStream) => NodeSpecification): void {
  it(name, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const random = createRandomStream(seed);
        await checkNode(draw(random.split("specification")), random.split("values"));
      }),
      { numRuns: runs, seed: 1, endOnFailure: true },
    );
  });
}

const between = (random: RandomStream, low: number, high: number): number => low + random.integer(high - low + 1);
const oneOf = <T>(random: RandomStream, items: readonly T[]): T => items[random.integer(items.length)]!;
const shapeOf = (random: RandomStream, rank: number, largest = 4): number[] =>
  Array.from({ length: rank }, () => between(random, 1, largest));
const someAxes = (random: RandomStream, rank: number): number[] => {
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter(() => random.integer(2) === 0);
  return axes.length > 0 ? axes : [random.integer(rank)];
};
const isOpen = (random: RandomStream): boolean => random.integer(2) === 0;
const ints = (...values: readonly number[]): InputSpecification => ({ constant: int64Vector(values) });

interface DrawnWindow {
  readonly attributes: Record<string, readonly number[]>;
  readonly sizes: readonly number[];
}

/** A window of `rank` axes over sizes that it fits into. */
function drawWindow(
  random: RandomStream,
  rank: number,
  options: { readonly padsBelowKernel?: boolean } = {},
): DrawnWindow {
  const kernel = Array.from({ length: rank }, () => between(random, 1, 3));
  const dilations = kernel.map(() => between(random, 1, 2));
  const strides = kernel.map(() => between(random, 1, 3));
  const pads = [...kernel, ...kernel].map((size) =>
    options.padsBelowKernel ? random.integer(Math.max(1, Math.min(size, 2))) : between(random, 0, 2),
  );
  const sizes = kernel.map(
    (size, axis) => Math.max(1, (size - 1) * dilations[axis]! + 1 - pads[axis]!) + random.integer(5),
  );
  return { attributes: { kernel_shape: kernel, dilations, strides, pads }, sizes };
}

describe("convolution", () => {
  property("Conv", (random) => {
    const rank = between(random, 1, 3);
    const { attributes, sizes } = drawWindow(random, rank);
    const group = between(random, 1, 3);
    const perGroup = between(random, 1, 2);
    const outputs = group * between(random, 1, 2);
    return {
      operator: "Conv",
      attributes: { ...attributes, group },
      inputs: [
        { shape: [between(random, 1, 2), group * perGroup, ...sizes] },
        { shape: [outputs, perGroup, ...attributes.kernel_shape!] },
        random.integer(2) === 0 ? undefined : { shape: [outputs] },
      ],
      openBatch: isOpen(random),
    };
  });

  property("ConvTranspose", (random) => {
    const rank = between(random, 1, 2);
    const kernel = Array.from({ length: rank }, () => between(random, 2, 4));
    const strides = kernel.map(() => between(random, 1, 3));
    const group = between(random, 1, 2);
    const perGroup = between(random, 1, 2);
    return {
      operator: "ConvTranspose",
      attributes: {
        kernel_shape: kernel,
        strides,
        dilations: kernel.map(() => between(random, 1, 2)),
        pads: [...kernel, ...kernel].map(() => random.integer(2)),
        output_padding: strides.map((stride) => random.integer(stride)),
        group,
      },
      inputs: [
        { shape: [between(random, 1, 2), group * 2, ...kernel.map(() => between(random, 2, 4))] },
        { shape: [group * 2, perGroup, ...kernel] },
        { shape: [group * perGroup] },
      ],
      openBatch: isOpen(random),
    };
  });

  property("automatic padding", (random) => {
    const operator = oneOf(random, ["Conv", "ConvTranspose", "MaxPool", "AveragePool"]);
    const isConvolution = operator.startsWith("Conv");
    const kernel = [between(random, 2, 3), between(random, 2, 3)];
    const strides = kernel.map((size) => between(random, 1, size));
    const image: InputSpecification = {
      shape: [1, 2, between(random, 4, 7), between(random, 4, 7)],
      sampling: "separated",
    };
    return {
      operator,
      attributes: { kernel_shape: kernel, strides, auto_pad: oneOf(random, ["SAME_UPPER", "SAME_LOWER", "VALID"]) },
      inputs: isConvolution ? [image, { shape: [2, 2, ...kernel] }] : [image],
      openBatch: isOpen(random),
    };
  });
});

describe("pooling", () => {
  /**
   * Rounding up where no window would begin in the padding at the end: there ONNX Runtime's kernels leave it out and its
   * shape inference does not, so that it refuses the graph.
   */
  const roundsUp = (
    random: RandomStream,
    { kernel_shape, dilations, strides, pads }: DrawnWindow["attributes"],
  ): number => {
    const isSafe = kernel_shape!.every((size, axis) => {
      const extent = (size - 1) * (dilations?.[axis] ?? 1) + 1;
      return strides![axis]! + pads![kernel_shape!.length + axis]! <= extent;
    });
    return isSafe ? random.integer(2) : 0;
  };

  property("MaxPool", (random) => {
    const { attributes, sizes } = drawWindow(random, between(random, 1, 2), { padsBelowKernel: true });
    return {
      operator: "MaxPool",
      attributes: { ...attributes, ceil_mode: roundsUp(random, attributes) },
      inputs: [{ shape: [between(random, 1, 2), 2, ...sizes], sampling: "separated" }],
      openBatch: isOpen(random),
    };
  });

  property("AveragePool", (random) => {
    const { attributes, sizes } = drawWindow(random, between(random, 1, 3), { padsBelowKernel: true });
    const { dilations, ...window } = attributes;
    return {
      operator: "AveragePool",
      attributes: { ...window, ceil_mode: roundsUp(random, window), count_include_pad: random.integer(2) },
      // Dilated windows are not in operator set 18: the sizes fit without as well.
      inputs: [{ shape: [between(random, 1, 2), 2, ...sizes] }],
      openBatch: isOpen(random),
    };
  });

  property("GlobalAveragePool and GlobalMaxPool", (random) => ({
    operator: oneOf(random, ["GlobalAveragePool", "GlobalMaxPool"]),
    inputs: [{ shape: shapeOf(random, between(random, 3, 5), 3), sampling: "separated" }],
    openBatch: isOpen(random),
  }));
});

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

describe("moving values", () => {
  property("Slice", (random) => {
    const shape = shapeOf(random, between(random, 1, 3), 6);
    const axes = someAxes(random, shape.length);
    const steps = axes.map(() => oneOf(random, [1, 2, 3, -1, -2]));
    const ends = axes.map((axis, index) => {
      const size = shape[axis]!;
      return steps[index]! > 0 ? between(random, 1, size + 1) : -size - 1 + random.integer(2);
    });
    const starts = axes.map((axis, index) =>
      steps[index]! > 0 ? random.integer(Math.min(ends[index]!, shape[axis]!)) : shape[axis]! - 1 - random.integer(2),
    );
    return {
      operator: "Slice",
      inputs: [{ shape }, ints(...starts), ints(...ends), ints(...axes), ints(...steps)],
      openBatch: isOpen(random),
    };
  });

  property("Pad", (random) => {
    const shape = shapeOf(random, between(random, 1, 3)).map((size) => size + 1);
    const mode = oneOf(random, ["constant", "reflect", "edge", "wrap"]);
    const pads = [...shape, ...shape].map((size) => random.integer(Math.min(size, 3)));
    return {
      operator: "Pad",
      attributes: { mode },
      inputs: [{ shape }, ints(...pads), mode === "constant" && random.integer(2) === 0 ? { shape: [] } : undefined],
      openBatch: isOpen(random),
    };
  });

  property("Concat and Split", (random) => {
    const shape = shapeOf(random, between(random, 1, 3), 3);
    const axis = random.integer(shape.length);
    const sizes = Array.from({ length: between(random, 1, 3) }, () => between(random, 1, 3));
    const sized = (size: number): number[] => shape.map((own, index) => (index === axis ? size : own));
    if (random.integer(2) === 0) {
      return { operator: "Concat", attributes: { axis }, inputs: sizes.map((size) => ({ shape: sized(size) })) };
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    return {
      operator: "Split",
      attributes: { axis },
      inputs: [{ shape: sized(total) }, ints(...sizes)],
      outputs: sizes.length,
    };
  });

  property("Transpose, Tile, Expand", (random) => {
    const shape = shapeOf(random, between(random, 1, 4), 3);
    const operator = oneOf(random, ["Transpose", "Tile", "Expand"]);
    const order = random.shuffle(shape.map((_, axis) => axis));
    const repeats = shape.map(() => between(random, 1, 3));
    const narrow = shape.map((size) => oneOf(random, [1, size]));
    const forms: Readonly<Record<string, NodeSpecification>> = {
      Transpose: { operator, attributes: { perm: order }, inputs: [{ shape }] },
      Tile: { operator, inputs: [{ shape }, ints(...repeats)] },
      Expand: { operator, inputs: [{ shape: narrow }, ints(2, ...shape)] },
    };
    return { ...forms[operator]!, openBatch: isOpen(random) };
  });

  property("DepthToSpace and SpaceToDepth", (random) => {
    const blocksize = between(random, 1, 3);
    const mode = oneOf(random, ["DCR", "CRD"]);
    const [channels, height, width] = shapeOf(random, 3, 3) as [number, number, number];
    return random.integer(2) === 0
      ? {
          operator: "DepthToSpace",
          attributes: { blocksize, mode },
          inputs: [{ shape: [2, channels * blocksize ** 2, height, width] }],
          openBatch: isOpen(random),
        }
      : {
          operator: "SpaceToDepth",
          attributes: { blocksize },
          inputs: [{ shape: [2, channels, height * blocksize, width * blocksize] }],
          openBatch: isOpen(random),
        };
  });

  property("Gather and its relatives", (random) => {
    const shape = shapeOf(random, between(random, 1, 3)).map((size) => size + 1);
    const axis = random.integer(shape.length);
    const operator = oneOf(random, ["Gather", "GatherElements", "ScatterElements", "GatherND"]);
    const indexShape = operator === "Gather" ? shapeOf(random, random.integer(3), 3) : shape;
    const count = indexShape.reduce((product, size) => product * size, 1);
    const indices = Array.from({ length: count }, () => between(random, -shape[axis]!, shape[axis]! - 1));
    const constant: InputSpecification = { constant: tensor("int64", indexShape, indices) };
    const openBatch = isOpen(random);
    if (operator === "GatherND") {
      const tuples = Array.from({ length: 3 }, () => shape.slice(0, axis + 1).map((size) => random.integer(size)));
      const positions: InputSpecification = { constant: tensor("int64", [3, axis + 1], tuples.flat()) };
      return { operator, inputs: [{ shape }, positions], openBatch };
    }
    if (operator !== "ScatterElements")
      return { operator, attributes: { axis }, inputs: [{ shape }, constant], openBatch };
    return { operator, attributes: { axis, reduction: "add" }, inputs: [{ shape }, constant, { shape }], openBatch };
  });
});

describe("resizing", () => {
  property("Resize", (random) => {
    const mode = oneOf(random, ["nearest", "linear", "cubic"]);
    const spatial =
      mode === "cubic" ? [between(random, 2, 5), between(random, 2, 5)] : shapeOf(random, between(random, 1, 2), 5);
    const coordinates = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"];
    const targets = spatial.map((size) => oneOf(random, [size, 2 * size, 3 * size, between(random, 1, 9)]));
    return {
      operator: "Resize",
      attributes: {
        mode,
        coordinate_transformation_mode: oneOf(random, coordinates),
        nearest_mode: oneOf(random, ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]),
        axes: spatial.map((_, axis) => axis + 2),
        exclude_outside: mode === "cubic" ? random.integer(2) : 0,
      },
      inputs: [{ shape: [1, 2, ...spatial] }, undefined, undefined, ints(...targets)],
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

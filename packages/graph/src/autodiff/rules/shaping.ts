import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import { isStatic, tensorNumbers } from "../../ir/tensor.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { frontAxis, rankOf, reduceToShape, reshapeLike, shapeOf, zerosLike } from "../shapes.js";

/** The entries stay in order: the gradient takes the input's shape. */
const reshaping: GradientRule = (context) => [reshapeLike(context.g, context.outputGradients[0]!, context.input(0))];

const transpose: GradientRule = ({ g, node, outputGradients, input }) => {
  const reversed = shapeOf(input(0)).map((_, axis, shape) => shape.length - 1 - axis);
  const order = attributeOf(node, "perm", "ints", reversed);
  return [
    g.transpose(
      outputGradients[0]!,
      order.map((_, axis) => order.indexOf(axis)),
    ),
  ];
};

const concat: GradientRule = (context) => {
  const { g, needed, inputs, node } = context;
  const dy = context.outputGradients[0]!;
  if (inputs.length === 1) return [dy];
  const axis = frontAxis(attributeOf(node, "axis", "int", 0), rankOf(dy));
  const sizes = inputs.map((_, index) => shapeOf(context.input(index))[axis]!);
  if (isStatic(sizes)) {
    if (needed.filter(Boolean).length === 1) return onlySlice(context, dy, axis, sizes);
    return g.split(dy, sizes, axis);
  }
  const lengths = g.concat(
    inputs.map((input) => g.op("Shape", [input], { start: axis, end: axis + 1 })),
    0,
  );
  return g.node("Split", [dy, lengths], { axis }, { outputs: inputs.length });
};

/** One input alone needs a gradient: one slice instead of a split of everything. */
function onlySlice(
  { g, needed }: GradientContext,
  dy: Value,
  axis: number,
  sizes: readonly number[],
): readonly (Value | undefined)[] {
  let start = 0;
  return sizes.map((size, index) => {
    const from = start;
    start += size;
    return needed[index] ? g.slice(dy, [from], [from + size], [axis]) : undefined;
  });
}

const split: GradientRule = ({ g, node, outputs, output, outputGradients }) => {
  const parts = outputs.map((_, index) => outputGradients[index] ?? zerosLike(g, output(index)));
  return [g.concat(parts, attributeOf(node, "axis", "int", 0))];
};

const expand: GradientRule = (context) => [reduceToShape(context.g, context.outputGradients[0]!, context.input(0))];

/** Every axis is split into its repetitions and its own size, and the repetitions are summed. */
const tile: GradientRule = (context) => {
  const { g } = context;
  const x = context.input(0);
  const dy = context.outputGradients[0]!;
  const shape = shapeOf(x);
  const constant = context.constant(1);
  const repeats = constant ? tensorNumbers(constant) : undefined;
  if (repeats && shape.filter((size) => typeof size !== "number").length <= 1) {
    const sizes = shape.flatMap((size, axis) => [repeats[axis]!, typeof size === "number" ? size : -1]);
    return [sumRepetitions(g, g.reshape(dy, sizes))];
  }
  const pairs = g.concat([g.unsqueeze(context.input(1), [1]), g.unsqueeze(g.shapeOf(x), [1])], 1);
  return [sumRepetitions(g, g.reshape(dy, g.reshape(pairs, [-1])))];
};

/** [r₀, d₀, r₁, d₁, …] → [d₀, d₁, …]. */
function sumRepetitions(g: GradientContext["g"], apart: Value): Value {
  return g.reduceSum(
    apart,
    Array.from({ length: rankOf(apart) / 2 }, (_, axis) => 2 * axis),
  );
}

const depthToSpace: GradientRule = (context) => {
  const { g, node } = context;
  const dy = context.outputGradients[0]!;
  const blocksize = attributeOf(node, "blocksize", "int", 1);
  if (attributeOf(node, "mode", "string", "DCR") === "DCR") return [g.op("SpaceToDepth", [dy], { blocksize })];
  const x = context.input(0);
  const channels = shapeOf(x)[1]!;
  if (typeof channels !== "number") throw context.fail("the number of channels must be known");
  // SpaceToDepth puts the block in front of the channels, CRD behind them.
  const blocks = g.reshape(g.op("SpaceToDepth", [dy], { blocksize }), [
    0,
    blocksize ** 2,
    channels / blocksize ** 2,
    -1,
  ]);
  return [reshapeLike(g, g.transpose(blocks, [0, 2, 1, 3]), x)];
};

const spaceToDepth: GradientRule = ({ g, node, outputGradients }) => [
  g.op("DepthToSpace", [outputGradients[0]], { blocksize: attributeOf(node, "blocksize", "int", 1), mode: "DCR" }),
];

export const shapingGradients: GradientTable = {
  Reshape: reshaping,
  Flatten: reshaping,
  Squeeze: reshaping,
  Unsqueeze: reshaping,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};

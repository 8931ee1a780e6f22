import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import { isStatic, tensorNumbers } from "../../ir/tensor.js";
import { type AxisMap, applyAdjoint } from "../axis-map.js";
import { scatterToOrigins } from "../positions.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { frontAxis, rankOf, reshapeLike, shapeOf, zerosLike } from "../shapes.js";

type Builder = GradientContext["g"];

/** The numbers of a constant input, or undefined. */
function numbers(context: GradientContext, index: number): readonly number[] | undefined {
  const constant = context.constant(index);
  return constant && tensorNumbers(constant);
}

/** What Slice takes along one axis of known size, read forwards: `count` entries from `first` on, `step` apart. */
interface Section {
  readonly axis: number;
  readonly size: number;
  readonly first: number;
  readonly count: number;
  readonly step: number;
  readonly reversed: boolean;
}

const slice: GradientRule = (context) => {
  const { g } = context;
  const x = context.input(0);
  const dy = context.outputGradients[0]!;
  const sections = knownSections(context);
  if (!sections) {
    const parameters = context.inputs.slice(1);
    return [scatterToOrigins(g, x, dy, (positions) => g.op("Slice", [positions, ...parameters]))];
  }
  const reversed = sections.filter((section) => section.reversed).map(({ axis }) => axis);
  const forwards =
    reversed.length === 0
      ? dy
      : g.slice(
          dy,
          reversed.map(() => -1),
          reversed.map(() => Number.MIN_SAFE_INTEGER),
          reversed,
          reversed.map(() => -1),
        );
  const spread = sections.reduce((value, section) => insertZeros(g, value, section), forwards);
  return [padToSize(g, spread, rankOf(x), sections)];
};

/** The sections along all axes that are cut, or undefined where a size or a parameter is not known. */
function knownSections(context: GradientContext): readonly Section[] | undefined {
  const [starts, ends] = [numbers(context, 1), numbers(context, 2)];
  if (!starts || !ends) return undefined;
  const shape = shapeOf(context.input(0));
  const axes = context.inputs[3] ? numbers(context, 3) : starts.map((_, axis) => axis);
  const steps = context.inputs[4] ? numbers(context, 4) : starts.map(() => 1);
  if (!axes || !steps) return undefined;
  const sections: Section[] = [];
  for (const [index, relative] of axes.entries()) {
    const axis = frontAxis(relative, shape.length);
    const size = shape[axis];
    // Zeros go between entries by a reshape, which needs the sizes behind the axis.
    const behindKnown = Math.abs(steps[index]!) === 1 || isStatic(shape.slice(axis + 1));
    if (typeof size !== "number" || !behindKnown) return undefined;
    const section = sectionOf(axis, size, starts[index]!, ends[index]!, steps[index]!);
    if (section.count === 0) return undefined;
    if (section.count !== size || section.reversed) sections.push(section);
  }
  return sections;
}

/** As in ONNX's Slice: negative positions count from the end, and positions beyond are clamped. */
function sectionOf(axis: number, size: number, start: number, end: number, step: number): Section {
  const clamp = (position: number, low: number, high: number): number => {
    const front = position < 0 ? position + size : position;
    return Math.min(Math.max(front, low), high);
  };
  if (step > 0) {
    const first = clamp(start, 0, size);
    const count = Math.max(0, Math.ceil((clamp(end, 0, size) - first) / step));
    return { axis, size, first, count, step, reversed: false };
  }
  const last = clamp(start, 0, size - 1);
  const count = Math.max(0, Math.ceil((last - clamp(end, -1, size - 1)) / -step));
  return { axis, size, first: last + (count - 1) * step, count, step: -step, reversed: true };
}

/** Along a section's axis, step − 1 zeros behind every entry: [count] → [count·step]. */
function insertZeros(g: Builder, gradient: Value, { axis, count, step }: Section): Value {
  if (step === 1) return gradient;
  const apart = g.unsqueeze(gradient, [axis + 1]);
  const pads = new Array<number>(2 * rankOf(apart)).fill(0);
  pads[rankOf(apart) + axis + 1] = step - 1;
  const front = shapeOf(gradient)
    .slice(0, axis)
    .map(() => 0);
  const behind = shapeOf(gradient).slice(axis + 1) as number[];
  return g.reshape(g.pad(apart, pads), [...front, count * step, ...behind]);
}

function padToSize(g: Builder, gradient: Value, rank: number, sections: readonly Section[]): Value {
  if (sections.length === 0) return gradient;
  const pads = new Array<number>(2 * rank).fill(0);
  for (const { axis, size, first, count, step } of sections) {
    pads[axis] = first;
    pads[rank + axis] = size - first - count * step;
  }
  return g.pad(gradient, pads);
}

const pad: GradientRule = (context) => {
  const { g, needed, node } = context;
  const dy = context.outputGradients[0]!;
  const mode = attributeOf(node, "mode", "string", "constant");
  if (mode !== "constant") return [copyingPad(context, dy)];
  const opposite = g.op("Pad", [dy, g.neg(context.input(1)), undefined, context.inputs[3]]);
  const all = (value: Value): Value => g.op("ReduceSum", [value], { keepdims: 0 });
  return [opposite, undefined, needed[2] ? reshapeLike(g, g.sub(all(dy), all(opposite)), context.input(2)) : undefined];
};

/** Reflect, edge and wrap: a copy goes back to where it came from, axis by axis where sizes are known. */
function copyingPad(context: GradientContext, dy: Value): Value {
  const { g } = context;
  const mode = attributeOf(context.node, "mode", "string", "constant");
  const x = context.input(0);
  const shape = shapeOf(x);
  const pads = numbers(context, 1);
  const axes = context.inputs[3] ? numbers(context, 3) : shape.map((_, axis) => axis);
  const padded = axes?.flatMap((relative, index) => {
    const begin = pads?.[index] ?? 0;
    const end = pads?.[axes.length + index] ?? 0;
    return begin === 0 && end === 0 ? [] : [{ axis: frontAxis(relative, shape.length), begin, end }];
  });
  if (!pads || !padded?.every(({ axis }) => typeof shape[axis] === "number")) {
    const parameters = context.inputs.slice(1);
    return scatterToOrigins(g, x, dy, (positions) =>
      g.op("Pad", [positions, parameters[0], undefined, parameters[2]], { mode }),
    );
  }
  return padded.reduce(
    (value, { axis, begin, end }) => applyAdjoint(g, value, axis, paddingMap(mode, shape[axis] as number, begin, end)),
    dy,
  );
}

function paddingMap(mode: string, size: number, begin: number, end: number): AxisMap {
  const rows = Array.from({ length: begin + size + end }, (_, output) => [
    { input: sourceOf(mode, output - begin, size), weight: 1 },
  ]);
  return { inputSize: size, rows };
}

/** Where padding copies from; `position` lies before 0 or from `size` on in the padding. */
function sourceOf(mode: string, position: number, size: number): number {
  if (mode === "edge") return Math.min(Math.max(position, 0), size - 1);
  if (mode === "wrap") return ((position % size) + size) % size;
  const period = Math.max(2 * (size - 1), 1);
  const folded = ((position % period) + period) % period;
  return folded < size ? folded : period - folded;
}

/** The indices lie flat along the gathered axis, and ScatterElements adds up what comes to the same place. */
const gather: GradientRule = (context) => {
  const { g, node } = context;
  const [x, indices, dy] = [context.input(0), context.input(1), context.outputGradients[0]!];
  const rank = rankOf(x);
  const axis = frontAxis(attributeOf(node, "axis", "int", 0), rank);
  const single = singleIndex(context, axis);
  if (single !== undefined) {
    const pads = new Array<number>(2 * rank).fill(0);
    pads[axis] = single;
    pads[rank + axis] = (shapeOf(x)[axis] as number) - 1 - single;
    return [g.pad(rankOf(indices) === 0 ? g.unsqueeze(dy, [axis]) : dy, pads)];
  }
  const indexRank = rankOf(indices);
  const behind = rank - 1 - axis;
  const lined = indexRank === 1 ? dy : g.reshape(dy, linedUpShape(g, dy, axis, indexRank));
  const column = g.reshape(indices, [-1, ...new Array<number>(behind).fill(1)]);
  const everywhere = g.expand(column, g.shapeOf(lined));
  return [g.op("ScatterElements", [zerosLike(g, x), everywhere, lined], { axis, reduction: "add" })];
};

/** dy's shape with the indices' axes made one. */
function linedUpShape(g: Builder, dy: Value, axis: number, indexRank: number): Value {
  const shape = shapeOf(dy);
  const front = shape.slice(0, axis).map(() => 0);
  const behind = shape.slice(axis + indexRank);
  if (isStatic(behind)) return g.int64s([...front, -1, ...behind]);
  return g.concat([g.int64s([...front, -1]), g.op("Shape", [dy], { start: axis + indexRank })], 0);
}

/** The one constant index of a Gather along an axis of known size, counted from the front. */
function singleIndex(context: GradientContext, axis: number): number | undefined {
  const indices = numbers(context, 1);
  const size = shapeOf(context.input(0))[axis];
  if (indices?.length !== 1 || rankOf(context.input(1)) > 1 || typeof size !== "number") return undefined;
  return frontAxis(indices[0]!, size);
}

const gatherElements: GradientRule = (context) => {
  const { g, node } = context;
  const axis = attributeOf(node, "axis", "int", 0);
  const inputs = [zerosLike(g, context.input(0)), context.input(1), context.outputGradients[0]];
  return [g.op("ScatterElements", inputs, { axis, reduction: "add" })];
};

const gatherND: GradientRule = (context) => {
  const { g, node } = context;
  const batch = { batch_dims: attributeOf(node, "batch_dims", "int", 0) };
  return [
    scatterToOrigins(g, context.input(0), context.outputGradients[0]!, (positions) =>
      g.op("GatherND", [positions, context.input(1)], batch),
    ),
  ];
};

/** What was overwritten gets no gradient; with reduction "add" everything gets it. */
const scatterElements: GradientRule = (context) => {
  const { g, needed, node } = context;
  const [indices, dy] = [context.input(1), context.outputGradients[0]!];
  const axis = attributeOf(node, "axis", "int", 0);
  const kept = (): Value =>
    adds(context) ? dy : g.op("ScatterElements", [dy, indices, zerosLike(g, context.input(2))], { axis });
  return [
    needed[0] ? kept() : undefined,
    undefined,
    needed[2] ? g.op("GatherElements", [dy, indices], { axis }) : undefined,
  ];
};

const scatterND: GradientRule = (context) => {
  const { g, needed } = context;
  const [indices, dy] = [context.input(1), context.outputGradients[0]!];
  const kept = (): Value => (adds(context) ? dy : g.op("ScatterND", [dy, indices, zerosLike(g, context.input(2))]));
  return [needed[0] ? kept() : undefined, undefined, needed[2] ? g.op("GatherND", [dy, indices]) : undefined];
};

function adds(context: GradientContext): boolean {
  const reduction = attributeOf(context.node, "reduction", "string", "none");
  if (reduction === "add") return true;
  if (reduction === "none") return false;
  throw context.fail("this reduction has no gradient", { expected: "none or add", received: reduction });
}

const trilu: GradientRule = ({ g, node, inputs, outputGradients }) => [
  g.op("Trilu", [outputGradients[0], inputs[1]], { upper: attributeOf(node, "upper", "int", 1) }),
];

const reverseSequence: GradientRule = ({ g, node, inputs, outputGradients }) => [
  g.op("ReverseSequence", [outputGradients[0], inputs[1]], node.attributes),
];

/** The values go back to where they were taken from. */
const topK: GradientRule = (context) => {
  const { g, node } = context;
  const axis = attributeOf(node, "axis", "int", -1);
  const inputs = [zerosLike(g, context.input(0)), context.output(1), context.outputGradients[0]];
  return [g.op("ScatterElements", inputs, { axis })];
};

export const indexingGradients: GradientTable = {
  Slice: slice,
  Pad: pad,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  Trilu: trilu,
  ReverseSequence: reverseSequence,
  TopK: topK,
};

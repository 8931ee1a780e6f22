import { elementCount, type GraphBuilder, type Value } from "@dovetail/graph";
import type { ObservedRange, ObservedStatistic } from "./network.js";

/** The statistic of a value in the batch: of all entries, rank 0, or of each channel along `axis`. */
export function batchStatistic(
  g: GraphBuilder,
  x: Value,
  { statistic, axis }: Pick<ObservedRange, "statistic" | "axis">,
): Value {
  return statistics[statistic](g, x, axis);
}

type Statistic = (g: GraphBuilder, x: Value, axis: number | undefined) => Value;

const statistics: Readonly<Record<ObservedStatistic, Statistic>> = {
  magnitude: (g, x, axis) => g.max(extreme(g, x, "ReduceMax", axis), g.neg(extreme(g, x, "ReduceMin", axis))),
  min: (g, x, axis) => extreme(g, x, "ReduceMin", axis),
  max: (g, x, axis) => extreme(g, x, "ReduceMax", axis),
  sampleMin: (g, x, axis) => meanOfSamples(g, x, "ReduceMin", axis),
  sampleMax: (g, x, axis) => meanOfSamples(g, x, "ReduceMax", axis),
  mean: (g, x, axis) => g.reduceMean(x, axesBut(x, axis)),
  rangeDeviation,
};

const axesBut = (x: Value, ...kept: (number | undefined)[]): number[] =>
  x.type.shape!.flatMap((_, axis) => (kept.includes(axis) ? [] : [axis]));

function extreme(g: GraphBuilder, x: Value, operator: string, axis: number | undefined): Value {
  const axes = axis === undefined ? [] : [g.int64s(axesBut(x, axis))];
  return g.op(operator, [x, ...axes], { keepdims: 0 });
}

function meanOfSamples(g: GraphBuilder, x: Value, operator: string, axis: number | undefined): Value {
  const ofSamples = g.op(operator, [x, g.int64s(axesBut(x, 0, axis))], { keepdims: 0 });
  return g.reduceMean(ofSamples, [0]);
}

const parts = 16;

/** In the published code's order: a channel's entries by sample and place, cut into 16 parts (the most that divide them). */
function rangeDeviation(g: GraphBuilder, x: Value, axis: number | undefined): Value {
  const shape = x.type.shape as readonly number[];
  const others = axesBut(x, axis);
  const groups = axis === undefined ? 1 : shape[axis]!;
  const length = elementCount(shape) / groups;
  const count = [parts, 8, 4, 2, 1].find((divisor) => length % divisor === 0)!;
  const ordered = axis === undefined ? x : g.transpose(x, [axis, ...others]);
  const cut = g.reshape(ordered, [groups, count, length / count]);
  const last = [g.int64s([2])];
  const ranges = g.sub(
    g.op("ReduceMax", [cut, ...last], { keepdims: 0 }),
    g.op("ReduceMin", [cut, ...last], { keepdims: 0 }),
  );
  const factor =
    (0.175 * (1 + Math.sqrt(Math.PI * Math.log(4)))) / Math.sqrt(2 * Math.log(Math.max(length / count, 2)));
  const deviation = g.mul(g.reduceMean(ranges, [1]), factor);
  return axis === undefined ? g.reshape(deviation, []) : deviation;
}

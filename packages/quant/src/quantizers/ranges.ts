import type { GraphBuilder, Value } from "@dovetail/graph";
import type { MinMax } from "./affine.js";

/** Smallest and largest value: of the tensor (rank 0), or of each channel along `axis` (all other sizes 1). */
export function minMaxOf(g: GraphBuilder, x: Value, options: { readonly axis?: number | undefined } = {}): MinMax {
  if (options.axis === undefined) return extremes(g, x, undefined, 0);
  const axes = x.type.shape!.flatMap((_, axis) => (axis === options.axis ? [] : [axis]));
  return extremes(g, x, axes, 1);
}

/** Means over the samples (axis 0) of each sample's smallest and largest value, rank 0: the range of the original SBM. */
export function meanSampleMinMax(g: GraphBuilder, x: Value): MinMax {
  const axes = x.type.shape!.slice(1).map((_, axis) => axis + 1);
  const { min, max } = extremes(g, x, axes, 0);
  return { min: g.reduceMean(min, [0]), max: g.reduceMean(max, [0]) };
}

function extremes(g: GraphBuilder, x: Value, axes: readonly number[] | undefined, keepdims: 0 | 1): MinMax {
  const inputs = axes ? [x, g.int64s(axes)] : [x];
  return { min: g.op("ReduceMin", inputs, { keepdims }), max: g.op("ReduceMax", inputs, { keepdims }) };
}

import type { GraphBuilder, Value } from "@dovetail/graph";
import { unsignedLevels } from "./arithmetic.js";
import { heldBits, isQuantizing, isWithin } from "./precision.js";

// Affine quantization between a smallest and a largest value, as in FracTrain, InstantNet and Double-Win-Quant.

/** Ends of a quantizer, of a shape that broadcasts over the tensor: rank 0, or 1 everywhere but on the channel's axis. */
export interface MinMax {
  readonly min: Value;
  readonly max: Value;
}

export interface AffineOptions extends MinMax {
  /** Rank 0. 1 … 16; everything else leaves the tensor as it is. */
  readonly bits: Value;
  /** Added to the code before rounding, of the tensor's shape: uniform in ±½ makes the rounding stochastic (`uniformNoise`). */
  readonly noise?: Value | undefined;
  /** Moves the grid by less than a step, and widens it where it must, so that zero is on it: ONNX's zero point. */
  readonly exactZero?: boolean | undefined;
  /** 1 everywhere by default, also outside the range; `clipped` gives 0 outside. */
  readonly gradient?: "straightThrough" | "clipped" | undefined;
}

/** Below this a step counts as this. A constant tensor is reproduced: its code is 0, which stands for `min`. */
const smallestStep = 1e-8;

/**
 * Step s = max((max − min) / (2^bits − 1), 1e-8), code = round(clip((x − min)/s + noise, 0, 2^bits − 1)), half to even;
 * the result is code · s + min. With `exactZero` min is moved to −z·s, z = round(−min/s). The range gets no gradient.
 */
export function quantizeAffine(g: GraphBuilder, x: Value, options: AffineOptions): Value {
  const levels = unsignedLevels(g, heldBits(g, options.bits, 1));
  const grid = options.exactZero ? gridThroughZero(g, options, levels) : gridFromMin(g, options, levels);
  const isQuantized = isQuantizing(g, options.bits);
  const quantize = (value: Value): Value => {
    const operands = [value, grid.min, grid.step, levels, isQuantized, options.noise];
    return g.ownNode("AffineQuantization", operands)[0]!;
  };
  if (options.gradient !== "clipped") return g.straightThrough(x, quantize);
  return g.where(isQuantized, clippedStraightThrough(g, x, grid, quantize), x);
}

/** `quantize(x)`, whose gradient is 1 from `min` to `max` and 0 outside. The ends get none. */
export function clippedStraightThrough(
  g: GraphBuilder,
  x: Value,
  { min, max }: MinMax,
  quantize: (x: Value) => Value,
): Value {
  return g.customGradient(
    [x, min, max],
    ([value]) => [quantize(value!)],
    ([gradient], context) => {
      const [value, low, high] = context.inputs as readonly [Value, Value, Value];
      const inside = isWithin(context.g, value, low, high);
      return [gradient && context.g.where(inside, gradient, 0), undefined, undefined];
    },
  )[0]!;
}

interface Grid extends MinMax {
  readonly step: Value;
}

function gridFromMin(g: GraphBuilder, { min, max }: MinMax, levels: Value): Grid {
  return { min, max, step: g.max(g.div(g.sub(max, min), levels), smallestStep) };
}

function gridThroughZero(g: GraphBuilder, { min, max }: MinMax, levels: Value): Grid {
  const low = g.min(min, 0);
  const step = g.max(g.div(g.sub(g.max(max, 0), low), levels), smallestStep);
  const zeroPoint = g.clip(g.round(g.neg(g.div(low, step))), 0, levels);
  return { min: g.neg(g.mul(zeroPoint, step)), max: g.mul(g.sub(levels, zeroPoint), step), step };
}

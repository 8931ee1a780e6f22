import type { GraphBuilder, Value } from "@dovetail/graph";
import { unsignedLevels } from "./arithmetic.js";
import { heldBits, isWithin, unlessFullPrecision } from "./precision.js";

// Parameterized clipping activation (Choi et al. 2018).

/** α starts here, and the loss gets `pactPenalty` · Σ α² (the authors' code). */
export const pactStart = 10;
export const pactPenalty = 2e-4;

export interface PactOptions {
  /** Rank 0: 1 … 16; everything else clips without rounding. */
  readonly bits: Value;
  /**
   * α's gradient: `clipped`, from the values at α and above alone (the paper); `everywhere`, also (ŷ − x)/α from those
   * inside, as in LSQ (additive powers of two, Li et al. 2020).
   */
  readonly alphaGradient?: "clipped" | "everywhere" | undefined;
}

/** Smaller (and negative) α count as this. */
const smallestAlpha = 1e-8;

/**
 * Takes ReLU's place: y = clip(x, 0, α), ŷ = round(y · (2^bits − 1)/α) · α/(2^bits − 1), with a trainable α of rank 0.
 * The gradient to x is 1 on [0, α] and 0 outside.
 */
export function quantizePact(g: GraphBuilder, x: Value, alpha: Value, options: PactOptions): Value {
  return g.customGradient(
    [x, alpha, options.bits],
    ([value, bound, bits]) => {
      const high = g.max(bound!, smallestAlpha);
      const clipped = g.clip(value!, 0, high);
      const levels = unsignedLevels(g, heldBits(g, bits!, 1));
      const rounded = g.mul(g.round(g.mul(clipped, g.div(levels, high))), g.div(high, levels));
      return [unlessFullPrecision(g, bits!, clipped, rounded)];
    },
    ([gradient], context) => {
      if (!gradient) return [];
      const [value, bound] = context.inputs as readonly [Value, Value];
      const b = context.g;
      const high = b.max(bound, smallestAlpha);
      const inside = isWithin(b, value, b.scalar(0), high);
      const above = b.where(b.greaterOrEqual(value, high), gradient, 0);
      const ofError = (): Value => b.mul(gradient, b.div(b.sub(context.outputs[0]!, value), high));
      const within = b.and(inside, b.less(value, high));
      const share = options.alphaGradient === "everywhere" ? b.where(within, ofError(), above) : above;
      return [b.where(inside, gradient, 0), b.op("ReduceSum", [share], { keepdims: 0 }), undefined];
    },
  )[0]!;
}

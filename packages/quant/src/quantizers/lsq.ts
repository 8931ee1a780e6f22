import { inputError } from "@dovetail/core";
import { elementCount, type GraphBuilder, isStatic, type Value } from "@dovetail/graph";
import { signedLevels, unsignedLevels } from "./arithmetic.js";
import { heldBits, isWithin, unlessFullPrecision } from "./precision.js";

// Learned step size quantization (Esser et al. 2020).

export interface LsqOptions {
  /** Rank 0: 1 … 16 (signed: from 2, and 1 is taken as 2); everything else leaves the tensor as it is. */
  readonly bits: Value;
  /** Decides how many values share the step in the step's gradient: a weight's all, an activation's of one sample (axis 0). */
  readonly kind: "weight" | "activation";
  /** Codes −2^(bits − 1) … 2^(bits − 1) − 1 when true, 0 … 2^bits − 1 when false. Weights: true. */
  readonly signed: boolean;
  /** Signed codes from −(2^(bits − 1) − 1). */
  readonly symmetric?: boolean | undefined;
  /** Axis of the channels that have a step each; then the step has shape [channels], else rank 0. */
  readonly axis?: number | undefined;
}

/** Smaller (and negative) steps count as this. */
const smallestStep = 1e-8;

/**
 * s · round(clip(v/s, −Q_N, Q_P)) with a trainable step s. The gradient to v is 1 where −Q_N ≤ v/s ≤ Q_P, else 0;
 * that to s is round(v/s) − v/s inside, −Q_N below and Q_P above, summed and times 1/√(N · Q_P), N the number of
 * values that share the step (per channel: the channel's). Throws when the sizes that N depends on are not known.
 */
export function quantizeLsq(g: GraphBuilder, v: Value, step: Value, options: LsqOptions): Value {
  const sharing = valuesPerStep(v, options);
  const broadcast = (builder: GraphBuilder, s: Value): Value => {
    const floored = builder.max(s, smallestStep);
    return options.axis === undefined ? floored : builder.reshape(floored, channelShape(v, options.axis));
  };
  const quantized = g.customGradient(
    [v, step, options.bits],
    ([value, s, bits]) => {
      const { lowest, highest } = codesOf(g, bits!, options);
      const scale = broadcast(g, s!);
      return [g.mul(g.round(g.clip(g.div(value!, scale), lowest, highest)), scale)];
    },
    ([gradient], context) => {
      if (!gradient) return [];
      const [value, s, bits] = context.inputs as readonly [Value, Value, Value];
      const b = context.g;
      const { lowest, highest } = codesOf(b, bits, options);
      const ratio = b.div(value, broadcast(b, s));
      const inside = isWithin(b, ratio, lowest, highest);
      const slope = b.where(inside, b.sub(b.round(ratio), ratio), b.clip(ratio, lowest, highest));
      const damping = b.reciprocal(b.sqrt(b.mul(highest, sharing)));
      const total = b.reduceSum(b.mul(gradient, slope), axesWithout(v, options.axis));
      return [b.where(inside, gradient, 0), b.mul(total, damping), undefined];
    },
  )[0]!;
  return unlessFullPrecision(g, options.bits, v, quantized);
}

/** The step to start from, 2 · mean|v| / √Q_P: of a weight, or of an activation in its first batch. Shape as the step's. */
export function initialLsqStep(g: GraphBuilder, v: Value, options: Omit<LsqOptions, "kind">): Value {
  const mean = g.reduceMean(g.abs(v), axesWithout(v, options.axis));
  return g.div(g.mul(mean, 2), g.sqrt(codesOf(g, options.bits, options).highest));
}

/** −Q_N and Q_P. */
function codesOf(
  g: GraphBuilder,
  bits: Value,
  { signed, symmetric }: Pick<LsqOptions, "signed" | "symmetric">,
): { readonly lowest: Value; readonly highest: Value } {
  const held = heldBits(g, bits, signed ? 2 : 1);
  if (!signed) return { lowest: g.scalar(0), highest: unsignedLevels(g, held) };
  const highest = signedLevels(g, held);
  return { lowest: g.neg(symmetric ? highest : g.add(highest, 1)), highest };
}

function valuesPerStep(v: Value, { kind, axis }: LsqOptions): number {
  const axes = axesWithout(v, axis).filter((place) => kind === "weight" || place > 0);
  const sizes = axes.map((place) => v.type.shape![place]!);
  if (isStatic(sizes)) return elementCount(sizes);
  throw inputError("unknown_size", `LSQ of "${v.name}": the sizes that a step's gradient is scaled by must be known`, {
    expected: "numbers",
    received: `[${v.type.shape!.join(",")}]`,
  });
}

function axesWithout(v: Value, axis: number | undefined): number[] {
  return v.type.shape!.flatMap((_, place) => (place === axis ? [] : [place]));
}

function channelShape(v: Value, axis: number): number[] {
  return v.type.shape!.map((_, place) => (place === axis ? -1 : 1));
}

import { inputError } from "@dovetail/core";
import type { GraphBuilder, Value } from "@dovetail/graph";
import type { ParameterOptions } from "@dovetail/models";

// Weights of shift layers, W = s · 2^p with s in {−1, 0, 1}, computed from parameters in float32.

export interface ShiftOptions {
  /**
   * - `exponentAndSign`: DeepShift-PS (Elhoushi et al. 2021) as ShiftAddNet uses it: exponent and sign are learnt
   * - `latent`: DeepShift-Q: a weight is learnt, its magnitude rounded to the nearest exponent
   * - `fixed`: ShiftAddNet's fixed shift: exponents −7…0 and signs as drawn, frozen
   *
   * The first by default.
   */
  readonly form?: "exponentAndSign" | "latent" | "fixed" | undefined;
  /** Bits b of a weight, 5 by default: exponents −(2^(b−1) − 2)…0; of `latent` weights one more, −(2^(b−1) − 1)…0. */
  readonly bits?: number | undefined;
  /** Gradient of the sign: that of the weight as in the published code (default), or its product with 2^p, the exact chain. */
  readonly signGradient?: "ofWeight" | "chain" | undefined;
  /** Exponents of `fixed`: normal around −3.5 (default), or uniform over −7…−1 (published for first and last layer). */
  readonly fixedStart?: "normal" | "uniform" | undefined;
}

/** A parameter that weights are computed from; its name is the weight's and this one's, joined by a colon. */
export interface ShiftParameter extends ParameterOptions {
  readonly suffix: "exponent" | "sign" | "latent";
}

const smallestFixedExponent = -7;

/** Smallest exponent of the weights; the largest is 0. Throws `shift_bits` for fewer than 2 or more than 8 bits. */
export function smallestShiftExponent({ form = "exponentAndSign", bits = 5 }: ShiftOptions): number {
  if (!Number.isInteger(bits) || bits < 2 || bits > 8) {
    throw inputError("shift_bits", "no weights of shift layers of this width", {
      expected: "2 to 8 bits",
      received: `${bits}`,
    });
  }
  if (form === "fixed") return smallestFixedExponent;
  return form === "latent" ? 1 - 2 ** (bits - 1) : 2 - 2 ** (bits - 1);
}

/** Bits that tell all weights apart, zero among them: one more than the nominal five of `latent` weights. */
export function shiftBitWidth(options: ShiftOptions): number {
  const exponents = 1 - smallestShiftExponent(options);
  return Math.ceil(Math.log2(2 * exponents + 1));
}

/** What a weight of a shape is computed from. Exponents and signs have no weight decay. */
export function shiftParameters(options: ShiftOptions): readonly ShiftParameter[] {
  const { form = "exponentAndSign", fixedStart = "normal" } = options;
  const smallest = smallestShiftExponent(options);
  if (form === "latent") {
    const initialization = { kind: "kaimingUniform", negativeSlope: Math.sqrt(5) } as const;
    return [{ suffix: "latent", role: "weight", initialization, bounds: [-1, 1] }];
  }
  const trainable = form !== "fixed";
  const all = { trainable, decay: false };
  const overAll = { kind: "uniform", bound: -smallest / 2, mean: smallest / 2 } as const;
  // Frozen ones as published: from half a step below the smallest to half a step below 0, which none of them rounds to.
  const frozen =
    fixedStart === "uniform"
      ? ({ kind: "uniform", bound: -smallest / 2, mean: (smallest - 1) / 2 } as const)
      : ({ kind: "normal", mean: smallest / 2, standardDeviation: 1 } as const);
  return [
    {
      ...all,
      suffix: "exponent",
      role: "exponent",
      initialization: trainable ? overAll : frozen,
      bounds: [smallest, 0],
    },
    { ...all, suffix: "sign", role: "sign", initialization: { kind: "uniform", bound: 1 } },
  ];
}

/**
 * Adds the weight, named `output`, computed from the values of `shiftParameters`, and annotates it. Rounding is half to
 * even and, like the clamp of the exponent, passes the gradient G of the weight W straight through:
 * ∂p = G · W · ln 2, ∂s = G or G · 2^p; of a latent weight ∂ = G.
 */
export function shiftWeight(
  g: GraphBuilder,
  parameters: readonly Value[],
  options: ShiftOptions & { readonly output?: string | undefined },
): Value {
  const { form = "exponentAndSign", output } = options;
  const smallest = smallestShiftExponent(options);
  const named = output === undefined ? {} : { outputs: [output] };
  const weight =
    form === "latent"
      ? g.straightThrough(parameters[0]!, (w) => {
          const magnitude = g.clip(g.abs(w), 2 ** smallest, 1);
          const exponent = g.round(g.div(g.log(magnitude), Math.LN2));
          return g.op("Mul", [g.sign(w), g.pow(2, exponent)], {}, named);
        })
      : fromExponentAndSign(g, parameters, { ...options, smallest, named });
  g.annotate(weight, { powerOfTwo: true, bitWidth: shiftBitWidth(options) });
  return weight;
}

function fromExponentAndSign(
  g: GraphBuilder,
  parameters: readonly Value[],
  options: ShiftOptions & { readonly smallest: number; readonly named: { readonly outputs?: readonly string[] } },
): Value {
  const { smallest, named, signGradient = "ofWeight" } = options;
  const power = (b: GraphBuilder, p: Value): Value => b.pow(2, b.round(b.clip(p, smallest, 0)));
  const unit = (b: GraphBuilder, s: Value): Value => b.sign(b.round(s));
  return g.customGradient(
    parameters,
    ([p, s]) => [g.op("Mul", [power(g, p!), unit(g, s!)], {}, named)],
    ([gradient], { g: b, inputs: [p, s] }) => {
      if (!gradient) return [];
      const scaled = b.mul(gradient, power(b, p!));
      const ofExponent = b.mul(b.mul(scaled, unit(b, s!)), Math.LN2);
      return [ofExponent, signGradient === "chain" ? scaled : gradient];
    },
  )[0]!;
}

import { elementCount, type GraphBuilder, tensor, type Value } from "@dovetail/graph";
import { heldBits, isWithin, unlessFullPrecision } from "./precision.js";

// Additive powers of two (Li et al. 2020): magnitudes are sums of a few powers of two, dense near zero as weights are.

/** Bits for which the publication has levels: a sign, and one to four bits of magnitude. */
const narrowest = 2;
const widest = 5;

/** α starts here: of weights (of deviation 1), and of activations. */
export const apotWeightStart = 3;
export const apotActivationStart = 8;

/**
 * The magnitudes of a code with so many bits, ascending, from 0 to 1: sums of one value of each term. A term of two bits has 0
 * and three powers of two, the last term of an odd number of bits 0 and one; the powers go round the terms.
 */
export function apotLevels(magnitudeBits: number): readonly number[] {
  const terms = Math.floor(magnitudeBits / 2);
  const isOdd = magnitudeBits % 2 === 1;
  const powers: number[][] = Array.from({ length: terms }, () => [0]);
  let exponent = 0;
  const next = (): number => 2 ** --exponent;
  const single = [0];
  for (let round = 0; round < 3; round++) {
    if (isOdd && round === Math.min(2, 3 * terms)) single.push(next());
    for (const term of powers) term.push(next());
  }
  const sums = [...powers, ...(isOdd ? [single] : [])].reduce<readonly number[]>(
    (values, term) => values.flatMap((value) => term.map((power) => value + power)),
    [0],
  );
  const largest = Math.max(...sums);
  return sums.map((value) => value / largest).sort((a, b) => a - b);
}

/**
 * The weight, brought to mean 0 and deviation 1 (constants for the gradient), clipped at ±α, its magnitude over α taken to
 * the nearest level. α has rank 0. Gradients: 1 over the deviation inside, 0 outside; to α the sign outside, x̂ − x inside.
 * 2 to 5 bits (up to 16 count as 5); others leave the weight as it is.
 */
export function quantizeApotWeight(
  g: GraphBuilder,
  weight: Value,
  alpha: Value,
  options: { readonly bits: Value },
): Value {
  const shape = weight.type.shape as readonly number[];
  const mean = g.stopGradient(g.op("ReduceMean", [weight], { keepdims: 0 }));
  const squares = g.op("ReduceSumSquare", [g.sub(weight, mean)], { keepdims: 0 });
  const deviation = g.stopGradient(g.sqrt(g.div(squares, Math.max(elementCount(shape) - 1, 1))));
  const normalized = g.div(g.sub(weight, mean), g.max(deviation, smallest));
  const ratioOf = (b: GraphBuilder, x: Value, clip: Value): Value => b.div(x, b.max(clip, smallest));
  const quantized = g.customGradient(
    [normalized, alpha, options.bits],
    ([x, clip, bits]) => {
      const ratio = ratioOf(g, x!, clip!);
      const nearest = nearestLevel(g, g.clip(g.abs(ratio), 0, 1), levelsAt(g, bits!), shape);
      return [g.mul(g.mul(g.sign(ratio), nearest), g.max(clip!, smallest))];
    },
    ([gradient], { g: b, inputs, outputs }) => {
      if (!gradient) return [];
      const [x, clip] = inputs as readonly [Value, Value];
      const ratio = ratioOf(b, x, clip);
      const inside = isWithin(b, ratio, b.scalar(-1), b.scalar(1));
      const slope = b.where(inside, b.sub(ratioOf(b, outputs[0]!, clip), ratio), b.sign(ratio));
      const toAlpha = b.op("ReduceSum", [b.mul(gradient, slope)], { keepdims: 0 });
      return [b.where(inside, gradient, 0), toAlpha, undefined];
    },
  )[0]!;
  return unlessFullPrecision(g, options.bits, weight, quantized);
}

const smallest = 1e-8;

/** The levels for these bits, filled up with the largest. */
function levelsAt(g: GraphBuilder, bits: Value): Value {
  const count = 2 ** (widest - 1);
  const rows = Array.from({ length: widest - narrowest + 1 }, (_, row) => {
    const levels = apotLevels(narrowest + row - 1);
    return Array.from({ length: count }, (_value, index) => levels[index] ?? 1);
  });
  const table = g.constant(tensor("float32", [rows.length, count], rows.flat()));
  const row = g.sub(g.clip(heldBits(g, bits, narrowest), narrowest, widest), narrowest);
  return g.gather(table, g.cast(row, "int64"));
}

function nearestLevel(g: GraphBuilder, magnitude: Value, levels: Value, shape: readonly number[]): Value {
  const distances = g.abs(g.sub(g.reshape(magnitude, [-1, 1]), levels));
  const nearest = g.op("ArgMin", [distances], { axis: 1, keepdims: 0 });
  return g.reshape(g.gather(levels, nearest), shape);
}

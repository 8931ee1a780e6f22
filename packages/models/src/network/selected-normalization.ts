import { attributeOf, float, type GraphBuilder, type Node, type Value } from "@dovetail/graph";

export interface SelectedNormalizationInputs {
  /** [N, C, …], zero in samples that are not active. */
  readonly x: Value;
  readonly scale: Value;
  readonly shift: Value;
  /** [N, 1]: 1 for samples that count, 0 for others. */
  readonly active: Value;
}

export interface SelectedNormalization {
  readonly y: Value;
  /** Over the active samples, [C]; both 0 where there is none. The variance is biased. */
  readonly mean: Value;
  readonly variance: Value;
  /** Number of active samples, rank 0. */
  readonly count: Value;
}

/**
 * Batch normalization in training form with the statistics of the active samples alone. What others give is not to be
 * used: their gradient must arrive as zero, and what their gradient becomes must be dropped.
 *
 * From the whole batch's mean m and variance v, with ρ = N / active samples: m' = ρ·m, v' = ρ·(v + m²) − m'². The
 * gradient is that of batch normalization with the count of the active samples.
 */
export function selectedNormalization(
  g: GraphBuilder,
  node: Node,
  { x, scale, shift, active }: SelectedNormalizationInputs,
): SelectedNormalization {
  const epsilon = float(attributeOf(node, "epsilon", "float", 1e-5));
  const samples = x.type.shape![0] as number;
  const count = g.reduceSum(active, [0, 1]);
  const [y, mean, variance] = g.customGradient(
    [x, scale, shift, g.div(samples, g.max(count, 1))],
    ([value, gain, offset, ratio]) => {
      const [, ofAll, varianceOfAll] = g.ownNode(
        "BatchNormalizationTraining",
        [value, gain, offset],
        { epsilon },
        { outputs: 3 },
      );
      const ofActive = g.mul(ofAll!, ratio!);
      const square = g.mul(g.add(varianceOfAll!, g.mul(ofAll!, ofAll!)), ratio!);
      const varianceOfActive = g.max(g.sub(square, g.mul(ofActive, ofActive)), 0);
      const normalized = g.op(
        "BatchNormalization",
        [value, gain, offset, ofActive, varianceOfActive],
        { epsilon },
        {
          name: node.name,
          outputs: [node.outputs[0]!],
        },
      );
      return [normalized, ofActive, varianceOfActive];
    },
    ([gradient], context) => {
      if (!gradient) return [];
      const inner = context.g;
      const [value, gain, , ratio] = context.inputs as readonly [Value, Value, Value, Value];
      const [, center, spread] = context.outputs as readonly [Value, Value, Value];
      const [throughAll, gainGradient, offsetGradient] = inner.ownNode(
        "BatchNormalizationGradient",
        [gradient, value, inner.mul(gain, ratio), center, spread],
        { epsilon },
        { outputs: 3 },
      );
      // dX of n active samples = ρ · (dX as if all counted) + (1 − ρ) · scale/deviation · dY.
      const zeros = inner.mul(center, 0);
      const direct = inner.op(
        "BatchNormalization",
        [gradient, inner.mul(gain, inner.sub(1, ratio)), zeros, zeros, spread],
        { epsilon },
      );
      return [inner.add(throughAll!, direct), gainGradient, offsetGradient, undefined];
    },
  );
  return { y: y!, mean: mean!, variance: variance!, count };
}

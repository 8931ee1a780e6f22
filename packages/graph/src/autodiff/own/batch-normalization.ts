import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import { type ExpansionContext, type OwnOperator, required } from "./own-operator.js";

/** All axes but the channels'. */
function statisticsAxes(x: Value): readonly number[] {
  return x.type.shape!.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

/** [C] → [C, 1, …], which broadcasts over [N, C, …]. */
function perChannel({ g }: ExpansionContext, vector: Value, x: Value): Value {
  const spatial = x.type.shape!.slice(2).map((_, axis) => axis + 1);
  return spatial.length === 0 ? vector : g.unsqueeze(vector, spatial);
}

/**
 * Batch normalization with the batch's own statistics.
 *
 * Inputs: X [N, C, …], scale [C], bias [C]. Outputs: Y like X, mean [C], variance [C] of the batch; the variance is
 * biased (divided by the count, not by count − 1). Attribute `epsilon` (float, 1e-5).
 * Running statistics are the caller's: nothing is written in place.
 */
export const batchNormalizationTraining: OwnOperator = {
  shape: (context) => {
    const x = context.input(0);
    const channels = context.shape(0)[1];
    if (channels === undefined) throw context.fail("X must have a batch and a channel axis");
    const statistics = { elementType: x.elementType, shape: [channels] };
    return [x, statistics, statistics];
  },
  expand: (context) => {
    const { node, g } = context;
    const x = required(context, 0);
    const axes = statisticsAxes(x);
    const mean = g.reduceMean(x, axes);
    const centred = g.sub(x, perChannel(context, mean, x));
    const variance = g.reduceMean(g.mul(centred, centred), axes);
    const y = g.op("BatchNormalization", [x, required(context, 1), required(context, 2), mean, variance], {
      epsilon: { kind: "float", value: attributeOf(node, "epsilon", "float", 1e-5) },
    });
    return [y, mean, variance];
  },
};

/**
 * Gradient of batch normalization with batch statistics, the statistics' dependence on X included.
 *
 * Inputs: dY and X [N, C, …], scale [C], mean [C] and variance [C] as BatchNormalizationTraining gives them.
 * Outputs: dX like X, dScale [C], dBias [C]. Attribute `epsilon` as in the forward node.
 */
export const batchNormalizationGradient: OwnOperator = {
  shape: (context) => [context.input(1), context.input(2), context.input(2)],
  expand: (context) => {
    const { node, g } = context;
    const outputGradient = required(context, 0);
    const x = required(context, 1);
    const axes = statisticsAxes(x);
    const epsilon = attributeOf(node, "epsilon", "float", 1e-5);
    const inverseDeviation = g.reciprocal(g.sqrt(g.add(required(context, 4), epsilon)));
    const normalized = g.mul(
      g.sub(x, perChannel(context, required(context, 3), x)),
      perChannel(context, inverseDeviation, x),
    );
    const biasGradient = g.reduceSum(outputGradient, axes);
    const scaleGradient = g.reduceSum(g.mul(outputGradient, normalized), axes);
    const count = valuesPerChannel(context, x);
    const centred = g.sub(
      g.sub(outputGradient, perChannel(context, g.div(biasGradient, count), x)),
      g.mul(normalized, perChannel(context, g.div(scaleGradient, count), x)),
    );
    const factor = g.mul(required(context, 2), inverseDeviation);
    return [g.mul(centred, perChannel(context, factor, x)), scaleGradient, biasGradient];
  },
};

function valuesPerChannel({ g }: ExpansionContext, x: Value): Value | number {
  const sizes = x.type.shape!.filter((_, axis) => axis !== 1);
  if (sizes.every((size) => typeof size === "number")) return sizes.reduce((product, size) => product * size, 1);
  const channels = g.op("ReduceProd", [g.op("Shape", [x], { start: 1, end: 2 })], { keepdims: 0 });
  return g.cast(g.op("Div", [g.op("Size", [x]), channels]), x.type.elementType);
}

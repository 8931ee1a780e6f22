import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import { tensorNumbers } from "../../ir/tensor.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { countAlong, expandLike, frontAxis, rankOf, reduceToShape, reshapeLike, shapeOf } from "../shapes.js";
import { floatAttribute } from "./elementwise.js";

type Builder = GradientContext["g"];

/** A value brought to mean 0 and variance 1 along some axes. */
interface Normalized {
  readonly value: Value;
  readonly inverseDeviation: Value;
  readonly axes: readonly number[];
}

function normalize(g: Builder, x: Value, axes: readonly number[], epsilon: number): Normalized {
  const centred = g.sub(x, g.reduceMean(x, axes, { keepDims: true }));
  const variance = g.reduceMean(g.mul(centred, centred), axes, { keepDims: true });
  const inverseDeviation = g.reciprocal(g.sqrt(g.add(variance, epsilon)));
  return { value: g.mul(centred, inverseDeviation), inverseDeviation, axes };
}

/** Gradient through the normalization, its mean and variance included. */
function throughNormalization(g: Builder, gradient: Value, { value, inverseDeviation, axes }: Normalized): Value {
  const mean = g.reduceMean(gradient, axes, { keepDims: true });
  const covariance = g.reduceMean(g.mul(gradient, value), axes, { keepDims: true });
  return g.mul(g.sub(g.sub(gradient, mean), g.mul(value, covariance)), inverseDeviation);
}

/** [C] → [C, 1, …], which broadcasts over [N, C, …]. */
function perChannel(g: Builder, vector: Value, x: Value): Value {
  const axes = Array.from({ length: rankOf(x) - 2 }, (_, axis) => axis + 1);
  return axes.length === 0 ? vector : g.unsqueeze(vector, axes);
}

/** Sum over all axes but the channels': [N, C, …] → [C]. */
function channelSums(g: Builder, x: Value): Value {
  return g.reduceSum(x, axesButChannels(x));
}

function axesButChannels(x: Value): readonly number[] {
  return shapeOf(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

function onlyFirstOutput(context: GradientContext, what: string): Value {
  if (context.outputGradients.slice(1).some((gradient) => gradient)) {
    throw context.fail(`no gradient flows through ${what}`, { hint: "compute them from the input instead" });
  }
  return context.outputGradients[0]!;
}

const layerNormalization: GradientRule = (context) => {
  const { g, needed, node } = context;
  const dy = onlyFirstOutput(context, "the mean and deviation outputs");
  const [x, scale] = [context.input(0), context.input(1)];
  const rank = rankOf(x);
  const first = frontAxis(attributeOf(node, "axis", "int", -1), rank);
  const axes = Array.from({ length: rank - first }, (_, axis) => first + axis);
  const normalized = normalize(g, x, axes, floatAttribute(context, "epsilon", 1e-5));
  return [
    needed[0] ? throughNormalization(g, g.mul(dy, scale), normalized) : undefined,
    needed[1] ? reduceToShape(g, g.mul(dy, normalized.value), scale) : undefined,
    needed[2] ? reduceToShape(g, dy, context.input(2)) : undefined,
  ];
};

/** x / √(mean x² + epsilon). */
const rmsNormalization: GradientRule = (context) => {
  const { g, needed, node } = context;
  const dy = context.outputGradients[0]!;
  const [x, scale] = [context.input(0), context.input(1)];
  const rank = rankOf(x);
  const first = frontAxis(attributeOf(node, "axis", "int", -1), rank);
  const axes = Array.from({ length: rank - first }, (_, axis) => first + axis);
  const mean = g.reduceMean(g.mul(x, x), axes, { keepDims: true });
  const inverse = g.reciprocal(g.sqrt(g.add(mean, floatAttribute(context, "epsilon", 1e-5))));
  const value = g.mul(x, inverse);
  const toX = (): Value => {
    const gradient = g.mul(dy, scale);
    const covariance = g.reduceMean(g.mul(gradient, value), axes, { keepDims: true });
    return g.mul(g.sub(gradient, g.mul(value, covariance)), inverse);
  };
  return [needed[0] ? toX() : undefined, needed[1] ? reduceToShape(g, g.mul(dy, value), scale) : undefined];
};

const instanceNormalization: GradientRule = (context) => {
  const { g, needed } = context;
  const dy = context.outputGradients[0]!;
  const [x, scale] = [context.input(0), context.input(1)];
  const axes = Array.from({ length: rankOf(x) - 2 }, (_, axis) => axis + 2);
  const normalized = normalize(g, x, axes, floatAttribute(context, "epsilon", 1e-5));
  return [
    needed[0] ? throughNormalization(g, g.mul(dy, perChannel(g, scale, x)), normalized) : undefined,
    needed[1] ? channelSums(g, g.mul(dy, normalized.value)) : undefined,
    needed[2] ? channelSums(g, dy) : undefined,
  ];
};

/** Scale and bias have one entry a group in operator sets before 21, one a channel since. */
const groupNormalization: GradientRule = (context) => {
  const { g, needed, node } = context;
  const dy = context.outputGradients[0]!;
  const [x, scale] = [context.input(0), context.input(1)];
  const groups = attributeOf(node, "num_groups", "int", 1);
  const channels = shapeOf(x)[1]!;
  if (typeof channels !== "number") throw context.fail("the number of channels must be known");
  const byGroup = g.opset < 21;
  const inGroups = (value: Value): Value => g.reshape(value, [0, groups, -1]);
  const normalized = normalize(g, inGroups(x), [2], floatAttribute(context, "epsilon", 1e-5));
  const channelScale = (): Value =>
    byGroup ? g.reshape(g.expand(g.unsqueeze(scale, [1]), g.int64s([groups, channels / groups])), [channels]) : scale;
  const toVector = (perPosition: Value): Value => {
    const sums = channelSums(g, perPosition);
    return byGroup ? g.reduceSum(g.reshape(sums, [groups, channels / groups]), [1]) : sums;
  };
  const toX = (): Value => {
    const gradient = inGroups(g.mul(dy, perChannel(g, channelScale(), x)));
    return reshapeLike(g, throughNormalization(g, gradient, normalized), x);
  };
  return [
    needed[0] ? toX() : undefined,
    needed[1] ? toVector(g.mul(dy, reshapeLike(g, normalized.value, x))) : undefined,
    needed[2] ? toVector(dy) : undefined,
  ];
};

const meanVarianceNormalization: GradientRule = (context) => {
  const axes = attributeOf(context.node, "axes", "ints", [0, 2, 3]);
  const normalized = normalize(context.g, context.input(0), axes, 1e-9);
  return [throughNormalization(context.g, context.outputGradients[0]!, normalized)];
};

/** y = x/‖x‖: dx = (dy − ∂‖x‖/∂x · Σ dy·y) / ‖x‖. */
const lpNormalization: GradientRule = (context) => {
  const { g, node } = context;
  const [x, y, dy] = [context.input(0), context.output(0), context.outputGradients[0]!];
  const axis = attributeOf(node, "axis", "int", -1);
  const euclidean = attributeOf(node, "p", "int", 2) === 2;
  const norm = g.op(euclidean ? "ReduceL2" : "ReduceL1", [x, g.int64s([axis])], { keepdims: 1 });
  const along = g.reduceSum(g.mul(dy, y), [axis], { keepDims: true });
  return [g.div(g.sub(dy, g.mul(euclidean ? y : g.sign(x), along)), norm)];
};

/** y = x·(bias + alpha·mean of x² over neighbouring channels)^−beta (Krizhevsky et al. 2012), by way of primitives. */
const localResponseNormalization: GradientRule = (context) => {
  const { g, node } = context;
  const size = attributeOf(node, "size", "int", 1);
  const before = Math.floor((size - 1) / 2);
  return context.through(([x]) => {
    const channels = shapeOf(x!)[1]!;
    if (typeof channels !== "number") throw context.fail("the number of channels must be known");
    // The window slides over channels: they become the height of an image.
    const squares = g.pad(g.reshape(g.mul(x!, x!), [0, 1, channels, -1]), [
      0,
      0,
      before,
      0,
      0,
      0,
      size - 1 - before,
      0,
    ]);
    const means = reshapeLike(g, g.averagePool(squares, [size, 1]), x!);
    const base = g.add(g.mul(means, floatAttribute(context, "alpha", 1e-4)), floatAttribute(context, "bias", 1));
    return [g.mul(x!, g.pow(base, -floatAttribute(context, "beta", 0.75)))];
  });
};

/** ONNX's operator, in both of its modes. */
const batchNormalization: GradientRule = (context) => {
  return attributeOf(context.node, "training_mode", "int", 0) === 1
    ? trainingBatchNormalization(context)
    : inferenceBatchNormalization(context);
};

function inferenceBatchNormalization(context: GradientContext): readonly (Value | undefined)[] {
  const { g, needed } = context;
  const dy = context.outputGradients[0]!;
  const [x, scale, , mean, variance] = [0, 1, 2, 3, 4].map((index) => context.input(index)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const inverse = g.reciprocal(g.sqrt(g.add(variance, floatAttribute(context, "epsilon", 1e-5))));
  const factor = g.mul(scale, inverse);
  const biasGradient = needed[2] || needed[3] ? channelSums(g, dy) : undefined;
  const scaleGradient =
    needed[1] || needed[4] ? g.mul(channelSums(g, g.mul(dy, g.sub(x, perChannel(g, mean, x)))), inverse) : undefined;
  // ∂y/∂variance = −½·scale·(x − mean)·inverse³.
  const toVariance = (): Value => g.mul(g.mul(scaleGradient!, -0.5), g.mul(factor, inverse));
  return [
    needed[0] ? g.mul(dy, perChannel(g, factor, x)) : undefined,
    needed[1] ? scaleGradient : undefined,
    biasGradient,
    needed[3] ? g.neg(g.mul(biasGradient!, factor)) : undefined,
    needed[4] ? toVariance() : undefined,
  ];
}

/**
 * Batch statistics are computed again from X: ONNX's operator puts out running ones only. These are
 * momentum·old + (1 − momentum)·batch, with the biased variance.
 */
function trainingBatchNormalization(context: GradientContext): readonly (Value | undefined)[] {
  const { g, needed } = context;
  const [dy, dMean, dVariance] = context.outputGradients;
  const momentum = floatAttribute(context, "momentum", 0.9);
  const x = context.input(0);
  const statistics = batchStatistics(g, x);
  const ofBatch = (gradient: Value | undefined): Value | undefined => gradient && g.mul(gradient, 1 - momentum);
  const gradients = batchGradients(context, dy, statistics, ofBatch(dMean), ofBatch(dVariance));
  return [
    ...gradients,
    needed[3] && dMean ? g.mul(dMean, momentum) : undefined,
    needed[4] && dVariance ? g.mul(dVariance, momentum) : undefined,
  ];
}

const ownBatchNormalization: GradientRule = (context) => {
  const [dy, dMean, dVariance] = context.outputGradients;
  const [, mean, variance] = context.outputs;
  const statistics = mean && variance ? { mean, variance } : batchStatistics(context.g, context.input(0));
  return batchGradients(context, dy, statistics, dMean, dVariance);
};

interface Statistics {
  readonly mean: Value;
  readonly variance: Value;
}

function batchStatistics(g: Builder, x: Value): Statistics {
  const axes = axesButChannels(x);
  const mean = g.reduceMean(x, axes);
  const centred = g.sub(x, perChannel(g, mean, x));
  return { mean, variance: g.reduceMean(g.mul(centred, centred), axes) };
}

/** Gradients to X, scale and bias: through the normalized output, and through the statistics where they are used. */
function batchGradients(
  context: GradientContext,
  dy: Value | undefined,
  { mean, variance }: Statistics,
  dMean: Value | undefined,
  dVariance: Value | undefined,
): readonly [Value | undefined, Value | undefined, Value | undefined] {
  const { g } = context;
  const [x, scale] = [context.input(0), context.input(1)];
  const epsilon = { kind: "float", value: floatAttribute(context, "epsilon", 1e-5) } as const;
  const [dX, dScale, dBias] = dy
    ? g.ownNode("BatchNormalizationGradient", [dy, x, scale, mean, variance], { epsilon }, { outputs: 3 })
    : [];
  const count = countAlong(g, x, axesButChannels(x));
  const terms = [dX];
  if (dMean) terms.push(expandLike(g, g.unsqueeze(perChannel(g, g.div(dMean, count), x), [0]), x));
  if (dVariance) {
    const share = perChannel(g, g.div(g.mul(dVariance, 2), count), x);
    terms.push(g.mul(g.sub(x, perChannel(g, mean, x)), share));
  }
  const present = terms.filter((term) => term !== undefined);
  return [present.length > 0 ? present.reduce((sum, term) => g.add(sum, term)) : undefined, dScale, dBias];
}

/** In training the mask says what was kept; else Dropout is the identity. */
const dropout: GradientRule = (context) => {
  const { g } = context;
  const dy = context.outputGradients[0]!;
  const training = context.inputs[2];
  const mode = context.constant(2);
  if (!training || (mode && tensorNumbers(mode)[0] === 0)) return [dy];
  const mask = context.outputs[1];
  if (!mask) {
    throw context.fail("its gradient in training mode needs the mask", {
      expected: "a second output",
      received: "none",
    });
  }
  const { elementType } = dy.type;
  const ratio = context.inputs[1] ? g.cast(context.inputs[1], elementType) : g.scalar(0.5, elementType);
  const kept = g.where(mask, g.div(dy, g.sub(1, ratio)), 0);
  return [mode ? kept : g.where(training, kept, dy)];
};

export const normalizationGradients: GradientTable = {
  BatchNormalization: batchNormalization,
  "ai.dovetail.BatchNormalizationTraining": ownBatchNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  LRN: localResponseNormalization,
  LpNormalization: lpNormalization,
  Dropout: dropout,
};

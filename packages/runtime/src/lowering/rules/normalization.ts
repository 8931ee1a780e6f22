// Batch normalization on blocked images. Everything that touches whole images is a blocked kernel: averages are global
// pools, and a per-channel affine map is a 1×1 depthwise convolution, which a sum and an activation can join.

import { attributeOf } from "@dovetail/graph";
import type { ImageShape, OpenConvolution } from "../forms.js";
import type { LoweringContext, LoweringRule } from "../rule.js";
import { defineVector, paddedVector } from "../vectors.js";

/** x · scale + shift per channel. */
function affine(
  { emitter }: LoweringContext,
  x: string,
  scale: string,
  shift: string,
  { paddedChannels }: ImageShape,
): OpenConvolution {
  const filter = emitter.reshape(scale, [paddedChannels, 1, 1, 1]);
  return { inputs: [x, filter, shift], attributes: { kernel_shape: [1, 1], group: paddedChannels } };
}

/** Mean over batch and pixels, [C']. */
function channelMean({ emitter }: LoweringContext, x: string, { batch, paddedChannels }: ImageShape): string {
  const perImage = emitter.blockedOp("GlobalAveragePool", [x]);
  return emitter.sum(emitter.reshape(perImage, [batch, paddedChannels]), batch, 1 / batch);
}

/**
 * Mean over batch and pixels of the product of two images, [C'], without making the product: the second image's channels
 * are the filters of a depthwise convolution as large as the image.
 */
function channelMeanOfProduct({ emitter }: LoweringContext, x: string, y: string, shape: ImageShape): string {
  const { batch, paddedChannels, height, width } = shape;
  const channels = batch * paddedChannels;
  const image = emitter.reshape(x, [1, channels, height, width]);
  const filter = emitter.reshape(y, [channels, 1, height, width]);
  const sums = emitter.blockedOp("Conv", [image, filter], { kernel_shape: [height, width], group: channels });
  return emitter.sum(emitter.reshape(sums, [batch, paddedChannels]), batch, 1 / (batch * height * width));
}

/** 1 / √(variance + ε). */
function inverseDeviation({ emitter, memo }: LoweringContext, variance: string, epsilon: number): string {
  const key = `inverseDeviation:${variance}:${epsilon}`;
  let known = memo.get(key);
  if (known === undefined) {
    const shifted = emitter.op("Add", [variance, emitter.floats([], [epsilon])]);
    known = emitter.op("Reciprocal", [emitter.op("Sqrt", [shifted])]);
    memo.set(key, known);
  }
  return known;
}

/** scale / √(variance + ε). */
function gain(context: LoweringContext, scale: string, deviation: string): string {
  const key = `gain:${scale}:${deviation}`;
  let known = context.memo.get(key);
  if (known === undefined) {
    known = context.emitter.op("Mul", [scale, deviation]);
    context.memo.set(key, known);
  }
  return known;
}

const epsilonOf = ({ node }: LoweringContext): number => attributeOf(node, "epsilon", "float", 1e-5);

/**
 * The variance is E[x²] − E[x]², a pass and a half less than about the mean; rounding cannot make it negative. Its
 * relative error is about 10⁻⁷ · E[x]² / variance, which is small unless a channel is all but constant.
 */
const training: LoweringRule = (context) => {
  const { node, emitter, forms } = context;
  const [x, scale, shift] = node.inputs as [string, string, string];
  const shape = forms.imageShape(x);
  if (!shape || !forms.isBlocked(x)) return false;
  const image = forms.blocked(x);
  const mean = channelMean(context, image, shape);
  const meanSquare = channelMeanOfProduct(context, image, image, shape);
  const squareMean = emitter.op("Mul", [mean, mean]);
  const variance = emitter.op("Relu", [emitter.op("Sub", [meanSquare, squareMean])]);
  const paddedScale = paddedVector(context, scale, shape);
  const slope = gain(context, paddedScale, inverseDeviation(context, variance, epsilonOf(context)));
  const offset = emitter.op("Sub", [paddedVector(context, shift, shape), emitter.op("Mul", [mean, slope])]);
  forms.setOpen(node.outputs[0]!, affine(context, image, slope, offset, shape));
  defineVector(context, node.outputs[1], mean, shape);
  defineVector(context, node.outputs[2], variance, shape);
  return true;
};

/**
 * dX = a·dY + b·X + c per channel: with covariance κ = E[dY·X] − E[X]·E[dY], r = 1/√(variance + ε) and a = scale·r,
 * b = −a·r²·κ and c = −a·E[dY] − b·E[X].
 */
const gradient: LoweringRule = (context) => {
  const { node, emitter, forms } = context;
  const [outputGradient, x, scale, meanName, varianceName] = node.inputs as [string, string, string, string, string];
  const shape = forms.imageShape(x);
  if (!shape || !(forms.isBlocked(x) || forms.isBlocked(outputGradient))) return false;
  const image = forms.blocked(x);
  const dy = forms.blocked(outputGradient);
  const mean = paddedVector(context, meanName, shape);
  const deviation = inverseDeviation(context, paddedVector(context, varianceName, shape), epsilonOf(context));
  const slope = gain(context, paddedVector(context, scale, shape), deviation);
  const meanGradient = channelMean(context, dy, shape);
  const meanProduct = channelMeanOfProduct(context, dy, image, shape);
  const covariance = emitter.op("Sub", [meanProduct, emitter.op("Mul", [mean, meanGradient])]);
  const normalizedCovariance = emitter.op("Mul", [deviation, covariance]);
  const count = emitter.floats([], [shape.batch * shape.height * shape.width]);
  defineVector(context, node.outputs[1], emitter.op("Mul", [count, normalizedCovariance]), shape);
  defineVector(context, node.outputs[2], emitter.op("Mul", [count, meanGradient]), shape);

  const ofImage = emitter.op("Neg", [emitter.op("Mul", [slope, emitter.op("Mul", [deviation, normalizedCovariance])])]);
  const constant = emitter.op("Neg", [
    emitter.op("Add", [emitter.op("Mul", [slope, meanGradient]), emitter.op("Mul", [ofImage, mean])]),
  ]);
  const imagePart = affine(context, image, ofImage, constant, shape);
  const sum = emitter.blockedOp("Conv", imagePart.inputs, imagePart.attributes);
  forms.setOpen(node.outputs[0]!, { ...affine(context, dy, slope, "", shape), sum });
  return true;
};

/** With given statistics the map is affine. */
const inference: LoweringRule = (context) => {
  const { node, emitter, forms } = context;
  const [x, scale, shift, mean, variance] = node.inputs as [string, string, string, string, string];
  const shape = forms.imageShape(x);
  if (!shape || !forms.isBlocked(x) || attributeOf(node, "training_mode", "int", 0) !== 0) return false;
  const vector = (name: string): string => paddedVector(context, name, shape);
  const slope = gain(context, vector(scale), inverseDeviation(context, vector(variance), epsilonOf(context)));
  const offset = emitter.op("Sub", [vector(shift), emitter.op("Mul", [vector(mean), slope])]);
  forms.setOpen(node.outputs[0]!, affine(context, forms.blocked(x), slope, offset, shape));
  return true;
};

export const normalizationRules = {
  BatchNormalization: inference,
  "ai.dovetail.BatchNormalizationTraining": training,
  "ai.dovetail.BatchNormalizationGradient": gradient,
} as const;

import { dovetailDomain } from "../ir/graph.js";
import type { ShapeTable } from "../shape/rule.js";
import { clipGradient, reluGradient } from "./own/activation.js";
import { adderConv, adderConvInputGradient } from "./own/adder.js";
import { affineQuantization } from "./own/affine-quantization.js";
import { batchNormalizationGradient, batchNormalizationTraining } from "./own/batch-normalization.js";
import { convInputGradient, convWeightGradient } from "./own/convolution.js";
import type { OwnOperator } from "./own/own-operator.js";
import { averagePoolGradient, maxPoolGradient } from "./own/pooling.js";

/**
 * The operators of Dovetail's own domain, by name. Operations that have a faster form on some providers are one node
 * each, so that the runtime can choose; `expandOwnOperators` writes them in standard operators.
 */
export const ownOperators: Readonly<Record<string, OwnOperator>> = {
  ConvInputGradient: convInputGradient,
  ConvWeightGradient: convWeightGradient,
  BatchNormalizationTraining: batchNormalizationTraining,
  BatchNormalizationGradient: batchNormalizationGradient,
  ReluGradient: reluGradient,
  ClipGradient: clipGradient,
  MaxPoolGradient: maxPoolGradient,
  AveragePoolGradient: averagePoolGradient,
  AffineQuantization: affineQuantization,
  AdderConv: adderConv,
  AdderConvInputGradient: adderConvInputGradient,
};

/** Shape rules of the own operators, for the table of all shape rules. */
export const ownShapeRules: ShapeTable = Object.fromEntries(
  Object.entries(ownOperators).map(([name, { shape }]) => [`${dovetailDomain}.${name}`, shape]),
);

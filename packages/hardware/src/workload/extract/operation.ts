// What a network does besides multiply-accumulates, by operator.

import { attributeOf, type Node } from "@dovetail/graph";

export type OperationKind =
  /** Each output value from one value of each input. */
  | "elementwise"
  /** The sum of two values that both change with the data: a shortcut joins its block. */
  | "residualAddition"
  | "pooling"
  | "normalization"
  | "reduction"
  | "softmax"
  /** Between real and integer values. */
  | "quantization"
  /** Values are moved, repeated or left out, not changed. */
  | "dataMovement";

/** What an operation rule sees: element counts of the first input that changes with the data, and of the first output. */
export interface OperationSizes {
  readonly node: Node;
  readonly inputElements: number;
  readonly outputElements: number;
}

export interface OperationRule {
  readonly kind: OperationKind;
  /** How many values are combined, all windows together. */
  readonly combined: (sizes: OperationSizes) => number;
}

const perOutput = ({ outputElements }: OperationSizes): number => outputElements;
const perInput = ({ inputElements }: OperationSizes): number => inputElements;
const nothing = (): number => 0;

const perWindow = ({ node, outputElements }: OperationSizes): number =>
  attributeOf(node, "kernel_shape", "ints", []).reduce((values, size) => values * size, outputElements);

const acrossChannels = ({ node, outputElements }: OperationSizes): number =>
  outputElements * attributeOf(node, "size", "int", 1);

function rules(
  kind: OperationKind,
  combined: OperationRule["combined"],
  operators: string,
): Record<string, OperationRule> {
  return Object.fromEntries(operators.split(/\s+/).map((operator) => [operator, { kind, combined }]));
}

/** Operators that multiply and accumulate nothing but take time and memory. */
export const operationTable: Readonly<Record<string, OperationRule>> = {
  ...rules(
    "elementwise",
    perOutput,
    `Abs Neg Sign Ceil Floor Round Exp Log Sqrt Reciprocal Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh
    Atanh Relu LeakyRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Softplus Softsign Mish Gelu Swish ThresholdedRelu
    Shrink Not BitwiseNot Add Sub Mul Div Mod BitShift BitwiseAnd BitwiseOr BitwiseXor And Or Xor Equal Greater
    GreaterOrEqual Less LessOrEqual Sum Mean Min Max IsNaN IsInf Pow Where Clip PRelu Cast CastLike Bernoulli
    RandomNormalLike RandomUniformLike EyeLike ai.dovetail.ReluGradient ai.dovetail.ClipGradient`,
  ),
  ...rules(
    "pooling",
    perWindow,
    "MaxPool AveragePool LpPool ai.dovetail.MaxPoolGradient ai.dovetail.AveragePoolGradient",
  ),
  ...rules("pooling", perInput, "GlobalAveragePool GlobalMaxPool GlobalLpPool MaxUnpool MaxRoiPool RoiAlign"),
  ...rules(
    "normalization",
    perOutput,
    `BatchNormalization InstanceNormalization GroupNormalization LayerNormalization RMSNormalization LpNormalization
    MeanVarianceNormalization ai.dovetail.BatchNormalizationTraining ai.dovetail.BatchNormalizationGradient`,
  ),
  ...rules("normalization", acrossChannels, "LRN"),
  ...rules(
    "reduction",
    perInput,
    `ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare
    ArgMax ArgMin TopK CumSum SoftmaxCrossEntropyLoss NegativeLogLikelihoodLoss`,
  ),
  ...rules("softmax", perOutput, "Softmax LogSoftmax Hardmax"),
  ...rules(
    "quantization",
    perOutput,
    "QuantizeLinear DequantizeLinear DynamicQuantizeLinear ai.dovetail.AffineQuantization",
  ),
  ...rules(
    "dataMovement",
    nothing,
    `Transpose Concat Split Slice Pad Expand Tile Gather GatherElements GatherND ScatterElements ScatterND OneHot
    NonZero Compress Trilu ReverseSequence DepthToSpace SpaceToDepth CenterCropPad Col2Im`,
  ),
  ...rules("dataMovement", perOutput, "Resize GridSample"),
};

/** Operators that cost nothing: they rename values, read shapes, or pass everything on when a network is run. */
export const freeOperators: ReadonlySet<string> = new Set([
  "Identity",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Dropout",
  "Shape",
  "Size",
]);

/**
 * Layers and the network zoo, as functions that build graphs.
 *
 * @module models
 */

export { type Activation, activate, dropout, globalAveragePool } from "./layers/activation.js";
export { type AdderConvolutionOptions, adderConvolution } from "./layers/adder-convolution.js";
export { type BatchNormalizationOptions, batchNormalization } from "./layers/batch-normalization.js";
export {
  basicBlock,
  type ConvBatchNormOptions,
  convBatchNorm,
  type DepthwiseSeparableOptions,
  depthwiseSeparable,
  type InvertedResidualOptions,
  invertedResidual,
  kaimingConvolution,
  preActivationBlock,
  type ResidualOptions,
} from "./layers/blocks.js";
export { type ConvolutionLayer, type ConvolutionOptions, convolution } from "./layers/convolution.js";
export { type LinearOptions, linear } from "./layers/linear.js";
export { cifar10Pixels, normalizePixels, type PixelOptions, pixels } from "./layers/pixels.js";
export { NetworkBuilder, type ParameterOptions, parameterSpec, sizeOf } from "./network/builder.js";
export { classNamesOf, type ExportOptions, exportModel, fileGraph, withFunctions } from "./network/export.js";
export { foldBatchNorms } from "./network/fold.js";
export { networkOfModel, withoutParameterNotes } from "./network/import.js";
export { initializeParameter, initializeParameters } from "./network/initialize.js";
export { countDistances, countMacs, countPoints, nodeMacs } from "./network/macs.js";
export {
  type Initialization,
  type Network,
  type NoiseInput,
  type ObservedRange,
  type ObservedStatistic,
  type ParameterRole,
  type ParameterSpec,
  parameterCount,
  type SampleSelection,
  type ScalarInput,
} from "./network/network.js";
export { predictionGraph } from "./network/prediction-graph.js";
export { type NodeRewrite, type RewriteContext, type RewriteOptions, rewriteGraph } from "./network/rewrite.js";
export { chosenRow, isChosenRow } from "./network/rows.js";
export { type DropoutMask, type TrainingForm, trainingForm } from "./network/training-form.js";
export { mlperfTinyResNet8 } from "./zoo/mlperf-tiny-resnet8.js";
export { mobileNetV2 } from "./zoo/mobilenet-v2.js";
export type { ZooOptions } from "./zoo/options.js";
export { preActResNet18 } from "./zoo/preact-resnet18.js";
export { type ResNetOptions, resNet } from "./zoo/resnet.js";
export { type VggOptions, vgg } from "./zoo/vgg.js";
export { zoo, zooNetwork } from "./zoo/zoo.js";

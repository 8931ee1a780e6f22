/**
 * Quantizers as graph rewrites.
 *
 * @module quant
 */

export type { CalibrateOptions } from "./calibration/average-over-batches.js";
export { type CalibrateLayersOptions, calibrateLayers } from "./calibration/calibrate-layers.js";
export { calibrateRanges } from "./calibration/calibrate-ranges.js";
export { type PreparedNetwork, type PrepareOptions, prepareQuantization } from "./calibration/prepare.js";
export { exportQdqModel, type QdqExportOptions } from "./integer/export-qdq.js";
export { weightGradientLevels } from "./layers/families/wageubn.js";
export { type Layer, type LayerRole, layersOf } from "./layers/layers.js";
export { quantizerFamilies } from "./layers/plan.js";
export { type QuantizeLayersOptions, quantizeLayers } from "./layers/quantize-layers.js";
export { rangeNormalization } from "./normalization/range-normalization.js";
export { type AffineOptions, type MinMax, quantizeAffine } from "./quantizers/affine.js";
export { apotActivationStart, apotLevels, apotWeightStart, quantizeApotWeight } from "./quantizers/apot.js";
export { quantizeActivation, quantizeWeight } from "./quantizers/arithmetic.js";
export { type BitWidths, withBitWidths } from "./quantizers/bit-widths.js";
export { valuesFrom } from "./quantizers/dependence.js";
export {
  type DorefaWeightOptions,
  quantizeDorefaActivation,
  quantizeDorefaGradient,
  quantizeDorefaWeight,
} from "./quantizers/dorefa.js";
export { bitInputs, type FakeQuantizeOptions, fakeQuantize, rangeName } from "./quantizers/fake-quantize.js";
export {
  type GradientPrecision,
  type GradientQuantizer,
  gradientBitInputs,
  gradientQuantizers,
  type QuantizeGradientsOptions,
  quantizeGradients,
  withGradientPrecision,
} from "./quantizers/gradient-precision.js";
export { initialLsqStep, type LsqOptions, quantizeLsq } from "./quantizers/lsq.js";
export { type PactOptions, pactPenalty, pactStart, quantizePact } from "./quantizers/pact.js";
export {
  type ActivationPoint,
  type QuantizationPoints,
  type QuantizedRole,
  quantizationPoints,
  quantizedRoles,
  type WeightPoint,
} from "./quantizers/points.js";
export {
  type FixedPointOptions,
  magnitudeOf,
  powerOfTwoScale,
  quantizeFixedPoint,
  quantizeToOwnScale,
} from "./quantizers/power-of-two.js";
export { meanSampleMinMax, minMaxOf } from "./quantizers/ranges.js";
export {
  quantizeWageubnActivation,
  quantizeWageubnError,
  quantizeWageubnFlaggedError,
  quantizeWageubnWeight,
  quantizeWageubnWeightGradient,
} from "./quantizers/wageubn.js";
export {
  precisionIndex,
  type SwitchableNetwork,
  type SwitchableOptions,
  spreadOverPrecisions,
  switchableNetwork,
} from "./switchable/switchable-network.js";

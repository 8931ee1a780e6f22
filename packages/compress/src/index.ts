export {
  decomposeLayer,
  type LayerDecomposition,
  type LayerDecompositionOptions,
} from "./decomposition/decompose-layer.js";
export type { DecompositionOptions } from "./decomposition/decompose-piece.js";
export {
  basisOfRow,
  basisValues,
  coefficientBitWidthOf,
  coefficientMask,
  coefficientValues,
  rebuildWeights,
  type StructuredLayer,
  structuredAnnotation,
  structuredBits,
} from "./decomposition/structured-layer.js";
export { type BakedNetwork, type BakeOptions, bakeShiftWeights } from "./poweroftwo/bake.js";
export { type ShiftConvolutionOptions, shiftConvolution, shiftLinear } from "./poweroftwo/layers.js";
export { nearestExponentByLogarithm, nearestExponentByValue } from "./poweroftwo/rounding.js";
export { type ShiftLayersOptions, shiftLayers } from "./poweroftwo/shift-layers.js";
export { shiftStart } from "./poweroftwo/shift-start.js";
export { type ShiftOptions, shiftBitWidth, smallestShiftExponent } from "./poweroftwo/shift-weight.js";

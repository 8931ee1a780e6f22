/**
 * Pruning, low rank and power-of-two weights, and files that hold them packed.
 *
 * @module compress
 */

export {
  decomposeLayer,
  type LayerDecomposition,
  type LayerDecompositionOptions,
} from "./decomposition/decompose-layer.js";
export type { DecompositionOptions } from "./decomposition/decompose-piece.js";
export { scaleFilters } from "./decomposition/scale-filters.js";
export {
  basisBitWidth,
  basisOfRow,
  basisValues,
  coefficientBitWidthOf,
  coefficientMask,
  coefficientValues,
  rebuildWeights,
  type StructuredLayer,
  scaleBitWidth,
  structuredAnnotation,
  structuredBits,
} from "./decomposition/structured-layer.js";
export {
  dataOfFilters,
  filterSize,
  filtersOf,
  type WeightLayer,
  weightLayersOf,
  weightShapeOf,
} from "./layers/weight-layers.js";
export {
  type FactorizableLayer,
  type Factorization,
  type FactorizedNetwork,
  factorizableLayers,
  factorizeNetwork,
  rankFor,
} from "./lowrank/factorize-network.js";
export { singularValues } from "./lowrank/truncated-svd.js";
export { fitRows, type KeptRows, pruneRows, structuredBitsOf } from "./network/fit-rows.js";
export { modelOfPacked, packNetwork } from "./network/pack-network.js";
export { packedTensors, type Storage, storageOf } from "./network/storage.js";
export {
  annotateCompressed,
  type StructuredNetwork,
  type StructureOptions,
  type StructureProgress,
  structureLayers,
  structureNetwork,
} from "./network/structure-network.js";
export {
  bestZeroCoding,
  type IntegerTensor,
  integerBits,
  type PackedTensor,
  type PlainTensor,
  packedBits,
  type StructuredTensor,
  unpackTensor,
} from "./packed/packed-tensor.js";
export { decodePacked, isPacked } from "./packed/read-packed.js";
export { encodePacked, type PackedNetwork } from "./packed/write-packed.js";
export { type BakedNetwork, type BakeOptions, bakeShiftWeights } from "./poweroftwo/bake.js";
export { type ShiftConvolutionOptions, shiftConvolution, shiftLinear } from "./poweroftwo/layers.js";
export { nearestExponentByLogarithm, nearestExponentByValue } from "./poweroftwo/rounding.js";
export { type ShiftLayersOptions, shiftLayers } from "./poweroftwo/shift-layers.js";
export { shiftStart } from "./poweroftwo/shift-start.js";
export { type ShiftOptions, shiftBitWidth, smallestShiftExponent } from "./poweroftwo/shift-weight.js";
export { maskName, maskWeights } from "./pruning/mask-weights.js";
export { keptRowsOf, type RowPruning, type RowPruningRule } from "./pruning/prune-rows.js";
export { integerTensor, magnitudeMasks } from "./pruning/prune-weights.js";

/**
 * The published systems, one folder each.
 *
 * @module systems
 */

export { bundleIndexFile } from "./bundle/index-file.js";
export { type BundleDelivery, bundleFiles, type PrecisionDelivery, writeBundle } from "./bundle/make-bundle.js";
export { type Bundle, type OpenBundleOptions, openBundle } from "./bundle/open-bundle.js";
export { type CompressedDelivery, createCompressedDelivery } from "./delivery/compressed-delivery.js";
export { createSwitchableDelivery, type SwitchableDelivery } from "./delivery/switchable-delivery.js";
export { type CoSearchTask, runCoSearch } from "./dna/cosearch.js";
export { type DesignTask, designForNetwork } from "./dna/design-for-network.js";
export {
  type Constraints,
  type CoSearchOptions,
  chargedPrecision,
  coSearchOptionsSchema,
  type Effort,
  fixedPrecisionSchema,
  isSwitchable,
  type SearchSettings,
  type TargetOptions,
  type TrainingSettings,
} from "./dna/options.js";
export type {
  AcceleratorResult,
  CandidateResult,
  ConstraintOutcome,
  CoSearchResult,
  HardwareFigures,
  LayerResult,
  SearchPoint,
  SearchTrace,
} from "./dna/result.js";
export type { StageStore } from "./dna/stages.js";
export { createMemoryStages } from "./dna/stages.js";
export { type Choice, defaultChoices } from "./fractrain/cost.js";
export { type GatedNetwork, type GateOptions, gateBlocks } from "./fractrain/gated-network.js";
export { type Method, type MethodInput, methodOf, methodSchema } from "./fractrain/methods.js";
export { type PreparedTraining, prepareTraining } from "./fractrain/prepare.js";
export { createSkippingPredictor, type SkippingPredictor } from "./fractrain/skipping-predictor.js";
export { type DistillationRule, type PassOptions, precisionPasses } from "./instantnet/passes.js";
export { type SpNasOptions, type SpNasResult, searchNetwork } from "./instantnet/sp-nas.js";
export { evaluatePrecisions, type SwitchableTrainingOptions, trainSwitchable } from "./instantnet/train-switchable.js";
export {
  type Card,
  type CardTable,
  type Claim,
  cardSchema,
  type NotRun,
  type Scale,
  scaleSchema,
} from "./reproduction/card.js";
export type { Piece, PieceContext, Reproduction } from "./reproduction/reproduction.js";
export { reproductions } from "./reproductions.js";
export { convertLayers, type LayerForm } from "./shiftaddnet/convert-layers.js";
export { type EnergyFigures, type EnergyOptions, networkEnergy } from "./shiftaddnet/energy.js";
export { type FixedPointBits, fixedPointNetwork } from "./shiftaddnet/fixed-point.js";
export { type IntegerBlock, integerBlocks } from "./shiftaddnet/integer-block.js";
export type { ShiftAddMethod } from "./shiftaddnet/methods.js";
export { shiftAddNetwork, type Variant, type VariantOptions } from "./shiftaddnet/networks.js";
export { prepareShiftAdd, type ShiftAddOptions, type ShiftAddTraining } from "./shiftaddnet/prepare.js";
export { type PrunedNetwork, pruneByMagnitude } from "./shiftaddnet/prune.js";
export { runBlockOnUnits, runIntegerBlock } from "./shiftaddnet/run-integer-block.js";
export { factoredMethodOf, type SmartDealMethod } from "./smartdeal/methods.js";
export { denseNetwork, type FactoredTraining, type FactoringOptions, prepareFactored } from "./smartdeal/prepare.js";
export {
  type CompressionMethod,
  type CompressionSettings,
  type PreparedMethod,
  prepareCompression,
} from "./smartexchange/methods.js";
export type { ProjectedWeights, Projection } from "./smartexchange/projection.js";
export {
  type ProjectedTraining,
  type ProjectedTrainingOptions,
  trainProjected,
} from "./smartexchange/train-projected.js";
export { isShiftAdd, isSmartDeal, type TrainingMethodKind, trainingMethodSchema } from "./training-methods.js";
export { unitTables } from "./two-in-one/accelerator/tables.js";
export { type UnitRow, unitRows, unitTitles } from "./two-in-one/accelerator/unit-rows.js";
export { expectedCost, meanBitOperations } from "./two-in-one/precision-set.js";
export { type RobustTrainingOptions, type TrainingMethod, trainRobust } from "./two-in-one/train-robust.js";
export { type AttackedForm, freeAdversary, pgdAdversary } from "./two-in-one/training-attack.js";

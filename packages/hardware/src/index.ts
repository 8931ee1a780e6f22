/**
 * Workloads, architectures, mappings, cost models, energy tables and mappers.
 *
 * @module hardware
 */

// documents/

export {
  checkDocument,
  documentJsonSchema,
  type ReadOptions,
  readDocument,
  writeDocument,
} from "./documents/document.js";

// workload/

export {
  type DistinctLayer,
  distinctLayers,
  type ExtractOptions,
  extractWorkloads,
  type Layer,
  type LayerTensor,
  layerTable,
  type Operation,
  type OperationTensor,
  type Workloads,
} from "./workload/extract/extract.js";
export type { LayerContext, LayerRule, LayerTable, LoopNest } from "./workload/extract/layer-rule.js";
export {
  freeOperators,
  type OperationKind,
  type OperationRule,
  type OperationSizes,
  operationTable,
} from "./workload/extract/operation.js";
export type { SizeOptions } from "./workload/extract/sizes.js";
export {
  type ConvolutionShape,
  convolutionProblem,
  type LayerBitWidths,
  type MatmulShape,
  matmulProblem,
} from "./workload/layers.js";
export {
  type DataSpace,
  dataSpaceWords,
  macCount,
  type PointOperation,
  type Problem,
  printProblem,
  problemJsonSchema,
  problemSchema,
  rankExtent,
  readProblem,
  shapeKey,
  writeProblem,
} from "./workload/problem.js";
export { formatRank, type ProjectionTerm, parseRank, type Rank } from "./workload/projection.js";
export { type PublishedNetwork, publishedNetwork, publishedNetworkNames } from "./workload/published-networks.js";

// architecture/

export {
  type Architecture,
  type ArchitectureLevel,
  architectureAreaUm2,
  architectureJsonSchema,
  architectureSchema,
  type Compute,
  type Fanout,
  instanceCounts,
  printArchitecture,
  readArchitecture,
  type Storage,
  type WeightRebuild,
  writeArchitecture,
} from "./architecture/architecture.js";
export {
  ANY_ORDER,
  type Constraints,
  constraintsSchema,
  type LevelConstraints,
  type LoopConstraints,
} from "./architecture/constraints.js";
export {
  type DiscreteDesignSpace,
  type EyerissLikeParameters,
  eyerissLike,
  eyerissLikeChoices,
  eyerissLikeDefaults,
} from "./architecture/families/eyeriss-like.js";

// fpga/
export { type DspSlice, type FpgaBoard, fpgaBoards, memoryBlocks, productsPerSlice } from "./fpga/board.js";
export { compatBoard, compatModel } from "./fpga/compat-model.js";
export { type CompatDataset, compatNetworkLayers, compatSpace, compatThreshold } from "./fpga/compat-network.js";
export { compatDesign, compatTemplate } from "./fpga/compat-template.js";
export { correctedModel, correctedSpace, pipelineOffChipBytes } from "./fpga/corrected-model.js";
export { fpgaTemplate } from "./fpga/corrected-template.js";
export { type ChunkDesign, type ChunkSpace, enumerateDesigns, everyUnroll, type Parallelism } from "./fpga/design.js";
export { type ChunkResult, evaluateChunk, evaluatePipeline, type PipelineResult } from "./fpga/evaluate.js";
export { fpgaLayerOf } from "./fpga/from-problem.js";
export {
  type GradientSearchResult,
  type GradientSearchSettings,
  gradientSearch,
  gradientSearchDefaults,
  publishedGradientSearch,
} from "./fpga/gradient-search.js";
export { type FpgaLayer, type FpgaLayerKind, layerBitWidth } from "./fpga/layer.js";
export type { ChunkFootprint, ChunkModel, FpgaResources, KernelShape } from "./fpga/model.js";
export { createFpgaSolver, type FpgaObjective, type FpgaSolution, type FpgaSolver } from "./fpga/solve.js";
export { type Chunk, dealLayers, type FpgaTemplate, outputSize } from "./fpga/template.js";
// mapping/

export { parseMapping, printMapping } from "./mapping/loopnest.js";
export {
  type Loop,
  type Mapping,
  type MappingLevel,
  mappingJsonSchema,
  mappingSchema,
  readMapping,
  writeMapping,
} from "./mapping/mapping.js";

// analysis/

export {
  type Analysis,
  type AnalysisOptions,
  checkMapping,
  prepareAnalysis,
} from "./analysis/analysis.js";
export type { MappingRejection, RejectionReason, RejectionRecord } from "./analysis/check.js";
export { createMappingCode, decodeMapping, encodeMapping, type MappingCode } from "./analysis/code.js";
export type { AccessCounts } from "./analysis/counts.js";
export {
  type Derivation,
  type DerivationOptions,
  type DerivationStep,
  deriveTraffic,
  printDerivation,
} from "./analysis/derivation.js";
export { compileTables, type SpaceTable, type Tables } from "./analysis/tables.js";
export type { Halo } from "./analysis/walk.js";

// cost/

export {
  type ComputeCost,
  type CostModel,
  type CostOptions,
  type CostResult,
  costModelName,
  costModels,
  type DataSpaceCost,
  type ExactCycles,
  type LevelCost,
  type LimitingResource,
  type MappingCost,
} from "./cost/cost.js";
export { type CostEvaluator, type LeanCost, prepareCost } from "./cost/evaluator.js";
export { evaluateCost } from "./cost/explain.js";
export { printCost } from "./cost/print.js";

// explanation/

export { type Comparison, type CountDifference, compareModels, type Mechanism } from "./explanation/compare.js";
export type { ZigZagComparison, ZigZagDifference, ZigZagMechanism } from "./explanation/compare-zigzag.js";
export { explainCount } from "./explanation/count.js";
export {
  type CountExplanation,
  type CountKind,
  type CountQuestion,
  type CountTerm,
  countKinds,
  type ExactExplanation,
  type Spread,
  type TimeloopExplanation,
} from "./explanation/explanation.js";
export { printExplanation } from "./explanation/print.js";
export { mechanismTexts, printComparison, zigzagMechanismTexts } from "./explanation/print-comparison.js";

// simulator/

export {
  type SimulatedTraffic,
  type Simulation,
  type SimulationOptions,
  simulateMapping,
} from "./simulator/simulate.js";

// exact/

export {
  deriveExact,
  type ExactDerivation,
  type ExactDerivationOptions,
  type ExactStep,
} from "./exact/derivation.js";
export { type ExactAnalysis, type ExactOptions, prepareExact } from "./exact/exact.js";

// mapspace/

export { type Candidate, copyCandidate, createCandidate } from "./mapspace/candidate.js";
export { crossDimensions, crossLevels } from "./mapspace/crossover.js";
export { eachMapping } from "./mapspace/enumerate.js";
export { createMapspace, type Mapspace } from "./mapspace/mapspace.js";
export { exchangeFactors, flipKeep, moveFactor, moveLoop } from "./mapspace/moves.js";
export { createRepairScratch, type RepairScratch, repair } from "./mapspace/repair.js";
export { sampleMapping } from "./mapspace/sample.js";
export { createUniformSampler, type UniformSampler } from "./mapspace/uniform.js";

// mapper/

export {
  architectureKey,
  createMappingCache,
  type MappingCache,
  type MappingCacheOptions,
} from "./mapper/cache.js";
export { mapLayer } from "./mapper/evolutionary.js";
export { mapLayerExhaustively } from "./mapper/exhaustive.js";
export { mapLayerByGradient } from "./mapper/gradient.js";
export { orKnownMapping } from "./mapper/known-mapping.js";
export { type LeanEvaluator, prepareLeanCost } from "./mapper/lean-cost.js";
export {
  type AnyMapperOptions,
  type AnyMapResult,
  type MapJob,
  type MapperName,
  mapLayerWith,
  mapperNames,
  runMapJob,
} from "./mapper/mappers.js";
export {
  type MapNetworkResult,
  type MappedNetwork,
  mapNetwork,
  type NetworkJob,
  type NetworkLayer,
  type NetworkMapperOptions,
  networkJobs,
  type UnmappedNetwork,
} from "./mapper/network.js";
export type { Objective } from "./mapper/objective.js";
export { mapLayerRandomly } from "./mapper/random.js";
export type { MapLayerResult, MappedLayer, MapperOptions, TracePoint, UnmappedLayer } from "./mapper/trial.js";

// branch-and-bound/

export {
  type ExactMapperOptions,
  type ExactMapResult,
  mapLayerExactly,
  type Proof,
} from "./branch-and-bound/map-exactly.js";

// systolic/

export { type SystolicArray, type SystolicCost, systolicCost, systolicModelName } from "./systolic/cost.js";
export type { SystolicAccesses, SystolicDataflow } from "./systolic/dataflow.js";
export {
  type SystolicConvolution,
  type SystolicLayer,
  systolicConvolution,
  systolicLayerOf,
  systolicMacs,
} from "./systolic/layer.js";
export { printSystolicCost } from "./systolic/print.js";

// blocking/

export {
  type BlockedLoop,
  type BlockingAccesses,
  type BlockingCost,
  type BlockingLevel,
  type BlockingLoop,
  blockingCost,
  blockingLoops,
} from "./blocking/blocking.js";

// eyeriss/

export { rowStationaryMapping } from "./eyeriss/fixed-mapping.js";
export {
  type EyerissAccessEnergies,
  type EyerissChip,
  type EyerissCost,
  type EyerissLayer,
  type EyerissMapping,
  eyerissChip,
  eyerissPassCost,
} from "./eyeriss/processing-pass.js";
export {
  type RowStationaryCost,
  type RowStationaryOperator,
  type RowStationaryResult,
  type RowStationaryTiling,
  rowStationaryClockHz,
  rowStationaryCost,
} from "./eyeriss/row-stationary.js";

// fusion/

export { type FusionArray, type FusionLayer, type FusionTile, fusedProductsPerCycle } from "./fusion/array.js";
export { type FusionCost, type FusionOptions, fusionBufferBits, fusionCost, fusionModelName } from "./fusion/cost.js";
export type { FusionBits, FusionLoop, FusionTraffic } from "./fusion/traffic.js";

// sparse/

export type { SparseRejection } from "./sparse/analyze.js";
export {
  evaluateSparseCost,
  isSparse,
  type SparseCost,
  type SparseLevelCost,
  type SparseSpaceCost,
} from "./sparse/cost.js";
export type { Density } from "./sparse/density.js";
export { printSparseCost } from "./sparse/print.js";
export type { ComputeSparsity, LevelSparsity, TensorFormat } from "./sparse/schema.js";

// zigzag/

export {
  type ArrayDimension,
  type DataMove,
  dataMoves,
  type MemoryOperand,
  memoryOperands,
  type ZigZagAccelerator,
  type ZigZagMemory,
  type ZigZagPort,
} from "./zigzag/accelerator.js";
export {
  evaluateZigZag,
  type MemoryLevelCost,
  type MoveCost,
  type OperandCost,
  type PortCost,
  type ZigZagCost,
  type ZigZagQuestion,
  zigzagModelName,
} from "./zigzag/cost.js";
export { type LayerOperand, layerMacs, type RankRelation, type ZigZagLayer } from "./zigzag/layer.js";
export {
  mappingEntryOf,
  type OrderedLoop,
  type SpatialMapping,
  type TemporalLoop,
  type TemporalMapping,
  type Unrolling,
  type ZigZagMappingEntry,
} from "./zigzag/mapping.js";
export { type MappedZigZagNetwork, mapZigZagNetwork } from "./zigzag/network.js";
export type { ZigZagObjective } from "./zigzag/objective.js";
export { printZigZagCost } from "./zigzag/print.js";
export { type MappedZigZagLayer, mapZigZagLayer, type ZigZagSearchOptions } from "./zigzag/search.js";
export { formatSpatial, spatialMappings } from "./zigzag/spatial.js";

// energy/

export { dram } from "./energy/dram.js";
export { bankedMemory } from "./energy/memory-bank.js";
export { type ComputeFigures, multiplyAccumulate } from "./energy/multiply-accumulate.js";
export {
  type ArithmeticKind,
  type OperationEnergyOptions,
  type OperationTable,
  operationEnergy,
  operationTables,
} from "./energy/operation-energy.js";
export { registerFile } from "./energy/register-file.js";
export {
  type ScalableUnitFigures,
  type ScalableUnitKind,
  type ScalableUnitOptions,
  scalableUnit,
  scalableUnitAreaUm2,
  shiftAddUnit,
} from "./energy/scalable-unit.js";
export { type ScalingFactor, scaleTechnology } from "./energy/scale-technology.js";
export type { FigureSource, FigureTable, GridTable, Quantity } from "./energy/source.js";
export { figure } from "./energy/source-lookup.js";
export { type MemoryFigures, sram, sramRange } from "./energy/sram.js";
export { aladdin } from "./energy/tables/aladdin.js";
export { bitfusionComposable, bitfusionFixed } from "./energy/tables/bitfusion-synthesis.js";
export { cacti } from "./energy/tables/cacti.js";
export { dramEnergies } from "./energy/tables/dram.js";
export { eyerissNormalised } from "./energy/tables/eyeriss-normalised.js";
export { horowitz } from "./energy/tables/horowitz.js";
export {
  chipPredictorEnergies,
  interstellarEnergies,
  maestroNormalised,
  shiftAddOperators,
  shiftAddOperatorsZc706,
  smartExchangeEnergies,
} from "./energy/tables/published-unit-energies.js";
export {
  loneScalableUnitEnergy,
  scalableUnitArea,
  scalableUnitEnergy,
  shiftAddUnits,
} from "./energy/tables/scalable-units.js";
export { stillmakerArea, stillmakerEnergy } from "./energy/tables/stillmaker.js";
export {
  type CellLibrary,
  type LibrarySynthesis,
  type SynthesisedUnit,
  type SynthesisPoint,
  type UnitTiming,
  unitSynthesis,
} from "./energy/tables/unit-synthesis.js";
export { unitAreaRatio } from "./energy/unit-area-ratio.js";

// accelerators/

export { costOnAccelerator, inClockCycles, mapOnAccelerator } from "./accelerators/cost.js";
export {
  type Accelerator,
  type AcceleratorLevel,
  type AcceleratorMemory,
  type AcceleratorUnit,
  acceleratorJsonSchema,
  acceleratorSchema,
  type CompressedStorage,
  type PublishedFigure,
  type RebuildEngines,
  type RowSelector,
  readAccelerator,
  type SparsityFeatures,
  writeAccelerator,
} from "./accelerators/document.js";
export {
  acceleratorAreaMm2,
  levelBytes,
  ourFigure,
  peakMacsPerCycle,
  unitCount,
} from "./accelerators/facts.js";
export { type FiguredMemory, memoryFigures } from "./accelerators/memory-figures.js";
export {
  type AnnotatedLayer,
  costOnArchitecture,
  mapNetworkOnArchitecture,
} from "./accelerators/network-on-architecture.js";
export {
  isPipeline,
  type PipelineAccelerator,
  readZooDocument,
  solvePipeline,
} from "./accelerators/pipeline-document.js";
export {
  fusionArrayAreaUm2,
  type ScalableMachineKind,
  type ScalableMachineOptions,
  scalableMachine,
  scalableMachineKinds,
} from "./accelerators/precision-scalable.js";
export { type SpecialisedLayer, specialise } from "./accelerators/specialise.js";
export { specialiseArchitecture } from "./accelerators/specialise-architecture.js";
export { annotatedStatistics, assumedWords, type LayerStatistics } from "./accelerators/statistics.js";
export { type FiguredUnit, paceOf, unitFigures } from "./accelerators/unit-figures.js";

// precision/

export {
  countedStructure,
  type StructuredOptions,
  type StructuredWeights,
  structuredWeights,
} from "./precision/structured-weights.js";
export { type UnitPace, type UnitRule, unitPace } from "./precision/unit-pace.js";
export {
  boothTerms,
  essentialBits,
  halfNormalWords,
  lockstepCycles,
  meanTerms,
  measureWords,
  type TermDistribution,
  uniformWords,
  type WordStatistics,
  zeroRowFraction,
} from "./precision/words.js";

// formats/

export {
  type ReadScaleSimOptions,
  readScaleSimConfig,
  type ScaleSimConfig,
  writeScaleSimConfig,
} from "./formats/scalesim-config.js";
export { exportScaleSimConfig, exportScaleSimTopology } from "./formats/scalesim-export.js";
export {
  isDense,
  type ReadTopologyOptions,
  readScaleSimTopology,
  type ScaleSimConvolution,
  type ScaleSimProduct,
  type ScaleSimSparsity,
  type ScaleSimTopology,
  systolicLayersOf,
  writeScaleSimTopology,
} from "./formats/scalesim-topology.js";
export {
  importTimeloopArchitecture,
  importTimeloopMapping,
  importTimeloopProblem,
  type TimeloopComponent,
  type TimeloopEnergies,
  type TimeloopMapping,
  type TimeloopProblem,
  timeloopComponentSchema,
  timeloopEnergySchema,
  timeloopMappingSchema,
  timeloopProblemSchema,
} from "./formats/timeloop.js";
export { exportTimeloop, type TimeloopExport } from "./formats/timeloop-export.js";
export type { TimeloopFile } from "./formats/timeloop-files.js";
export { readTimeloop, type TimeloopInput } from "./formats/timeloop-input.js";
export { type TimeloopSparse, timeloopSparseSchema } from "./formats/timeloop-sparse.js";
export { exportZigZag, type ZigZagExport } from "./formats/zigzag-export.js";
export { readZigZagHardware, zigzagHardwareOf } from "./formats/zigzag-hardware.js";
export { readZigZagMapping, zigzagMappingOf } from "./formats/zigzag-mapping.js";
export { zigzagLayersOf } from "./formats/zigzag-onnx.js";
export { readZigZagWorkload, zigzagWorkloadOf } from "./formats/zigzag-workload.js";
export { writeZigZagHardware, writeZigZagMapping, writeZigZagWorkload } from "./formats/zigzag-write.js";

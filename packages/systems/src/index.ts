export { type CoSearchTask, runCoSearch } from "./dna/cosearch.js";
export { type DesignTask, designForNetwork } from "./dna/design-for-network.js";
export {
  type Constraints,
  type CoSearchOptions,
  coSearchOptionsSchema,
  type Effort,
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

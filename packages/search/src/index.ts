/**
 * Search spaces, supernets, sampling and differentiable search.
 *
 * @module search
 */

// algorithms/
export { type CellProblemOptions, cellIndexOfChoices, cellProblem } from "./algorithms/cells.js";
export { type EvolutionOptions, searchByEvolution } from "./algorithms/evolution.js";
export { type FrontSearchOptions, nondominated, searchFront } from "./algorithms/front-search.js";
export { searchByGradient, type TableGradientOptions } from "./algorithms/gradient-search.js";
export { searchLocally } from "./algorithms/local-search.js";
export type { Choices, TableEffort, TableProblem, TableSearchResult, TableTrial } from "./algorithms/problem.js";
export { searchRandomly } from "./algorithms/random-search.js";
// differentiable/
export {
  considerDesigns,
  createDesignSearch,
  type DesignCost,
  type DesignSearchOptions,
  type DesignSearchState,
  type DesignSpace,
  likeliestDesign,
  refineDesign,
  searchDesign,
} from "./differentiable/design-search.js";
// joint/
export {
  type AsicDesign,
  type AsicModel,
  type AsicModelOptions,
  type AsicUnits,
  asicDesign,
  asicDesignSpace,
  asicUnitsFor,
  createAsicModel,
  referenceAsicDesign,
} from "./joint/asic-model.js";
export { createFpgaModel, type FpgaDesign, type FpgaModel, type FpgaModelOptions } from "./joint/fpga-model.js";
export {
  type HardwareModel,
  type OperatorPrices,
  priceGradient,
  type Redesign,
  type RedesignOptions,
  type SpaceLayers,
} from "./joint/hardware-model.js";
// sampling/
export {
  type AdamOptions,
  adamStep,
  argmax,
  type Categorical,
  createCategorical,
  drawGumbel,
  drawTop,
  entropyFraction,
  type GumbelDraw,
  probabilities,
} from "./sampling/categorical.js";
export { proxyHardGradient, proxyHardStep } from "./sampling/proxy-hard.js";
// space/
export { pieceNetworks, type SpacePieces } from "./space/block-network.js";
export { type OperatorChoice, operatorChoices, type PositionShape, residualOperator } from "./space/operators.js";
export {
  drawUniformly,
  networkOf,
  type SearchSpace,
  type SpaceOptions,
  smallImageSpace,
} from "./space/space.js";
// supernet/
export {
  createSupernet,
  type OperatorProducts,
  type Supernet,
  type SupernetBatch,
  type SupernetOptions,
} from "./supernet/supernet.js";

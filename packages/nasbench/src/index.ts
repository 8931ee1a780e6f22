/**
 * HW-NAS-Bench: two search spaces, their measured costs and accuracies, queries.
 *
 * @module nasbench
 */

// measured/
export {
  checkDeviceName,
  type DeviceTable,
  deviceKeys,
  deviceMetric,
  type MeasuredNetwork,
  type OperatorTime,
  parseDeviceTable,
  withDevice,
} from "./measured/device-table.js";
export { type OperatorGraph, operatorGraphs } from "./measured/operator-graphs.js";
// models/
export { blameOperators, fittedCellPrices, type OperatorBlame } from "./models/blame.js";
export {
  type CostModel,
  fpgaModel,
  type LayerPrice,
  type MappedModelOptions,
  mappedModel,
  rowStationaryModel,
} from "./models/cost-model.js";
export {
  type CellLayers,
  cellLayers,
  type FbnetLayers,
  fbnetLayers,
  type LayerOptions,
  type PartLayers,
  type PoolingCharge,
  poolingCharges,
} from "./models/layers.js";
export {
  type CellPrices,
  cellCostsOf,
  modelledCellPrices,
  modelledFbnetSum,
  type PricedMetric,
} from "./models/modelled-costs.js";
// pickle/
export { type ImportedBenchmark, importPickle } from "./pickle/import.js";
export { type PickleLimits, readPickle } from "./pickle/read-pickle.js";
export type { NumpyArray, PickleKey, PickleValue } from "./pickle/values.js";
// query/
export {
  accuracyCostFront,
  cheapestAbove,
  expectedBestOfRandom,
  type FrontPoint,
  frontVolume,
} from "./query/front.js";
export {
  cellCost,
  cellCosts,
  cellDatasetNamed,
  cellIndexOf,
  faultsOf,
  fbnetCost,
  fbnetDatasetNamed,
  type NetworkCostEntry,
  type NetworkEntry,
  networkConfig,
  queryNetwork,
  type SpaceName,
  spaceNames,
} from "./query/query.js";
// spaces/
export {
  type CellOperator,
  canonicalCell,
  cellCodeOf,
  cellCount,
  cellDigits,
  cellEdges,
  cellOperators,
  formatCell,
  liveEdges,
  operatorCounts,
  parseCell,
} from "./spaces/cell.js";
export {
  type CellDataset,
  cellDatasets,
  cellMacs,
  cellNetwork,
  cellParameters,
} from "./spaces/cell-network.js";
export {
  checkFbnet,
  type FbnetDataset,
  type FbnetOperator,
  type FbnetShape,
  fbnetDatasets,
  fbnetKeys,
  fbnetOperators,
  fbnetPositionCount,
  formatFbnet,
  parseFbnet,
} from "./spaces/fbnet.js";
export { fbnetBlock, fbnetMacs, fbnetNetwork, fbnetParameters } from "./spaces/fbnet-network.js";
// statistics/
export {
  type Correlations,
  correlations,
  kendallTau,
  pearsonR,
  roundTo,
  spearmanRho,
} from "./statistics/correlation.js";
// tables/
export {
  type BenchmarkColumns,
  benchmarkFiles,
  benchmarkOfColumns,
  type HardwareBenchmark,
  readBenchmark,
} from "./tables/benchmark.js";
export { type CellAccuracies, type CellBenchmark, withCosts } from "./tables/cell-benchmark.js";
export { type Column, type ColumnFile, readColumns, writeColumns } from "./tables/columns.js";
export {
  type FbnetBenchmark,
  type FbnetSamples,
  type FbnetSum,
  fbnetBenchmarkOf,
  fbnetTotal,
} from "./tables/fbnet-benchmark.js";
export {
  type DeviceName,
  devices,
  fbnetMetricNames,
  metricNames,
  metricUnit,
  type PublishedFault,
  publishedFaults,
} from "./tables/metrics.js";

// verify/
export type { BenchmarkCheck, CheckedFigure } from "./verify/check.js";
export { verifyBenchmark } from "./verify/verify.js";

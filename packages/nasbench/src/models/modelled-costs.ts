import { type CellOperator, cellOperators, operatorCounts } from "../spaces/cell.js";
import type { CellDataset } from "../spaces/cell-network.js";
import type { FbnetDataset } from "../spaces/fbnet.js";
import type { CellBenchmark } from "../tables/cell-benchmark.js";
import type { FbnetSum } from "../tables/fbnet-benchmark.js";
import type { CostModel, LayerPrice } from "./cost-model.js";
import { cellLayers, fbnetLayers, type LayerOptions, type PartLayers } from "./layers.js";

/** What NAS-Bench-201's networks cost: a fixed part, and what each edge adds by its operator. */
export interface CellPrices {
  readonly fixed: number;
  readonly operators: Readonly<Record<CellOperator, number>>;
}

export type PricedMetric = keyof LayerPrice;

/** Prices of a model. Throws `no_price`. */
export function modelledCellPrices(
  model: CostModel,
  dataset: CellDataset,
  options: LayerOptions,
  metric: PricedMetric = "latencyMs",
): CellPrices {
  const { fixed, operators } = cellLayers(dataset, options);
  const sum = sumOf(model, metric);
  const prices = Object.entries(operators).map(([operator, layers]) => [operator, sum(layers)]);
  return { fixed: sum(fixed), operators: Object.fromEntries(prices) };
}

/** Costs of all 15,625 networks from prices, by index. */
export function cellCostsOf({ codes }: CellBenchmark, { fixed, operators }: CellPrices): Float64Array {
  const prices = cellOperators.map((operator) => operators[operator]);
  return Float64Array.from(codes, (code) =>
    operatorCounts(code).reduce((sum, count, digit) => (count === 0 ? sum : sum + count * prices[digit]!), fixed),
  );
}

/** FBNet's operator costs by a model, for `fbnetTotal`. Throws `no_price`. */
export function modelledFbnetSum(
  model: CostModel,
  dataset: FbnetDataset,
  options: LayerOptions,
  metric: PricedMetric = "latencyMs",
): FbnetSum {
  const { stem, positions, header, pool, classifier } = fbnetLayers(dataset, options);
  const sum = sumOf(model, metric);
  return {
    stem: sum(stem),
    blocks: Float64Array.from(positions.flat(), sum),
    header: sum(header),
    pool: sum(pool),
    classifier: sum(classifier),
  };
}

function sumOf(model: CostModel, metric: PricedMetric): (layers: PartLayers) => number {
  return (layers) => layers.reduce((total, problem) => total + model.price(problem)[metric], 0);
}

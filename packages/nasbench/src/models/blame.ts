import { cellDigits, cellEdges, cellOperators } from "../spaces/cell.js";
import { kendallTau, roundTo } from "../statistics/correlation.js";
import type { CellBenchmark } from "../tables/cell-benchmark.js";
import { type CellPrices, cellCostsOf } from "./modelled-costs.js";

/**
 * A column of costs as prices, by least squares. Every combination of operators is there once, so the price of an operator
 * is the mean cost over all networks and edges with it less that with `none`.
 */
export function fittedCellPrices({ codes }: CellBenchmark, costs: ArrayLike<number>): CellPrices {
  const sums = cellOperators.map(() => 0);
  let total = 0;
  for (const [index, code] of codes.entries()) {
    total += costs[index]!;
    for (const digit of cellDigits(code)) sums[digit]! += costs[index]!;
  }
  const pairs = (codes.length * cellEdges.length) / cellOperators.length;
  const prices = sums.map((sum) => (sum - sums[0]!) / pairs);
  const mean = prices.reduce((sum, price) => sum + price, 0) / prices.length;
  return {
    fixed: total / codes.length - cellEdges.length * mean,
    operators: Object.fromEntries(
      cellOperators.map((name, digit) => [name, prices[digit]!]),
    ) as CellPrices["operators"],
  };
}

/** How much an operator's price has to do with a rank correlation. */
export interface OperatorBlame {
  readonly operator: string;
  /** Our price over the published one, both in units of all operators' sum. NaN where the published one is 0. */
  readonly relativePrice: number;
  /** τ-b when this operator alone were priced as the published costs price it. */
  readonly kendallIfPublished: number;
}

/**
 * Which operators a model ranks wrongly against published costs: τ-b, and for each operator τ-b with its price replaced.
 * Costs are compared to a relative 1e-9: sums of the same terms in another order differ in their last bits.
 */
export function blameOperators(
  cells: CellBenchmark,
  model: CellPrices,
  published: ArrayLike<number>,
): { readonly kendall: number; readonly operators: readonly OperatorBlame[] } {
  const theirs = fittedCellPrices(cells, published);
  const step = theirs.fixed * 1e-9;
  const reference = roundTo(published, step);
  const tau = (prices: CellPrices): number => {
    const costs = cellCostsOf(cells, prices);
    return kendallTau(roundTo(costs, (costs[0]! || 1) * 1e-9), reference);
  };
  const total = (prices: CellPrices): number => cellOperators.reduce((sum, name) => sum + prices.operators[name], 0);
  const operators = cellOperators.map((operator): OperatorBlame => {
    const others = (prices: CellPrices): number => total(prices) - prices.operators[operator];
    const scale = others(model) / others(theirs);
    const replaced = { ...model.operators, [operator]: theirs.operators[operator] * scale };
    const price = theirs.operators[operator];
    // What is left of a price of 0 in a mean of measurements is noise.
    const isFree = Math.abs(price) < 1e-9 * theirs.fixed;
    return {
      operator,
      relativePrice: isFree ? Number.NaN : model.operators[operator] / (price * scale),
      kendallIfPublished: tau({ ...model, operators: replaced }),
    };
  });
  return { kendall: tau(model), operators };
}

import { inputError } from "@dovetail/core";
import {
  type CellBenchmark,
  type CellDataset,
  cellCodeOf,
  cellCosts,
  cellEdges,
  cellOperators,
} from "@dovetail/nasbench";
import type { Choices, TableProblem } from "./problem.js";

export interface CellProblemOptions {
  readonly dataset: CellDataset;
  /** Metric that is limited, such as `pixel3_latency`. Default: none. */
  readonly metric?: string | undefined;
  /** In the metric's unit. */
  readonly limit?: number | undefined;
}

/** NAS-Bench-201's index of an architecture of the search. */
export function cellIndexOfChoices(cells: CellBenchmark, choices: Choices): number {
  return cells.indexOfCode[cellCodeOf(choices)]!;
}

/**
 * NAS-Bench-201 as a search: an operator on each of the six edges. The score is what a search may look at: validation
 * accuracy in percent; CIFAR-10 has none in the bundled tables, there it is test accuracy. Throws `unknown_metric`, and
 * `missing_cost` for a metric without a value for most networks.
 */
export function cellProblem(cells: CellBenchmark, { dataset, metric, limit }: CellProblemOptions): TableProblem {
  const { validation, test } = cells.accuracies[dataset];
  const scores = validation ?? test;
  const costs = metric === undefined ? undefined : cellCosts(cells, dataset, metric);
  if (costs?.some(Number.isNaN)) {
    throw inputError("missing_cost", `the tables have no ${metric} on ${dataset} of some networks`, {
      expected: "a metric with a value for every network",
      received: `${costs.filter((value) => !Number.isNaN(value)).length} of ${costs.length}`,
      hint: "import the authors' pickle",
    });
  }
  return {
    choiceCounts: cellEdges.map(() => cellOperators.length),
    score: (choices) => scores[cellIndexOfChoices(cells, choices)]!,
    cost: costs && ((choices) => costs[cellIndexOfChoices(cells, choices)]!),
    limit,
  };
}

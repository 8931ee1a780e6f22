import { setImmediate } from "node:timers/promises";
import { createRandomStream, type RandomStream } from "@dovetail/core";
import {
  accuracyCostFront,
  type CellBenchmark,
  type CellDataset,
  cellCosts,
  cellDatasetNamed,
  expectedBestOfRandom,
  type FrontPoint,
  formatCell,
  frontVolume,
  metricUnit,
} from "@dovetail/nasbench";
import { renderFiguresPage } from "@dovetail/report";
import {
  cellIndexOfChoices,
  cellProblem,
  nondominated,
  searchByEvolution,
  searchByGradient,
  searchFront,
  searchLocally,
  searchRandomly,
  type TableEffort,
  type TableProblem,
  type TableSearchResult,
} from "@dovetail/search";
import { writeFileAtomically } from "@dovetail/train";
import { type Command, Option } from "commander";
import { type CommandIo, type CommonOptions, printResult, withWatch } from "../../terminal/command-io.js";
import { formatTable } from "../../terminal/table.js";
import { defineCommand, numberBetween, wholeNumber } from "../define.js";
import { seedOption } from "../options.js";
import { loadTables, type TableOptions, withTableOptions } from "./tables.js";
import { quantile } from "./timing.js";

type Algorithm = (problem: TableProblem, effort: TableEffort, random: RandomStream) => TableSearchResult;

const algorithms = {
  random: searchRandomly,
  evolution: searchByEvolution,
  local: searchLocally,
  gradient: searchByGradient,
  front: searchFront,
} as const satisfies Record<string, Algorithm>;

type AlgorithmName = keyof typeof algorithms;

interface SearchOptions extends CommonOptions, TableOptions {
  readonly dataset: string;
  readonly algorithm: AlgorithmName;
  readonly metric?: string;
  readonly limit?: number;
  readonly queries: number;
  readonly seed: number;
  readonly seeds: number;
  readonly plot?: string;
}

/** `dovetail hwnas search`: searches in NAS-Bench-201's tables, beside what enumeration finds. */
export function searchCommand(io: CommandIo): Command {
  const command = defineCommand("search", {
    summary: "search NAS-Bench-201 under a limit on a device's cost, beside the true optimum",
    description:
      "A query stands for a training: it is what an algorithm may ask for, and it is counted. Costs are free to ask. " +
      "Searches look at validation accuracy and report test accuracy (CIFAR-10 has test accuracy alone). FBNet has no " +
      "accuracies and cannot be searched. Algorithms: random; evolution (regularised); local; gradient (logits, hardware " +
      "loss); front (evolution of accuracy and cost together).",
    examples: [
      ["dovetail hwnas search --metric pixel3_latency --limit 10", "the best within 10 ms, with 300 queries"],
      ["dovetail hwnas search --dataset cifar100 --algorithm local --seeds 30", "30 seeds, with their median"],
      [
        "dovetail hwnas search --algorithm front --metric raspi4_latency --plot front.html",
        "a whole front, to look at",
      ],
    ],
  })
    .option("--dataset <name>", "cifar10, cifar100 or ImageNet16-120", "cifar10")
    .addOption(new Option("--algorithm <name>", "how to search").choices(Object.keys(algorithms)).default("evolution"))
    .option("--metric <name>", "what is limited, such as pixel3_latency")
    .option("--limit <value>", "in the metric's unit", numberBetween(0, Number.POSITIVE_INFINITY))
    .option("--queries <n>", "accuracies that may be asked for", wholeNumber(1), 300)
    .addOption(seedOption().default(0))
    .option("--seeds <n>", "repeat with so many seeds", wholeNumber(1), 1)
    .option("--plot <file>", "write a page that shows the search (HTML)");
  return withTableOptions(command).action(async (options: SearchOptions) => {
    const { algorithm, metric, limit, plot } = options;
    if (limit !== undefined && metric === undefined) command.error("error: --limit needs --metric");
    if (algorithm === "front" && metric === undefined) command.error("error: --algorithm front needs --metric");
    const { cells } = (await loadTables(io, options)).benchmark;
    const dataset = cellDatasetNamed(options.dataset);
    const problem = cellProblem(cells, { dataset, metric, limit });
    const runs = await withWatch(io, options, async (watch) => {
      const results: TableSearchResult[] = [];
      for (let index = 0; index < options.seeds; index++) {
        await setImmediate();
        const effort = { queries: options.queries, signal: watch.signal };
        results.push(algorithms[algorithm](problem, effort, createRandomStream(options.seed + index)));
        watch.onProgress({ task: "search", done: index + 1, total: options.seeds, unit: "seeds" });
      }
      return results;
    });
    const summary = summarise(cells, dataset, options, runs);
    if (plot !== undefined) await writeFileAtomically(plot, searchPage(cells, dataset, options, runs, summary));
    printResult(io, options, summary, () => describe(summary));
  });
}

interface SearchSummary {
  readonly dataset: string;
  readonly algorithm: AlgorithmName;
  readonly metric?: string | undefined;
  readonly limit?: number | undefined;
  readonly queries: number;
  readonly runs: readonly FoundNetwork[];
  readonly medianTestPercent: number;
  /** By enumeration: the best score within the limit. */
  readonly optimum: FoundNetwork;
  /** Runs that reached the optimum's score. */
  readonly reachedOptimum: number;
  /** Of random search with as many queries, without a limit: exact. */
  readonly expectedRandomTestPercent?: number | undefined;
  /** Share of the area below the true front, a run each. */
  readonly frontShares?: readonly number[] | undefined;
}

interface FoundNetwork {
  readonly index: number;
  readonly architecture: string;
  readonly scorePercent: number;
  readonly testPercent: number;
  readonly cost?: number | undefined;
  /** Queries until it was found. */
  readonly queries?: number | undefined;
}

function summarise(
  cells: CellBenchmark,
  dataset: CellDataset,
  options: SearchOptions,
  runs: readonly TableSearchResult[],
): SearchSummary {
  const { algorithm, metric, limit, queries } = options;
  const { test, validation } = cells.accuracies[dataset];
  const scores = validation ?? test;
  const costs = metric === undefined ? undefined : cellCosts(cells, dataset, metric);
  const network = (index: number, asked?: number): FoundNetwork => ({
    index,
    architecture: formatCell(cells.codes[index]!),
    scorePercent: scores[index]!,
    testPercent: test[index]!,
    cost: costs?.[index],
    queries: asked,
  });
  const found = runs.map(({ best, trials }) =>
    network(cellIndexOfChoices(cells, best.choices), 1 + trials.indexOf(best)),
  );
  const optimum = network(bestWithin(scores, costs, limit));
  const tests = found.map(({ testPercent }) => testPercent).sort((a, b) => a - b);
  return {
    dataset,
    algorithm,
    metric,
    limit,
    queries,
    runs: found,
    medianTestPercent: quantile(tests, 0.5),
    optimum,
    reachedOptimum: found.filter(({ scorePercent }) => scorePercent === optimum.scorePercent).length,
    expectedRandomTestPercent: limit === undefined ? expectedBestOfRandom(scores, test, queries) : undefined,
    frontShares: costs && frontShares(cells, scores, costs, runs),
  };
}

function bestWithin(
  scores: ArrayLike<number>,
  costs: ArrayLike<number> | undefined,
  limit = Number.POSITIVE_INFINITY,
): number {
  let best = -1;
  for (let index = 0; index < scores.length; index++) {
    if (costs !== undefined && !(costs[index]! <= limit)) continue;
    if (best < 0 || scores[index]! > scores[best]!) best = index;
  }
  return best;
}

/** Area under each run's front over that of the true front; the corner is the dearest network at 10 %. */
function frontShares(
  cells: CellBenchmark,
  scores: ArrayLike<number>,
  costs: ArrayLike<number>,
  runs: readonly TableSearchResult[],
): number[] {
  const corner = { cost: Array.from(costs).reduce((most, cost) => Math.max(most, cost)), accuracyPercent: 10 };
  const whole = frontVolume(accuracyCostFront(scores, costs), corner);
  return runs.map((run) => frontVolume(frontOf(cells, run), corner) / whole);
}

function frontOf(cells: CellBenchmark, { trials }: TableSearchResult): FrontPoint[] {
  return nondominated(trials).map(({ choices, score, cost }) => ({
    index: cellIndexOfChoices(cells, choices),
    accuracyPercent: score,
    cost,
  }));
}

/** What came out, in sentences. */
function conclusions(summary: SearchSummary): string[] {
  const { algorithm, runs, reachedOptimum, frontShares, medianTestPercent, expectedRandomTestPercent } = summary;
  const percent = (value: number): string => `${value.toFixed(2)} %`;
  return [
    `${reachedOptimum} of ${runs.length} reach the optimum; median test accuracy ${percent(medianTestPercent)}`,
    ...(expectedRandomTestPercent === undefined
      ? []
      : [`random search is expected to reach ${percent(expectedRandomTestPercent)}`]),
    ...(frontShares && algorithm === "front"
      ? [`area of the true front that was found: ${frontShares.map((share) => percent(100 * share)).join(", ")}`]
      : []),
  ];
}

function describe(summary: SearchSummary): string[] {
  const { dataset, algorithm, metric, limit, queries, runs, optimum } = summary;
  const unit = metric === undefined ? "" : metricUnit(metric);
  const row = (
    name: string,
    { scorePercent, testPercent, cost, index, architecture, queries: asked }: FoundNetwork,
  ) => [
    name,
    scorePercent.toFixed(2),
    testPercent.toFixed(2),
    cost === undefined ? "-" : cost.toPrecision(5),
    asked === undefined ? "-" : `${asked}`,
    `${index}`,
    architecture,
  ];
  const within = limit === undefined ? "" : `, ${metric} within ${limit} ${unit}`;
  return [
    `${dataset}, ${algorithm} search, ${queries} of 15625 networks asked for${within}`,
    ...formatTable(
      ["", "score %", "test %", unit || "cost", "after", "index", "network"],
      [...runs.map((run, index) => row(`seed ${index}`, run)), row("optimum", optimum)],
    ),
    ...conclusions(summary),
  ];
}

function searchPage(
  cells: CellBenchmark,
  dataset: CellDataset,
  { algorithm, metric }: SearchOptions,
  runs: readonly TableSearchResult[],
  summary: SearchSummary,
): string {
  const { test, validation } = cells.accuracies[dataset];
  const courses = runs.slice(0, 8).map(({ trials }, index) => {
    let best = Number.NEGATIVE_INFINITY;
    const points = trials.map(({ score }, at) => {
      best = Math.max(best, score);
      return [at + 1, summary.optimum.scorePercent - best] as const;
    });
    return { name: `seed ${index}`, series: `c${index}`, points };
  });
  const score = validation ? "validation accuracy, %" : "test accuracy, %";
  return renderFiguresPage({
    title: `${algorithm} search`,
    kicker: `NAS-Bench-201, ${dataset}`,
    introduction: conclusions(summary),
    sections: [
      {
        title: "Course",
        plots: [
          {
            kind: "lines",
            title: "Best so far",
            explanation: `points below the optimum of ${summary.optimum.scorePercent.toFixed(2)} %; a curve ends where it is reached`,
            label: `${score} of the best so far, below the optimum, after so many queries`,
            xTitle: "queries",
            yTitle: "points below the optimum",
            series: courses,
            yLogarithmic: true,
          },
        ],
      },
      ...(metric === undefined
        ? []
        : [
            {
              title: "Fronts",
              plots: [
                {
                  kind: "cloud" as const,
                  title: "Accuracy and cost",
                  explanation: "up and to the left is better; the lower quarter of the networks is left out",
                  label: "the true front, and that of the first seed",
                  name: "networks",
                  xTitle: `${metric}, ${metricUnit(metric)}`,
                  yTitle: score,
                  x: cellCosts(cells, dataset, metric),
                  y: validation ?? test,
                  yLeast: quantile(
                    Array.from(validation ?? test).sort((a, b) => a - b),
                    0.25,
                  ),
                  steps: [
                    step("true front", "c2", accuracyCostFront(validation ?? test, cellCosts(cells, dataset, metric))),
                    step("found", "found", frontOf(cells, runs[0]!)),
                  ],
                },
              ],
            },
          ]),
    ],
  });
}

function step(name: string, series: string, front: readonly FrontPoint[]) {
  return { name, series, points: front.map(({ cost, accuracyPercent }) => [cost, accuracyPercent] as const) };
}

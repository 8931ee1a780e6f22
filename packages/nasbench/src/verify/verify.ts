import { accuracyCostFront, cheapestAbove, expectedBestOfRandom } from "../query/front.js";
import { cellCosts, fbnetCost } from "../query/query.js";
import { operatorCounts } from "../spaces/cell.js";
import { type CellDataset, cellMacs } from "../spaces/cell-network.js";
import { fbnetPositionCount } from "../spaces/fbnet.js";
import { spearmanRho } from "../statistics/correlation.js";
import type { HardwareBenchmark } from "../tables/benchmark.js";
import type { CellBenchmark } from "../tables/cell-benchmark.js";
import { type FbnetBenchmark, fbnetTotal } from "../tables/fbnet-benchmark.js";
import { fbnetMetricNames } from "../tables/metrics.js";
import { type BenchmarkCheck, type CheckedFigure, check, figure, notRun } from "./check.js";
import {
  additiveLatencies,
  bestByValidation,
  cellFronts,
  cellRankCorrelations,
  edgeGpuSummary,
  fbnetRankCorrelations,
  frontEnd,
  publishedFbnetTotals,
  randomSearchAccuracies,
  sameOperatorTotals,
} from "./published.js";

/**
 * The nine checks of the tables against figures that others published or computed. With `bundled`, for an import: the
 * ninth asks for the bundled values too, and a tenth holds all that is in both against each other.
 */
export function verifyBenchmark({ cells, fbnet }: HardwareBenchmark, bundled?: HardwareBenchmark): BenchmarkCheck[] {
  const edgegpu = "edgegpu_latency";
  return [
    check(1, "published totals of FBNet networks, to the last digit", publishedTotals(fbnet)),
    storedSamples(fbnet),
    check(3, "FBNet networks of one operator throughout", sameOperators(fbnet)),
    sampleCorrelations(fbnet),
    check(5, "rank correlations over NAS-Bench-201, CIFAR-10", cellCorrelations(cells)),
    check(6, "eyeriss and fpga latencies are sums over the edges", additive(cells)),
    check(7, "fronts of accuracy and latency, CIFAR-10", fronts(cells)),
    check(8, "expected accuracy of random search", randomSearch(cells)),
    edgeGpuCheck(cells.costs.cifar10.get(edgegpu), bundled?.cells.costs.cifar10.get(edgegpu)),
    ...(bundled ? [check(10, "what is bundled too has the same values", sameValues({ cells, fbnet }, bundled))] : []),
  ];
}

function sameValues(imported: HardwareBenchmark, bundled: HardwareBenchmark): CheckedFigure[] {
  const cellFigures = (Object.keys(bundled.cells.costs) as CellDataset[]).flatMap((dataset) =>
    [...bundled.cells.costs[dataset]].map(([metric, known]) =>
      equalEntries(`${dataset} ${metric}`, known, (index) => imported.cells.costs[dataset].get(metric)?.[index]),
    ),
  );
  const tableFigures = [...bundled.fbnet.tables].map(([metric, known]) => {
    const keys = [...known.keys()];
    const ours = imported.fbnet.tables.get(metric);
    return equalEntries(`fbnet ${metric}`, [...known.values()], (index) => ours?.get(keys[index]!));
  });
  return [...cellFigures, ...tableFigures];
}

/** How many of the known values are met, of those that are known. */
function equalEntries(
  name: string,
  known: ArrayLike<number>,
  ours: (index: number) => number | undefined,
): CheckedFigure {
  let expected = 0;
  let equal = 0;
  for (let index = 0; index < known.length; index++) {
    if (Number.isNaN(known[index]!)) continue;
    expected++;
    if (ours(index) === known[index]) equal++;
  }
  return figure(`${name}, equal values`, expected, equal);
}

function publishedTotals(fbnet: FbnetBenchmark): CheckedFigure[] {
  return publishedFbnetTotals.flatMap(({ dataset, operators, totals, ...rest }) => {
    const network = Array.from({ length: fbnetPositionCount }, (_, position) => operators[position] ?? 0);
    const name = `${dataset} [${network.slice(-2).join(",")} last]`;
    const found = fbnetMetricNames.map((metric) => fbnetCost(fbnet, network, dataset, metric));
    const figures = totals.map((total, index) => figure(`${name} ${fbnetMetricNames[index]}`, total, found[index]!));
    if (!("average" in rest)) return figures;
    return [
      ...figures,
      figure(
        `${name} average_hw_metric`,
        rest.average,
        found.reduce((product, value) => product * value, 1),
      ),
    ];
  });
}

function storedSamples({ samples, sums }: FbnetBenchmark): BenchmarkCheck {
  const title = "sums equal the stored latencies of 5,000 FBNet networks, bit for bit";
  if (samples === undefined) return notRun(2, title, "the tables come without the sampled networks");
  const figures = [...samples.latencies].map(([metric, stored]) => {
    const sum = sums.cifar100.get(metric)!;
    let equal = 0;
    for (const [sample, latency] of stored.entries()) {
      if (fbnetTotal(sum, samples.operators, sample * fbnetPositionCount) === latency) equal++;
    }
    return figure(`${metric}, equal networks`, 5000, equal);
  });
  return check(2, title, figures);
}

function sameOperators(fbnet: FbnetBenchmark): CheckedFigure[] {
  const order = ["eyeriss", "fpga", "raspi4", "pixel3", "edgegpu"];
  return sameOperatorTotals.flatMap(([operator, ...latencies]) => {
    const network = new Array<number>(fbnetPositionCount).fill(operator);
    return order.map((device, index) => {
      const found = fbnetCost(fbnet, network, "cifar100", `${device}_latency`);
      return figure(`operator ${operator}, ${device}`, latencies[index]!, found, 5e-7);
    });
  });
}

function sampleCorrelations({ samples, sums }: FbnetBenchmark): BenchmarkCheck {
  const title = "rank correlations over 5,000 FBNet networks, CIFAR-100";
  if (samples === undefined) return notRun(4, title, "the tables come without the sampled networks");
  const latencies = (device: string): Float64Array =>
    Float64Array.from({ length: samples.count }, (_, sample) =>
      fbnetTotal(sums.cifar100.get(`${device}_latency`)!, samples.operators, sample * fbnetPositionCount),
    );
  const figures = fbnetRankCorrelations.map(([a, b, expected]) =>
    figure(`${a}–${b}`, expected, spearmanRho(latencies(a), latencies(b)), 5e-5),
  );
  return check(4, title, figures);
}

function cellCorrelations(cells: CellBenchmark): CheckedFigure[] {
  const list = (name: string): ArrayLike<number> => {
    if (name === "accuracy") return cells.accuracies.cifar10.test;
    if (name === "macs") return Float64Array.from(cells.codes, (code) => cellMacs(code, "cifar10"));
    return cellCosts(cells, "cifar10", `${name}_latency`);
  };
  return cellRankCorrelations.map(([a, b, expected]) =>
    figure(`${a}–${b}`, expected, spearmanRho(list(a), list(b)), 5e-6),
  );
}

function additive(cells: CellBenchmark): CheckedFigure[] {
  return (["eyeriss", "fpga"] as const).map((device) => {
    const { fixed, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3 } = additiveLatencies[device];
    const latency = cellCosts(cells, "cifar10", `${device}_latency`);
    let worst = 0;
    for (const [index, code] of cells.codes.entries()) {
      const [, , pointwise, full, pools] = operatorCounts(code);
      const sum = fixed + nor_conv_1x1 * pointwise + nor_conv_3x3 * full + avg_pool_3x3 * pools;
      worst = Math.max(worst, Math.abs(sum - latency[index]!));
    }
    return figure(`${device}, largest error in ms`, 0, worst, 2.5e-14);
  });
}

function fronts(cells: CellBenchmark): CheckedFigure[] {
  const accuracy = cells.accuracies.cifar10.test;
  const latency = (device: string): Float64Array => cellCosts(cells, "cifar10", `${device}_latency`);
  const figures = cellFronts.flatMap(({ device, size, fastest, latencyMs }) => {
    const front = accuracyCostFront(accuracy, latency(device));
    const chosen = cheapestAbove(accuracy, latency(device), 93.5)!;
    return [
      figure(`${device}, networks on the front`, size, front.length),
      figure(`${device}, last network of the front`, frontEnd.index, front.at(-1)!.index),
      figure(`${device}, its accuracy`, frontEnd.accuracyPercent, front.at(-1)!.accuracyPercent, 5e-5),
      figure(`${device}, fastest with 93.5 %, latency in ms`, latencyMs, chosen.cost, 5e-6),
      // Where several are as fast, the reference names the first and we choose the most accurate.
      figure(`${device}, network ${fastest} is as fast`, chosen.cost, latency(device)[fastest]!),
      figure(`${device}, and has 93.5 %`, 1, accuracy[fastest]! >= 93.5 ? 1 : 0),
    ];
  });
  const slower = (device: string, chosen: number, best: number): number =>
    100 * (latency(device)[chosen]! / latency(device)[best]! - 1);
  return [
    ...figures,
    figure("pixel3's choice on fpga, percent slower than the best", 15.1, slower("fpga", 13171, 3625), 0.05),
    figure("raspi4's choice on pixel3, percent slower than the best", 29.8, slower("pixel3", 12043, 13171), 0.05),
  ];
}

function randomSearch(cells: CellBenchmark): CheckedFigure[] {
  return (["cifar100", "ImageNet16-120"] as const).flatMap((dataset, column) => {
    const { validation, test } = cells.accuracies[dataset];
    const values = validation!;
    const expected = bestByValidation[dataset];
    const best = values.indexOf(values.reduce((most, value) => Math.max(most, value)));
    return [
      ...randomSearchAccuracies.map((row) =>
        figure(`${dataset}, ${row[0]} networks`, row[1 + column]!, expectedBestOfRandom(values, test, row[0]), 5e-5),
      ),
      figure(`${dataset}, best by validation`, expected.index, best),
      figure(`${dataset}, its validation accuracy`, expected.validation, values[best]!, 5e-5),
      figure(`${dataset}, its test accuracy`, expected.test, test[best]!, 5e-5),
    ];
  });
}

/** The ninth check, for an import: summary of the Edge GPU's latency. `known` are values to be met, by index. */
function edgeGpuCheck(latency: Float64Array | undefined, known?: Float64Array | undefined): BenchmarkCheck {
  const title = "edgegpu latency on CIFAR-10 has the published summary";
  const present = latency?.filter((value) => !Number.isNaN(value));
  if (latency === undefined || present?.length !== latency.length) {
    return notRun(
      9,
      title,
      "the bundled tables hold 1,999 of the 15,625 networks: it runs when the authors' pickle is imported",
    );
  }
  const mean = latency.reduce((sum, value) => sum + value, 0) / latency.length;
  const variance = latency.reduce((sum, value) => sum + (value - mean) ** 2, 0) / latency.length;
  const figures = [
    figure("mean, ms", edgeGpuSummary.mean, mean, 5e-5),
    figure("standard deviation, ms", edgeGpuSummary.standardDeviation, Math.sqrt(variance), 1e-4),
    figure(
      "minimum, ms",
      edgeGpuSummary.minimum,
      latency.reduce((least, value) => Math.min(least, value)),
      5e-5,
    ),
    figure(
      "maximum, ms",
      edgeGpuSummary.maximum,
      latency.reduce((most, value) => Math.max(most, value)),
      5e-3,
    ),
  ];
  if (known !== undefined) figures.push(equalEntries("the bundled networks", known, (index) => latency[index]));
  return check(9, title, figures);
}

import {
  accuracyCostFront,
  cellCosts,
  cellDatasetNamed,
  cheapestAbove,
  type FrontPoint,
  faultsOf,
  formatCell,
  metricUnit,
} from "@dovetail/nasbench";
import { renderFiguresPage } from "@dovetail/report";
import { writeFileAtomically } from "@dovetail/train";
import type { Command } from "commander";
import { type CommandIo, type CommonOptions, printResult } from "../../terminal/command-io.js";
import { formatTable } from "../../terminal/table.js";
import { defineCommand, numberBetween } from "../define.js";
import { faultLines } from "./faults.js";
import { loadTables, type TableOptions, withTableOptions } from "./tables.js";
import { quantile } from "./timing.js";

interface FrontOptions extends CommonOptions, TableOptions {
  readonly dataset: string;
  readonly metric: string;
  readonly limit?: number;
  readonly accuracy?: number;
  readonly plot?: string;
}

/** `dovetail hwnas front`: the networks that no other one beats. */
export function frontCommand(io: CommandIo): Command {
  const command = defineCommand("front", {
    summary: "the networks of NAS-Bench-201 that no other one beats in test accuracy and cost",
    description: "All 15,625 are looked at: the front is exact.",
    examples: [
      ["dovetail hwnas front --metric pixel3_latency", "accuracy on CIFAR-10 against latency on the Pixel 3"],
      ["dovetail hwnas front --metric raspi4_latency --accuracy 93.5", "and the fastest that is so accurate"],
      [
        "dovetail hwnas front --metric host_latency --device host.json --plot front.html",
        "on this machine, to look at",
      ],
    ],
  })
    .option("--dataset <name>", "cifar10, cifar100 or ImageNet16-120", "cifar10")
    .requiredOption("--metric <name>", "what is to be low, such as eyeriss_latency")
    .option("--limit <value>", "only networks up to this cost", numberBetween(0, Number.POSITIVE_INFINITY))
    .option("--accuracy <percent>", "the cheapest network with at least this test accuracy", numberBetween(0, 100))
    .option("--plot <file>", "write a page with all networks and the front (HTML)");
  return withTableOptions(command).action(async (options: FrontOptions) => {
    const { benchmark } = await loadTables(io, options);
    const { cells } = benchmark;
    const { metric, limit, accuracy, plot } = options;
    const dataset = cellDatasetNamed(options.dataset);
    const costs = cellCosts(cells, dataset, metric);
    const percent = cells.accuracies[dataset].test;
    const withArchitecture = (point: FrontPoint) => ({ ...point, architecture: formatCell(cells.codes[point.index]!) });
    const front = accuracyCostFront(percent, costs, { maximumCost: limit }).map(withArchitecture);
    const cheapest = accuracy === undefined ? undefined : cheapestAbove(percent, costs, accuracy);
    const faults = faultsOf("nas-bench-201", [{ metric }]);
    if (plot !== undefined) {
      await writeFileAtomically(plot, frontPage({ metric, dataset, x: costs, y: percent, front }));
    }
    const compared = costs.filter((cost) => !Number.isNaN(cost)).length;
    const unit = metricUnit(metric);
    const result = { dataset, metric, unit, compared, front, cheapest: cheapest && withArchitecture(cheapest), faults };
    printResult(io, options, result, () => [
      `${dataset}, ${metric}: ${front.length} of ${compared} networks`,
      ...formatTable(
        [unit, "accuracy %", "index", "network"],
        front.map((point) => [
          point.cost.toPrecision(6),
          point.accuracyPercent.toFixed(2),
          `${point.index}`,
          point.architecture,
        ]),
      ),
      ...(accuracy === undefined ? [] : [cheapestLine(accuracy, unit, cheapest)]),
      ...faultLines(faults),
    ]);
  });
}

function cheapestLine(accuracy: number, unit: string, cheapest: FrontPoint | undefined): string {
  return cheapest === undefined
    ? `no network has ${accuracy} %`
    : `cheapest with ${accuracy} %: network ${cheapest.index}, ${cheapest.cost.toPrecision(6)} ${unit}, ${cheapest.accuracyPercent.toFixed(2)} %`;
}

function frontPage(data: {
  readonly metric: string;
  readonly dataset: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly front: readonly FrontPoint[];
}): string {
  const { metric, dataset, x, y, front } = data;
  const best = front.at(-1);
  const yLeast = quantile(
    Array.from(y).sort((a, b) => a - b),
    0.25,
  );
  return renderFiguresPage({
    title: `Test accuracy against ${metric}`,
    kicker: `NAS-Bench-201, ${dataset}`,
    introduction: ["Costs: HW-NAS-Bench (C. Li et al., ICLR 2021). Accuracies: NATS-Bench (X. Dong et al.)."],
    sections: [
      {
        title: "All networks",
        plots: [
          {
            kind: "cloud",
            title: "Accuracy and cost",
            explanation: `up and to the left is better; the lower quarter of the networks, below ${yLeast.toFixed(1)} %, is left out`,
            label: `${front.length} networks on the front, the last with ${best?.accuracyPercent.toFixed(2)} %`,
            name: "networks",
            xTitle: `${metric}, ${metricUnit(metric)}`,
            yTitle: "test accuracy, %",
            x,
            y,
            yLeast,
            steps: [
              {
                name: "front",
                series: "found",
                points: front.map(({ cost, accuracyPercent }) => [cost, accuracyPercent]),
              },
            ],
            marks: best && [{ name: `network ${best.index}`, x: best.cost, y: best.accuracyPercent }],
          },
        ],
      },
    ],
  });
}

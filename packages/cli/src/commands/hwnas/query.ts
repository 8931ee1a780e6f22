import { inputError } from "@dovetail/core";
import { readArchitecture } from "@dovetail/hardware";
import { type NetworkEntry, queryNetwork, type SpaceName } from "@dovetail/nasbench";
import type { Command } from "commander";
import { readDocumentFile } from "../../files/read-text.js";
import { type CommandIo, type CommonOptions, printResult, withWatch } from "../../terminal/command-io.js";
import { formatTable } from "../../terminal/table.js";
import { defineCommand, repeated } from "../define.js";
import { seedOption } from "../options.js";
import { faultLines } from "./faults.js";
import { costOnArchitecture, type ModelOptions, withModelOptions } from "./models.js";
import { datasetOf, loadTables, spaceOption, type TableOptions, withTableOptions } from "./tables.js";

interface QueryOptions extends CommonOptions, TableOptions, ModelOptions {
  readonly space: SpaceName;
  readonly dataset?: string;
  readonly metric?: readonly string[];
  readonly arch?: string;
}

/** `dovetail hwnas query`: all that the tables have of some networks. */
export function queryCommand(io: CommandIo): Command {
  const command = defineCommand("query", {
    summary: "accuracy and costs of networks, with where each figure comes from",
    description:
      "A network is an index, an architecture string, or its operators (names or indices) separated by commas: six of " +
      "NAS-Bench-201, 22 of FBNet. Costs are of one image.",
    examples: [
      ["dovetail hwnas query 6111 3625", "two networks of NAS-Bench-201 on CIFAR-10"],
      ["dovetail hwnas query 'nor_conv_3x3,none,skip_connect,none,none,avg_pool_3x3'", "by its operators"],
      ["dovetail hwnas query 3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,8 --space fbnet", "a network of FBNet"],
      ["dovetail hwnas query 6111 --device host.json", "with this machine, as it was measured"],
      ["dovetail hwnas query 6111 --arch eyeriss.yaml", "with an accelerator of one's own, mapped and costed"],
    ],
  })
    .argument("<architectures...>", "indices, strings, or operators separated by commas")
    .addOption(spaceOption())
    .option("--dataset <name>", "cifar10, cifar100, ImageNet16-120; of FBNet cifar100, ImageNet")
    .option("--metric <name>", "only this metric; may be given several times", repeated)
    .option("--arch <file>", "cost it on this architecture too")
    .addOption(seedOption().default(0));
  return withTableOptions(withModelOptions(command)).action(
    async (architectures: readonly string[], options: QueryOptions) => {
      const { benchmark } = await loadTables(io, options);
      const dataset = datasetOf(options.space, options.dataset);
      const found = architectures.map((text) => queryNetwork(benchmark, options.space, text, dataset));
      const entries = options.arch === undefined ? found : await withArchitecture(io, options, options.arch, found);
      const chosen = entries.map((entry) => onlyMetrics(entry, options.metric));
      printResult(io, options, chosen, () =>
        chosen.flatMap((entry, index) => [...(index > 0 ? [""] : []), ...describe(entry)]),
      );
    },
  );
}

async function withArchitecture(
  io: CommandIo,
  options: QueryOptions,
  file: string,
  entries: readonly NetworkEntry[],
): Promise<NetworkEntry[]> {
  const architecture = await readDocumentFile(file, readArchitecture);
  return withWatch(io, options, async (watch) => {
    const costOf = costOnArchitecture(architecture, options, watch.signal);
    return entries.map((entry) => {
      const { latencyMs, energyMj } = costOf(entry.space, entry.architecture, entry.dataset);
      const provenance = "estimated";
      const costs = [
        ...entry.costs,
        { metric: `${architecture.name}_latency`, value: latencyMs, unit: "ms", provenance },
        { metric: `${architecture.name}_energy`, value: energyMj, unit: "mJ", provenance },
      ] as const;
      return { ...entry, costs };
    });
  });
}

function onlyMetrics(entry: NetworkEntry, metrics: readonly string[] | undefined): NetworkEntry {
  if (metrics === undefined) return entry;
  for (const metric of metrics) {
    if (entry.costs.some((cost) => cost.metric === metric) || entry.missing.includes(metric)) continue;
    throw inputError("unknown_metric", "there is no such metric", {
      file: "--metric",
      expected: `one of ${entry.costs.map((cost) => cost.metric).join(", ")}`,
      received: metric,
    });
  }
  return {
    ...entry,
    costs: entry.costs.filter(({ metric }) => metrics.includes(metric)),
    missing: entry.missing.filter((metric) => metrics.includes(metric)),
    faults: entry.faults.filter((fault) => fault.metrics.some((metric) => metrics.includes(metric))),
  };
}

function describe(entry: NetworkEntry): string[] {
  const { space, dataset, index, architecture, canonical, macs, parameters, accuracyPercent, costs, missing } = entry;
  const validation = accuracyPercent?.validation;
  return [
    `${space}${index === undefined ? "" : ` network ${index}`} on ${dataset}: ${architecture}`,
    ...(canonical === undefined ? [] : [`  computes     ${canonical}`]),
    `  size         ${macs} MACs, ${parameters} parameters`,
    ...(accuracyPercent
      ? [
          `  accuracy     test ${accuracyPercent.test.toFixed(2)} %${validation === undefined ? "" : `, validation ${validation.toFixed(2)} %`} (NATS-Bench, 200 epochs)`,
        ]
      : []),
    ...formatTable(
      ["  metric", "value", "unit", "comes from"],
      costs.map(({ metric, value, unit, provenance }) => [`  ${metric}`, value.toPrecision(6), unit, provenance]),
    ),
    ...(missing.length === 0 ? [] : [`  not in these tables: ${missing.join(", ")} (dovetail hwnas import adds them)`]),
    ...faultLines(entry.faults),
  ];
}

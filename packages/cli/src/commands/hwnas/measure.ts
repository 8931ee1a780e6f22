import { rm } from "node:fs/promises";
import { cpus } from "node:os";
import { inputError } from "@dovetail/core";
import { checkDeviceName, type DeviceTable, kendallTau, pearsonR, type SpaceName } from "@dovetail/nasbench";
import { renderFiguresPage } from "@dovetail/report";
import { isPresent, writeFileAtomically } from "@dovetail/train";
import { type Command, Option } from "commander";
import { readText } from "../../files/read-text.js";
import { jsonText } from "../../jobs/json-text.js";
import { type CommandIo, type CommonOptions, printResult, withWatch } from "../../terminal/command-io.js";
import { Interrupted } from "../../terminal/exit-codes.js";
import { formatTable } from "../../terminal/table.js";
import { currentVersions } from "../../terminal/versions.js";
import { defineCommand, numberBetween, wholeNumber } from "../define.js";
import { seedOption, threadsOption } from "../options.js";
import { carryOnMeasuring, deviceTableOf, type MeasuringPlan, type MeasuringState } from "./measuring.js";
import { datasetOf, loadTables, spaceOption } from "./tables.js";
import { type Clock, quantile } from "./timing.js";

interface MeasureOptions extends CommonOptions {
  readonly output: string;
  readonly name: string;
  readonly space: SpaceName;
  readonly dataset?: string;
  readonly threads: number;
  readonly warmUp: number;
  readonly rounds: number;
  readonly repeats: number;
  readonly clock: Clock;
  readonly displace?: number;
  readonly networks: number;
  readonly seed: number;
  readonly plot?: string;
}

/** `dovetail hwnas measure`: this machine's latency of every operator, for look-up. */
export function measureCommand(io: CommandIo): Command {
  return defineCommand("measure", {
    summary: "time every operator of a space on this machine, and check the sums on whole networks",
    description:
      "Operators run in ONNX Runtime with one image. Longer and shorter models run in turn, and an operator's latency is " +
      "the median of their differences. Ctrl-C keeps what was measured; the same command goes on.",
    examples: [
      ["dovetail hwnas measure -o host.json", "NAS-Bench-201's operators on CIFAR-10 images"],
      ["dovetail hwnas measure -o host.json --space fbnet --clock cpu", "FBNet's operators, on a busy machine"],
      ["dovetail hwnas query 6111 --device host.json", "then: the machine as one more device"],
    ],
  })
    .requiredOption("-o, --output <file>", "where the table is written (JSON)")
    .option("--name <name>", "name of the device", "host")
    .addOption(spaceOption())
    .option("--dataset <name>", "whose image size; default: cifar10, of FBNet cifar100")
    .addOption(threadsOption().default(1))
    .option("--warm-up <n>", "runs before the first that counts", wholeNumber(0), 5)
    .option("--rounds <n>", "everything is timed so often, one after another", wholeNumber(1), 4)
    .option("--repeats <n>", "runs of a round that count", wholeNumber(1), 10)
    .addOption(
      new Option("--clock <name>", "wall: time that passes; cpu: this process's, for a busy machine")
        .choices(["wall", "cpu"])
        .default("wall"),
    )
    .option(
      "--displace <MB>",
      "other data that are read before each run of an operator; default: a network's weights",
      numberBetween(0, 1000),
    )
    .option("--networks <n>", "random whole networks to measure beside the sums", wholeNumber(0), 12)
    .addOption(seedOption().default(0))
    .option("--plot <file>", "write a page that shows sums against measurements (HTML)")
    .action(async (options: MeasureOptions) => {
      const { benchmark } = await loadTables(io, {});
      const state = await resumed(options);
      const part = partFile(options);
      const save = (): Promise<void> => writeFileAtomically(part, jsonText(state));
      await withWatch(io, options, (watch) => carryOnMeasuring(state, watch, save)).catch((error: unknown) => {
        if (!io.signal.aborted) throw error;
        throw new Interrupted(`what was measured is in ${part}; the same command goes on from there`);
      });
      const table = deviceTableOf(state, benchmark, await conditionsOf(state.plan));
      await writeFileAtomically(options.output, jsonText(table));
      await rm(part, { force: true });
      if (options.plot !== undefined) await writeFileAtomically(options.plot, plotPage(table));
      const agreement = agreementOf(table);
      printResult(io, options, { output: options.output, ...agreement, table }, () => [
        ...describe(table, agreement),
        `written to ${options.output}: dovetail hwnas query --device ${options.output} …`,
      ]);
    });
}

/** Mean weights of a space's networks in float32: what an operator finds in the caches when its turn comes. */
const weightsMb: Readonly<Record<SpaceName, number>> = { "nas-bench-201": 1.6, fbnet: 6.9 };

function partFile({ output }: MeasureOptions): string {
  return `${output}.part`;
}

function planOf(options: MeasureOptions): MeasuringPlan {
  const { name, space, dataset, threads, warmUp, rounds, repeats, clock, networks, seed } = options;
  const displacedMb = options.displace ?? weightsMb[space];
  const device = checkDeviceName(name, ["--name"]);
  return {
    device,
    space,
    dataset: datasetOf(space, dataset),
    threads,
    warmUp,
    rounds,
    repeats,
    clock,
    displacedMb,
    networks,
    seed,
  };
}

/** The beginning that an interruption left, or nothing yet. Throws `other_measurement` where it was another one. */
async function resumed(options: MeasureOptions): Promise<MeasuringState> {
  const plan = planOf(options);
  const part = partFile(options);
  if (!(await isPresent(part))) return { plan, operators: {}, networks: {} };
  const state = parsePart(await readText(part));
  if (JSON.stringify(state?.plan) === JSON.stringify(plan)) return state!;
  throw inputError("other_measurement", "this is the beginning of another measurement", {
    file: part,
    expected: `the options ${JSON.stringify(plan)}`,
    received: JSON.stringify(state?.plan ?? "no beginning"),
    hint: "remove the file, or give the options that it was begun with",
  });
}

function parsePart(text: string): MeasuringState | undefined {
  try {
    return JSON.parse(text) as MeasuringState;
  } catch {
    return undefined;
  }
}

async function conditionsOf({
  threads,
  warmUp,
  rounds,
  repeats,
  clock,
  displacedMb,
}: MeasuringPlan): Promise<DeviceTable["conditions"]> {
  const { onnxruntime, node } = await currentVersions();
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    threads,
    warmUp,
    rounds,
    repeats,
    clock,
    displacedMb,
    onnxruntime,
    node,
    batch: 1,
  };
}

/** How well sums of operators agree with whole networks. */
interface Agreement {
  readonly medianErrorFraction: number;
  readonly kendall: number;
  readonly pearson: number;
}

function agreementOf({ networks }: DeviceTable): Agreement {
  const measured = networks.map(({ measuredMs }) => measuredMs);
  const predicted = networks.map(({ predictedMs }) => predictedMs);
  const errors = networks
    .map((network) => Math.abs(network.predictedMs / network.measuredMs - 1))
    .sort((a, b) => a - b);
  return {
    medianErrorFraction: errors.length === 0 ? Number.NaN : quantile(errors, 0.5),
    kendall: kendallTau(measured, predicted),
    pearson: pearsonR(measured, predicted),
  };
}

function describe({ operators, networks, conditions }: DeviceTable, agreement: Agreement): string[] {
  const { medianErrorFraction, kendall, pearson } = agreement;
  const slowest = Object.entries(operators)
    .sort(([, a], [, b]) => b.medianMs - a.medianMs)
    .slice(0, 8);
  return [
    Object.entries(conditions)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
    `${Object.keys(operators).length} operators; the slowest:`,
    ...formatTable(
      ["operator", "median ms", "quartiles"],
      slowest.map(([key, { medianMs, quartilesMs }]) => [
        key,
        medianMs.toFixed(4),
        `${quartilesMs[0].toFixed(4)} to ${quartilesMs[1].toFixed(4)}`,
      ]),
    ),
    ...(networks.length === 0
      ? []
      : [
          "whole networks beside the sums of their operators:",
          ...formatTable(
            ["measured ms", "sum ms", "error", "network"],
            networks.map(({ architecture, measuredMs, predictedMs }) => [
              measuredMs.toFixed(3),
              predictedMs.toFixed(3),
              `${(100 * (predictedMs / measuredMs - 1)).toFixed(1)} %`,
              architecture,
            ]),
          ),
          `median error ${(100 * medianErrorFraction).toFixed(1)} %, Kendall τ-b ${kendall.toFixed(3)}, Pearson r ${pearson.toFixed(3)}`,
        ]),
  ];
}

function plotPage(table: DeviceTable): string {
  const { networks, device, space, dataset, conditions } = table;
  const x = networks.map(({ measuredMs }) => measuredMs);
  const most = Math.max(...x, 0);
  const agreement = agreementOf(table);
  return renderFiguresPage({
    title: `${device}: sums of operators against whole networks`,
    kicker: `${space}, ${dataset}`,
    introduction: [
      Object.entries(conditions)
        .map(([name, value]) => `${name} ${value}`)
        .join(", "),
    ],
    sections: [
      {
        title: "Agreement",
        paragraphs: [
          `Median error ${(100 * agreement.medianErrorFraction).toFixed(1)} %, Kendall τ-b ${agreement.kendall.toFixed(3)}.`,
        ],
        plots: [
          {
            kind: "cloud",
            title: "Whole networks",
            explanation: "on the line the sum is exact",
            label: `${networks.length} networks, sum of operators against measurement`,
            name: "networks",
            xTitle: "measured, ms",
            yTitle: "sum of operators, ms",
            x,
            y: networks.map(({ predictedMs }) => predictedMs),
            marks: networks.map(({ measuredMs, predictedMs }, index) => ({
              name: `${index + 1}`,
              x: measuredMs,
              y: predictedMs,
            })),
            steps: [
              {
                name: "equal",
                series: "c0",
                straight: true,
                points: [
                  [0, 0],
                  [most, most],
                ],
              },
            ],
          },
        ],
      },
    ],
  });
}

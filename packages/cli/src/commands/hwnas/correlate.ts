import { readArchitecture } from "@dovetail/hardware";
import { type Correlations, correlations, type SpaceName } from "@dovetail/nasbench";
import { renderFiguresPage } from "@dovetail/report";
import { writeFileAtomically } from "@dovetail/train";
import { type Command, Option } from "commander";
import { readDocumentFile } from "../../files/read-text.js";
import { type CommandIo, type CommonOptions, printResult, withWatch } from "../../terminal/command-io.js";
import { formatTable } from "../../terminal/table.js";
import { defineCommand } from "../define.js";
import { seedOption } from "../options.js";
import { type Blame, type ComparedColumns, compareCells, compareFbnet } from "./compared.js";
import { type ModelOptions, withModelOptions } from "./models.js";
import { datasetOf, loadTables, spaceOption, type TableOptions, withTableOptions } from "./tables.js";

type Coefficient = Exclude<keyof Correlations, "count">;

interface CorrelateOptions extends CommonOptions, TableOptions, ModelOptions {
  readonly space: SpaceName;
  readonly dataset?: string;
  readonly coefficient: Coefficient;
  readonly models: boolean;
  readonly arch?: string;
  readonly plot?: string;
}

/** `dovetail hwnas correlate`: which costs rank networks alike. */
export function correlateCommand(io: CommandIo): Command {
  const command = defineCommand("correlate", {
    summary: "devices, sizes and our cost models against each other: which rank networks alike",
    description:
      "NAS-Bench-201: all 15,625 networks (fewer where a device has fewer). FBNet: the 5,000 sampled ones. Our models: the " +
      "Eyeriss-like accelerator with its mapper, the FPGA chunk pipeline on a ZC706, and DNN-Chip-Predictor's closed form. " +
      "Where they are to agree with a published device, the operators that disagree are named.",
    examples: [
      ["dovetail hwnas correlate", "Kendall's τ-b of all pairs"],
      ["dovetail hwnas correlate --pooling convolution", "pooling charged as the published Eyeriss tables charge it"],
      ["dovetail hwnas correlate --space fbnet --coefficient spearman --plot pairs.html", "FBNet, to look at"],
      ["dovetail hwnas correlate --arch mine.yaml", "with an accelerator of one's own"],
    ],
  })
    .addOption(spaceOption())
    .option("--dataset <name>", "default: cifar10, of FBNet cifar100")
    .addOption(
      new Option("--coefficient <name>", "which").choices(["kendall", "spearman", "pearson"]).default("kendall"),
    )
    .option("--no-models", "without our cost models")
    .option("--arch <file>", "a further accelerator")
    .option("--plot <file>", "write a page with the table as shades (HTML)")
    .addOption(seedOption().default(0));
  return withTableOptions(withModelOptions(command)).action(async (options: CorrelateOptions) => {
    const { benchmark } = await loadTables(io, options);
    const architecture =
      options.arch === undefined ? undefined : await readDocumentFile(options.arch, readArchitecture);
    const dataset = datasetOf(options.space, options.dataset);
    const compare = options.space === "fbnet" ? compareFbnet : compareCells;
    const compared = await withWatch(io, options, (watch) =>
      compare(benchmark, dataset, { ...options, architecture }, watch),
    );
    const table = compared.columns.map((row) =>
      compared.columns.map((column) => correlations(row.values, column.values)),
    );
    const names = compared.columns.map(({ name }) => name);
    if (options.plot !== undefined) {
      await writeFileAtomically(options.plot, correlationPage(options, dataset, compared, table));
    }
    const result = { space: options.space, dataset, pooling: options.pooling, names, table, blame: compared.blame };
    printResult(io, options, result, () => [
      `${options.space}, ${dataset}: ${options.coefficient} over ${compared.networks} networks`,
      ...formatTable(
        ["", ...names],
        table.map((row, index) => [names[index]!, ...row.map((pair) => format(pair[options.coefficient]))]),
      ),
      ...compared.blame.flatMap(describeBlame),
    ]);
  });
}

function format(value: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(3);
}

function describeBlame({ model, device, pooling, target, kendall, operators }: Blame): string[] {
  const verdict = target === undefined ? "" : kendall >= target ? `, as asked (${target})` : `, below ${target}`;
  return [
    "",
    `${model} against ${device}, pooling ${pooling}: τ-b ${kendall.toFixed(4)}${verdict}`,
    ...formatTable(
      ["  operator", "price over published", "τ-b if priced as published"],
      operators.map(({ operator, relativePrice, kendallIfPublished }) => [
        `  ${operator}`,
        Number.isNaN(relativePrice) ? "-" : relativePrice.toFixed(2),
        kendallIfPublished.toFixed(4),
      ]),
    ),
  ];
}

function correlationPage(
  { space, coefficient }: CorrelateOptions,
  dataset: string,
  { columns, networks, blame }: ComparedColumns,
  table: readonly (readonly Correlations[])[],
): string {
  const names = columns.map(({ name }) => name);
  return renderFiguresPage({
    title: "Which costs rank networks alike",
    kicker: `${space}, ${dataset}`,
    introduction: [`${coefficient} over ${networks} networks; 1 is the same order.`],
    sections: [
      {
        title: "All pairs",
        plots: [
          {
            kind: "matrix",
            title: coefficient,
            explanation: "negative ones in red",
            label: `${coefficient} of ${names.join(", ")}`,
            rows: names,
            columns: names,
            values: table.map((row) => row.map((pair) => pair[coefficient])),
          },
        ],
      },
      ...(blame.length === 0
        ? []
        : [
            {
              title: "Our models beside the published devices",
              paragraphs: blame.flatMap((one) => describeBlame(one).slice(1, 2)),
            },
          ]),
    ],
  });
}

import { join } from "node:path";
import { inputError } from "@dovetail/core";
import {
  type Architecture,
  exportScaleSimConfig,
  exportScaleSimTopology,
  exportTimeloop,
  exportZigZag,
  type Mapping,
  type Problem,
  readArchitecture,
  readMapping,
  readProblem,
  type SystolicDataflow,
  writeScaleSimConfig,
  writeScaleSimTopology,
  writeZigZagHardware,
  writeZigZagMapping,
  writeZigZagWorkload,
} from "@dovetail/hardware";
import { writeFileAtomically } from "@dovetail/train";
import { type Command, Option } from "commander";
import { inFile, readDocumentFile } from "../files/read-text.js";
import { type CommandIo, type CommonOptions, printResult } from "../terminal/command-io.js";
import { defineCommand } from "./define.js";
import { type BitOptions, readLayers, withBitOptions } from "./network-cost.js";

interface ExportOptions extends CommonOptions, BitOptions {
  readonly arch: string;
  readonly problem?: string;
  readonly mapping?: string;
  readonly network?: string;
  readonly dataflow: keyof typeof dataflows;
  readonly output: string;
}

const dataflows = { ws: "weightStationary", is: "inputStationary", os: "outputStationary" } as const;

/** What is exported: layers with their names, and a mapping of the only one. */
interface Subject {
  readonly layers: readonly { readonly name: string; readonly problem: Problem }[];
  readonly architecture: Architecture;
  readonly mapping: Mapping | undefined;
  readonly dataflow: SystolicDataflow;
}

type Files = Readonly<Record<string, string>>;

const tools: Readonly<Record<string, (subject: Subject) => Files>> = {
  timeloop: (subject) => {
    const { input, ert, art } = exportTimeloop(onlyLayer(subject), subject.architecture, subject.mapping);
    return { "input.yaml": input, "ERT.yaml": ert, "ART.yaml": art };
  },
  zigzag: (subject) => {
    const { accelerator, entries, layers } = exportZigZag(onlyLayer(subject), subject.architecture, subject.mapping);
    return {
      "hardware.yaml": writeZigZagHardware(accelerator),
      "mapping.yaml": writeZigZagMapping(entries),
      "workload.yaml": writeZigZagWorkload(layers),
    };
  },
  scalesim: ({ layers, architecture, mapping, dataflow }) => {
    if (mapping !== undefined) {
      throw inputError("export_mapping", "SCALE-Sim has a dataflow in place of a mapping", { expected: "--dataflow" });
    }
    return {
      "config.cfg": writeScaleSimConfig(exportScaleSimConfig(architecture, dataflow)),
      "topology.csv": writeScaleSimTopology(exportScaleSimTopology(layers)),
    };
  },
};

function onlyLayer({ layers }: Subject): Problem {
  const [first, second] = layers;
  if (first !== undefined && second === undefined) return first.problem;
  throw inputError("export_layers", "this tool takes one layer at a time", {
    expected: "--problem",
    received: `${layers.length} layers`,
    hint: "dovetail layers writes the problems of a network",
  });
}

/** `dovetail export`: a layer, an architecture and a mapping as another tool's files. */
export function exportCommand(io: CommandIo): Command {
  const command = defineCommand("export", {
    summary: "a layer, an architecture and a mapping as the files of another tool",
    description:
      "What the tool cannot say is refused by name, for a file that says something else would be worse than none. " +
      "`dovetail cost --from` reads the files again.",
    examples: [
      [
        "dovetail export timeloop --problem conv.yaml --arch eyeriss.yaml --mapping m.yaml -o timeloop",
        "for Timeloop 0.4",
      ],
      [
        "dovetail export zigzag --problem conv.yaml --arch eyeriss.yaml -o zigzag",
        "for ZigZag, which looks for a mapping",
      ],
      ["dovetail export scalesim --network model.onnx --arch tpu.yaml -o scalesim", "for SCALE-Sim, a whole network"],
    ],
  })
    .argument("<tool>", Object.keys(tools).join(", "))
    .requiredOption("--arch <file>", "the architecture")
    .option("--problem <file>", "the layer as a loop nest")
    .option("--mapping <file>", "the layer's mapping")
    .option("--network <file>", "an ONNX file, or a run folder (scalesim)")
    .addOption(
      new Option("--dataflow <name>", "what stays in SCALE-Sim's array").choices(Object.keys(dataflows)).default("ws"),
    )
    .requiredOption("-o, --output <folder>", "where the files go");
  return withBitOptions(command).action(async (tool: string, options: ExportOptions) => {
    const write = Object.hasOwn(tools, tool) ? tools[tool] : undefined;
    if (write === undefined) command.error(`error: unknown tool ${tool}: expected ${Object.keys(tools).join(", ")}`);
    const { arch, problem, mapping, network, output } = options;
    if ((problem === undefined) === (network === undefined)) command.error("error: give --problem or --network");
    const subject: Subject = {
      layers: problem === undefined ? await readLayers(network!, options) : [await namedProblem(problem)],
      architecture: await readDocumentFile(arch, readArchitecture),
      mapping: mapping === undefined ? undefined : await readDocumentFile(mapping, readMapping),
      dataflow: dataflows[options.dataflow],
    };
    const files = inFile(arch, () => write!(subject));
    for (const [name, text] of Object.entries(files)) await writeFileAtomically(join(output, name), text);
    const written = Object.keys(files).map((name) => join(output, name));
    printResult(io, options, { files: written }, () => written);
  });
}

async function namedProblem(file: string): Promise<Subject["layers"][number]> {
  const problem = await readDocumentFile(file, readProblem);
  return { name: problem.name, problem };
}

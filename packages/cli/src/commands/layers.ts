import { join } from "node:path";
import {
  dataSpaceWords,
  distinctLayers,
  type Layer,
  type Operation,
  type Problem,
  writeProblem,
} from "@dovetail/hardware";
import { writeFileAtomically } from "@dovetail/train";
import type { Command } from "commander";
import { mappingFileNames } from "../runs/hardware-files.js";
import { type CommandIo, type CommonOptions, printResult } from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import { defineCommand } from "./define.js";
import { type BitOptions, readWorkloads, withBitOptions } from "./network-cost.js";

interface LayersOptions extends CommonOptions, BitOptions {
  readonly output?: string;
}

/** `dovetail layers`: what a network computes, as loop nests. */
export function layersCommand(io: CommandIo): Command {
  const command = defineCommand("layers", {
    summary: "the layers of a network as loop nests, and what else it computes",
    description: "Values of the network are not needed: external data may be missing.",
    examples: [
      ["dovetail layers model.onnx", "a line a layer: sizes, multiply-accumulates, words and bits of its tensors"],
      ["dovetail layers model.onnx -o problems", "each layer as a YAML file for `dovetail cost --problem`"],
    ],
  })
    .argument("<network>", "an ONNX file, or a run folder")
    .option("-o, --output <folder>", "write a problem a layer to this folder");
  return withBitOptions(command).action(async (network: string, options: LayersOptions) => {
    const { layers, operations } = await readWorkloads(network, options);
    if (options.output !== undefined) await writeProblems(options.output, layers);
    printResult(io, options, { layers: layers.map(summaryOf), operations: countOperations(operations) }, () =>
      describe(layers, operations),
    );
  });
}

async function writeProblems(folder: string, layers: readonly Layer[]): Promise<void> {
  const names = mappingFileNames(layers.map(({ name }) => name));
  for (const [index, { problem }] of layers.entries()) {
    await writeFileAtomically(join(folder, names[index]!), writeProblem(problem));
  }
}

function summaryOf({ name, operator, macs, repetitions, problem }: Layer) {
  const tensors = problem.dataSpaces.map((dataSpace) => ({
    name: dataSpace.name,
    words: dataSpaceWords(problem, dataSpace),
    bitWidth: dataSpace.bitWidth,
  }));
  return { name, operator, macs, repetitions, dimensions: problem.dimensions, tensors };
}

/** How many nodes of each operator combine how many values. */
function countOperations(operations: readonly Operation[]) {
  const counts = new Map<string, { operator: string; kind: string; nodes: number; combinedValues: number }>();
  for (const { operator, kind, combinedValues } of operations) {
    const count = counts.get(operator) ?? { operator, kind, nodes: 0, combinedValues: 0 };
    count.nodes++;
    count.combinedValues += combinedValues;
    counts.set(operator, count);
  }
  return [...counts.values()];
}

function describe(layers: readonly Layer[], operations: readonly Operation[]): string[] {
  const spaces = [...new Set(layers.flatMap(({ problem }) => problem.dataSpaces.map(({ name }) => name)))];
  const total = layers.reduce((sum, { macs }) => sum + macs, 0);
  return [
    ...formatTable(
      ["layer", "operator", "loops", "MACs", ...spaces],
      layers.map(({ name, operator, macs, repetitions, problem }) => [
        name,
        operator,
        loopsOf(problem.dimensions) + (repetitions > 1 ? ` × ${repetitions}` : ""),
        `${macs}`,
        ...spaces.map((space) => wordsOf(problem, space)),
      ]),
    ),
    `${layers.length} layers of ${distinctLayers(layers).length} shapes, ${total} MACs`,
    `besides: ${operations.length === 0 ? "nothing" : countOperations(operations).map(phrase).join(", ")}`,
  ];
}

function wordsOf(problem: Problem, space: string): string {
  const dataSpace = problem.dataSpaces.find(({ name }) => name === space);
  return dataSpace === undefined ? "" : `${dataSpaceWords(problem, dataSpace)} × ${dataSpace.bitWidth} bit`;
}

/** Loops of size 1 are left out. */
function loopsOf(dimensions: Readonly<Record<string, number>>): string {
  return Object.entries(dimensions)
    .filter(([, size]) => size > 1)
    .map(([name, size]) => `${name}${size}`)
    .join(" ");
}

function phrase({ operator, nodes, combinedValues }: ReturnType<typeof countOperations>[number]): string {
  return `${nodes} ${operator} (${combinedValues} values)`;
}

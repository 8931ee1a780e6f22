import { join } from "node:path";
import { inputError } from "@dovetail/core";
import {
  type Architecture,
  type CostModel,
  compareModels,
  explainCount,
  isPipeline,
  type Mapping,
  type MappingCost,
  type MappingRejection,
  type Problem,
  printComparison,
  printExplanation,
  printMapping,
  printProblem,
  readArchitecture,
  readMapping,
  readProblem,
} from "@dovetail/hardware";
import type { Command } from "commander";
import { inFile, readDocumentFile } from "../files/read-text.js";
import { mappingFileNames } from "../runs/hardware-files.js";
import { type CommandIo, type CommonOptions, printResult } from "../terminal/command-io.js";
import {
  acceleratorTarget,
  architectureTarget,
  type MappingTarget,
  readZoo,
  withAcceleratorOptions,
  type ZeroOptions,
} from "./accelerator-target.js";
import { countNamed } from "./cost-count.js";
import { costFrom, toolNames } from "./cost-from.js";
import { defineCommand } from "./define.js";
import {
  type BitOptions,
  type CostedLayer,
  describeLayers,
  describeNetworkCost,
  networkCost,
  readLayers,
  withBitOptions,
} from "./network-cost.js";
import { modelOption } from "./options.js";
import { refusal } from "./refusal.js";
import { costMapping, describeCost, refuseSparse } from "./sparse-cost.js";

interface CostOptions extends CommonOptions, BitOptions, ZeroOptions {
  readonly arch?: string;
  readonly accelerator?: string;
  readonly from?: string;
  readonly problem?: string;
  readonly mapping?: string;
  readonly network?: string;
  readonly mappings?: string;
  readonly model: CostModel;
  readonly compare?: boolean;
  readonly explain?: string;
  readonly verbose?: boolean;
}

/** `dovetail cost`: what a layer, or a network, costs under given mappings, and why. */
export function costCommand(io: CommandIo): Command {
  const command = defineCommand("cost", {
    summary: "energy, latency and accesses of a layer under a mapping, explained; or of a whole network",
    description:
      "Problem, architecture and mapping are three YAML documents; the cost is a function of them and of nothing else. " +
      "A network's mappings lie in a folder, a file a layer, as `dovetail map -o` and run folders have them.",
    examples: [
      ["dovetail cost --problem conv.yaml --arch eyeriss.yaml --mapping m.yaml", "the cost by memory level and tensor"],
      ["dovetail cost … --explain globalBuffer.Inputs.reads", "where a count comes from, loop by loop"],
      ["dovetail cost … --compare", "where the cost models differ for this mapping, and why"],
      ["dovetail cost --network model.onnx --arch eyeriss.yaml --mappings mappings", "a network, a line a layer"],
      ["dovetail cost --network model.onnx --accelerator stripes --mappings mappings", "on a machine of the zoo"],
      ["dovetail cost --from zigzag hardware.yaml mapping.yaml model.onnx", "the files of another tool, by its model"],
      ["dovetail cost --from timeloop arch.yaml problem.yaml mapping.yaml ERT.yaml", "a mapping of Timeloop's"],
    ],
  })
    .argument("[files...]", "the files of --from")
    .option("--from <tool>", `read the files of another tool, and cost them by its model: ${toolNames.join(", ")}`)
    .option("--arch <file>", "the architecture")
    .option("--problem <file>", "the layer as a loop nest")
    .option("--mapping <file>", "the layer's mapping")
    .option("--network <file>", "an ONNX file, or a run folder")
    .option("--mappings <folder>", "the mappings of its layers")
    .addOption(modelOption())
    .option("--explain <count>", "derive a count of the layer: LEVEL.TENSOR.reads, .fills or .updates")
    .option("--compare", "where the models differ for a layer's mapping, and why")
    .option("--verbose", "each mapping of the network as a loop nest, with its cost by level");
  return withBitOptions(withAcceleratorOptions(command)).action(
    async (files: readonly string[], options: CostOptions) => {
      const { arch, accelerator, from, problem, mapping, network, mappings } = options;
      if (from !== undefined) {
        if (arch ?? accelerator ?? problem ?? mapping ?? network ?? mappings)
          command.error("error: --from takes files only");
        await costFrom(io, from, options, files);
      } else if (files.length > 0) {
        command.error(
          "error: files without --from (a layer is given by --problem and --mapping, a network by --network and --mappings)",
        );
      } else if ((arch === undefined) === (accelerator === undefined)) {
        command.error("error: give --arch or --accelerator");
      } else if (problem !== undefined && mapping !== undefined && network === undefined && mappings === undefined) {
        await costLayer(io, options, problem, mapping);
      } else if (network !== undefined && mappings !== undefined && problem === undefined && mapping === undefined) {
        await costNetwork(io, options, network, mappings);
      } else {
        command.error("error: give --problem and --mapping, or --network and --mappings");
      }
    },
  );
}

async function readTarget(options: CostOptions): Promise<MappingTarget> {
  const { arch, accelerator } = options;
  if (accelerator === undefined) return architectureTarget(arch!, await readDocumentFile(arch!, readArchitecture));
  const machine = await readZoo(accelerator);
  if (!isPipeline(machine)) return acceleratorTarget(accelerator, machine, options);
  throw inputError("pipeline_mapping", "a pipeline has no mappings of loop nests", {
    file: accelerator,
    hint: "`dovetail map` finds the fastest pipeline and says what it takes",
  });
}

async function costLayer(io: CommandIo, options: CostOptions, problemFile: string, mappingFile: string): Promise<void> {
  const layer = await readDocumentFile(problemFile, readProblem);
  const { architecture, problem, costOf: inCycles } = (await readTarget(options)).of({ problem: layer });
  const mapping = await readDocumentFile(mappingFile, readMapping);
  if (options.compare) {
    refuseSparse(problem, architecture, "--compare");
    const comparison = inFile(mappingFile, () => compareModels(problem, architecture, mapping));
    if (!comparison.ok) throw misfit(comparison, "exact", mappingFile);
    printResult(io, options, comparison, () => [
      printProblem(problem),
      printMapping(mapping),
      printComparison(comparison),
    ]);
    return;
  }
  const cost = inCycles(costOf(problem, architecture, mapping, options.model, mappingFile));
  if (options.explain === undefined) {
    printResult(io, options, cost, () => [printProblem(problem), printMapping(mapping), describeCost(cost)]);
    return;
  }
  refuseSparse(problem, architecture, "--explain");
  const question = { ...countNamed(options.explain, cost), model: options.model };
  const explanation = explainCount(problem, architecture, mapping, question);
  if (!explanation.ok) throw refusal(mappingFile, explanation);
  printResult(io, options, explanation, () => [printExplanation(explanation)]);
}

async function costNetwork(io: CommandIo, options: CostOptions, network: string, folder: string): Promise<void> {
  const layers = await readLayers(network, options);
  const target = await readTarget(options);
  const files = mappingFileNames(layers.map(({ name }) => name)).map((name) => join(folder, name));
  const costed: CostedLayer[] = [];
  for (const [index, layer] of layers.entries()) {
    const mapping = await readDocumentFile(files[index]!, readMapping);
    const { architecture, problem, costOf: inCycles } = target.of(layer);
    const cost = inCycles(costOf(problem, architecture, mapping, options.model, files[index]!));
    costed.push({ layer, mapping, cost });
  }
  const result = networkCost(costed, target);
  printResult(io, options, result, () => [
    ...(options.verbose ? describeLayers(result) : []),
    ...describeNetworkCost(result),
  ]);
}

function costOf(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  model: CostModel,
  file: string,
): MappingCost {
  const cost = inFile(file, () => costMapping(problem, architecture, mapping, model));
  if (cost.ok) return cost;
  throw misfit(cost, model, file);
}

/** The error for a mapping that a model rejects. */
function misfit(rejection: MappingRejection, model: CostModel, file: string): Error {
  if (!hasRemainders(rejection)) return refusal(file, rejection);
  const what = model === "exact" ? "a loop never reaches its last iteration" : "only the model exact takes remainders";
  return refusal(file, rejection, what);
}

/** Whether the bounds of a dimension cover more than it has. */
function hasRemainders({ reason, needed = 0, available = 0 }: MappingRejection): boolean {
  return reason === "factors" && needed > available;
}

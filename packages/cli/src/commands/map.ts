import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { createRandomStream } from "@dovetail/core";
import {
  type CostModel,
  createMappingCache,
  type FpgaSolution,
  isPipeline,
  type Layer,
  type MapperName,
  type Mapping,
  mapNetwork,
  mapperNames,
  networkJobs,
  type Objective,
  orKnownMapping,
  readArchitecture,
  solvePipeline,
  writeMapping,
} from "@dovetail/hardware";
import { writeFileAtomically } from "@dovetail/train";
import { type Command, InvalidArgumentError, Option } from "commander";
import { readDocumentFile } from "../files/read-text.js";
import { mappingFileNames } from "../runs/hardware-files.js";
import {
  type CommandIo,
  type CommandWatch,
  type CommonOptions,
  printResult,
  withWatch,
} from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import {
  acceleratorTarget,
  architectureTarget,
  type MappingTarget,
  readZoo,
  withAcceleratorOptions,
  type ZeroOptions,
} from "./accelerator-target.js";
import { defineCommand, wholeNumber } from "./define.js";
import { mapFrom } from "./map-from-timeloop.js";
import { describeProofs, type LayerProof, proofOf } from "./map-proof.js";
import { fillCache } from "./map-threads.js";
import {
  type BitOptions,
  type CostedLayer,
  describeLayers,
  describeNetworkCost,
  type NetworkCost,
  networkCost,
  readLayers,
  withBitOptions,
} from "./network-cost.js";
import { modelOption, seedOption } from "./options.js";
import { refusal } from "./refusal.js";
import { withSparsity } from "./sparse-cost.js";

interface MapOptions extends CommonOptions, BitOptions, ZeroOptions {
  readonly network: string;
  readonly from?: string;
  readonly arch?: string;
  readonly accelerator?: string;
  readonly objective: Objective;
  readonly evaluations: number;
  readonly seed: number;
  readonly model: CostModel;
  readonly mapper: MapperName;
  readonly nodes?: number;
  readonly threads: number;
  readonly bits?: readonly number[];
  readonly output?: string;
  readonly verbose?: boolean;
}

/** `dovetail map`: a mapping for every layer of a network on an accelerator. */
export function mapCommand(io: CommandIo): Command {
  const command = defineCommand("map", {
    summary: "a mapping for every layer of a network on an accelerator, and what it costs",
    description: "Values of the network are not needed: external data may be missing.",
    examples: [
      ["dovetail map --network model.onnx --arch eyeriss.yaml", "least energy-delay product, a line a layer"],
      ["dovetail map --network model.onnx --arch eyeriss.yaml -o mappings", "the mappings as YAML files"],
      [
        "dovetail map --network model.onnx --accelerator bit-fusion",
        "on a machine of the zoo (`dovetail accelerators`)",
      ],
      ["dovetail map --network runs/a --arch runs/a/accelerator.yaml --objective latency", "of a run's network"],
      [
        "dovetail map --network model.onnx --arch eyeriss.yaml --mapper exact",
        "proven optimal mappings, in the model timeloop",
      ],
      [
        "dovetail map --network model.onnx --accelerator two-in-one --bits 4,8 -o mappings",
        "a mapping of every layer for each bit-width, in mappings/4-bit and mappings/8-bit",
      ],
      ["dovetail map --from timeloop arch.yaml problem.yaml ERT.yaml", "of Timeloop's files, in their constraints"],
    ],
  })
    .argument("[files...]", "the files of --from")
    .option("--from <tool>", "read the files of another tool: timeloop")
    .option("--network <file>", "an ONNX file, or a run folder")
    .option("--arch <file>", "the architecture")
    .addOption(
      new Option("--objective <name>", "what a mapping is chosen for")
        .choices(["edp", "energy", "latency"])
        .default("edp"),
    )
    .addOption(
      new Option("--mapper <name>", "how mappings are searched; exact: by branch and bound, with a proof")
        .choices(mapperNames)
        .default("evolutionary"),
    )
    .option("--evaluations <n>", "mappings evaluated for each distinct layer", wholeNumber(1), 2000)
    .option("--nodes <n>", "of exact: most partial mappings looked at for each distinct layer", wholeNumber(1))
    .option("--threads <n>", "threads that search, each another shape; the results are the same", wholeNumber(1), 1)
    .addOption(seedOption().default(0))
    .addOption(modelOption())
    .addOption(
      new Option(
        "--bits <list>",
        "bit-widths such as 4,8: maps the network once for each, weights and activations alike",
      )
        .argParser(bitList)
        .conflicts(["weightBits", "activationBits"]),
    )
    .option("-o, --output <folder>", "write a mapping a layer to this folder; of --from, the three documents")
    .option("--verbose", "each mapping as a loop nest, with its cost by level");
  return withBitOptions(withAcceleratorOptions(command)).action(
    async (files: readonly string[], options: MapOptions) => {
      const { arch, accelerator, from } = options;
      if (from !== undefined) {
        if (arch ?? accelerator ?? options.network) command.error("error: --from takes files only");
        await mapFrom(io, from, { ...options, model: modelOf(command, options) }, files);
        return;
      }
      if (files.length > 0) command.error("error: files without --from (a network is given by --network)");
      if (options.network === undefined) command.error("error: required option '--network <file>' not specified");
      if ((arch === undefined) === (accelerator === undefined)) command.error("error: give --arch or --accelerator");
      const network = options.network;
      const layers = await readLayers(network, options);
      const machine = accelerator === undefined ? undefined : await readZoo(accelerator);
      if (machine !== undefined && isPipeline(machine)) {
        if (options.bits !== undefined) command.error("error: --bits is not of pipelines: give --weight-bits");
        // Energy is not modelled there: what is not latency is pace.
        const pace = options.objective === "latency" ? "latency" : "throughput";
        const solution = solvePipeline(layers, machine, pace);
        printResult(io, options, solution, () => describePipeline(solution));
        return;
      }
      const target =
        machine === undefined
          ? architectureTarget(arch!, await readDocumentFile(arch!, readArchitecture))
          : acceleratorTarget(accelerator!, machine, options);
      const settings = { ...options, model: modelOf(command, options) };
      if (options.bits !== undefined) {
        const results = await withWatch(io, options, (watch) => mapAtBitWidths(network, target, settings, watch));
        printResult(io, options, { bitWidths: results }, () => describeBitWidths(results, settings));
        return;
      }
      const { mapped, proofs } = await withWatch(io, options, (watch) => mapLayers(layers, target, settings, watch));
      if (options.output !== undefined) await writeMappings(options.output, mapped);
      const result = networkCost(mapped, target);
      printResult(io, options, { ...result, ...(proofs.length > 0 && { proofs }) }, () => [
        ...(options.verbose ? describeLayers(result) : []),
        ...describeNetworkCost(result),
        ...describeProofs(proofs),
      ]);
    },
  );
}

/** The exact mapper has no bounds for the model *exact*: unless one is asked for, its model is *timeloop*. */
function modelOf(command: Command, { mapper, model }: MapOptions): CostModel {
  return mapper === "exact" && command.getOptionValueSource("model") === "default" ? "timeloop" : model;
}

/** A network with a mapping a layer, at one bit-width. */
interface BitWidthResult extends NetworkCost {
  readonly bits: number;
  readonly proofs?: readonly LayerProof[] | undefined;
}

/**
 * Maps the network once for each bit-width, the widest first: where the mapping of a layer at more bits is the better one
 * at fewer, it is kept. Each bit-width's mappings go to a folder of their own.
 */
async function mapAtBitWidths(
  network: string,
  target: MappingTarget,
  options: MapOptions,
  watch: CommandWatch,
): Promise<BitWidthResult[]> {
  const results: BitWidthResult[] = [];
  let known: readonly Mapping[] | undefined;
  for (const bits of [...options.bits!].sort((a, b) => b - a)) {
    const layers = await readLayers(network, { weightBits: bits, activationBits: bits });
    const { mapped, proofs } = await mapLayers(layers, target, options, watch, known);
    known = mapped.map(({ mapping }) => mapping);
    if (options.output !== undefined) await writeMappings(join(options.output, `${bits}-bit`), mapped);
    results.unshift({ bits, ...networkCost(mapped, target), ...(proofs.length > 0 && { proofs }) });
  }
  return results;
}

function describeBitWidths(results: readonly BitWidthResult[], { verbose }: MapOptions): string[] {
  return results.flatMap(({ bits, proofs = [], ...result }, index) => [
    ...(index > 0 ? [""] : []),
    `${bits} bit`,
    ...(verbose ? describeLayers(result) : []),
    ...describeNetworkCost(result),
    ...describeProofs(proofs),
  ]);
}

/** Parser of `--bits`: whole numbers of 1 to 64, each once. */
function bitList(text: string): number[] {
  const list = text.split(",").map(wholeNumber(1));
  if (list.every((bits) => bits <= 64) && new Set(list).size === list.length) return list;
  throw new InvalidArgumentError("Expected bit-widths up to 64 such as 4,8, each once.");
}

/** Between two layers there is time for an interruption. */
async function mapLayers(
  layers: readonly Layer[],
  target: MappingTarget,
  { objective, evaluations, nodes, threads, seed, model, mapper }: MapOptions,
  watch: CommandWatch,
  known?: readonly Mapping[],
): Promise<{ mapped: CostedLayer[]; proofs: LayerProof[] }> {
  const effort = { evaluations, ...(nodes !== undefined && { nodes }) };
  const random = createRandomStream(seed);
  const settings = { objective, ...effort, mapper, model, random, cache: createMappingCache() };
  const mapped: CostedLayer[] = [];
  const proofs: LayerProof[] = [];
  if (threads > 1) {
    const jobs = layers.flatMap((layer) => {
      const { architecture, problem } = target.of(layer);
      return networkJobs([{ problem }], architecture, settings);
    });
    await fillCache(jobs, threads, settings.cache, watch);
  }
  for (const [index, layer] of layers.entries()) {
    await setImmediate();
    const { architecture, problem, costOf } = target.of(layer);
    const result = mapNetwork([{ problem }], architecture, { ...settings, signal: watch.signal });
    const searched = result.layers[0]!;
    const found =
      known === undefined
        ? searched
        : orKnownMapping(searched, known[index]!, problem, architecture, { objective, model });
    if (!found.ok)
      throw refusal(target.file, found.rejection, `layer ${layer.name} has no mapping on this accelerator`);
    mapped.push({ layer, mapping: found.mapping, cost: costOf(withSparsity(found, problem, architecture, model)) });
    proofs.push(...proofOf(layer.name, found));
    watch.onProgress({ task: "map", done: mapped.length, total: layers.length, unit: "layers" });
  }
  return { mapped, proofs };
}

function describePipeline(solution: FpgaSolution): string[] {
  if (!solution.feasible) return ["no pipeline fits this board"];
  return [
    ...formatTable(
      ["chunk", "layers", "cycles", "DSP", "BRAM"],
      solution.chunks.map(({ name, layerIndices, cycles, dsp, bram }) =>
        [name, layerIndices.length, cycles, dsp, bram].map(String),
      ),
    ),
    `${solution.framesPerSecond.toPrecision(5)} frames/s, ${(solution.imageLatencySeconds * 1e3).toPrecision(4)} ms for an image, ${solution.dsp} DSP slices, ${solution.bram} memory blocks`,
  ];
}

async function writeMappings(folder: string, mapped: readonly CostedLayer[]): Promise<void> {
  const names = mappingFileNames(mapped.map(({ layer }) => layer.name));
  for (const [index, { mapping }] of mapped.entries()) {
    await writeFileAtomically(join(folder, names[index]!), writeMapping(mapping));
  }
}

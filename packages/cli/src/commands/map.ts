import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { createRandomStream, inputError } from "@dovetail/core";
import {
  type Architecture,
  createMappingCache,
  extractWorkloads,
  type Layer,
  type MappedLayer,
  type MappingRejection,
  mapNetwork,
  type Objective,
  printCost,
  printMapping,
  readArchitecture,
  writeMapping,
} from "@dovetail/hardware";
import { writeFileAtomically } from "@dovetail/train";
import { type Command, Option } from "commander";
import { networkPath, readNetworkShapes } from "../files/read-network.js";
import { inFile, readDocumentFile } from "../files/read-text.js";
import { mappingFileNames } from "../runs/hardware-files.js";
import {
  type CommandIo,
  type CommandWatch,
  type CommonOptions,
  printResult,
  withWatch,
} from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import { refusal } from "./cost.js";
import { defineCommand, wholeNumber } from "./define.js";
import { seedOption } from "./options.js";

interface MapOptions extends CommonOptions {
  readonly network: string;
  readonly arch: string;
  readonly objective: Objective;
  readonly evaluations: number;
  readonly seed: number;
  readonly output?: string;
  readonly verbose?: boolean;
}

/** `dovetail map`: a mapping for every layer of a network on an accelerator. */
export function mapCommand(io: CommandIo): Command {
  return defineCommand("map", {
    summary: "a mapping for every layer of a network on an accelerator, and what it costs",
    description: "Values of the network are not needed: external data may be missing.",
    examples: [
      ["dovetail map --network model.onnx --arch eyeriss.yaml", "least energy-delay product, a line a layer"],
      ["dovetail map --network model.onnx --arch eyeriss.yaml -o mappings", "the mappings as YAML files"],
      ["dovetail map --network runs/a --arch runs/a/accelerator.yaml --objective latency", "of a run's network"],
    ],
  })
    .requiredOption("--network <file>", "an ONNX file, or a run folder")
    .requiredOption("--arch <file>", "the architecture")
    .addOption(
      new Option("--objective <name>", "what a mapping is chosen for")
        .choices(["edp", "energy", "latency"])
        .default("edp"),
    )
    .option("--evaluations <n>", "mappings evaluated for each distinct layer", wholeNumber(1), 2000)
    .addOption(seedOption().default(0))
    .option("-o, --output <folder>", "write a mapping a layer to this folder")
    .option("--verbose", "each mapping as a loop nest, with its cost by level")
    .action(async (options: MapOptions) => {
      const path = await networkPath(options.network);
      const model = await readNetworkShapes(path);
      const architecture = await readDocumentFile(options.arch, readArchitecture);
      const { layers } = inFile(path, () => extractWorkloads(model.graph));
      if (layers.length === 0) throw inputError("no_layers", "the network has no layer to map", { file: path });
      const mapped = await withWatch(io, options, (watch) => mapLayers(layers, architecture, options, watch));
      if (options.output !== undefined) await writeMappings(options.output, layers, mapped);
      const summary = summarize(layers, mapped, architecture);
      printResult(io, options, summary, () => [
        ...(options.verbose ? layers.flatMap((layer, index) => nest(layer, mapped[index]!)) : []),
        ...layerTable(layers, mapped),
        totalsLine(summary),
      ]);
    });
}

/** Between two layers there is time for an interruption. */
async function mapLayers(
  layers: readonly Layer[],
  architecture: Architecture,
  { objective, evaluations, seed, arch }: MapOptions,
  watch: CommandWatch,
): Promise<MappedLayer[]> {
  const settings = { objective, evaluations, random: createRandomStream(seed), cache: createMappingCache() };
  const mapped: MappedLayer[] = [];
  for (const layer of layers) {
    await setImmediate();
    const result = mapNetwork([layer], architecture, { ...settings, signal: watch.signal });
    if (!result.ok) throw unmapped(arch, layer.name, (result.layers[0] as { rejection: MappingRejection }).rejection);
    mapped.push(result.layers[0]!);
    watch.onProgress({ task: "map", done: mapped.length, total: layers.length, unit: "layers" });
  }
  return mapped;
}

function unmapped(file: string, layer: string, rejection: MappingRejection): Error {
  return refusal(file, rejection, `layer ${layer} has no mapping on this accelerator`);
}

async function writeMappings(folder: string, layers: readonly Layer[], mapped: readonly MappedLayer[]): Promise<void> {
  const names = mappingFileNames(layers.map(({ name }) => name));
  for (const [index, { mapping }] of mapped.entries()) {
    await writeFileAtomically(join(folder, names[index]!), writeMapping(mapping));
  }
}

function summarize(layers: readonly Layer[], mapped: readonly MappedLayer[], architecture: Architecture) {
  const times = (index: number): number => layers[index]!.repetitions;
  const energyPj = mapped.reduce((sum, { cost }, index) => sum + cost.energyPj * times(index), 0);
  const latencyCycles = mapped.reduce((sum, { cost }, index) => sum + cost.latencyCycles * times(index), 0);
  const { clockMhz } = architecture;
  const latencyMs = clockMhz === undefined ? undefined : latencyCycles / (clockMhz * 1000);
  return {
    energyPj,
    latencyCycles,
    ...(latencyMs !== undefined && { latencyMs, edpJouleSeconds: energyPj * 1e-12 * latencyMs * 1e-3 }),
    layers: mapped.map(({ mapping, cost, evaluations }, index) => ({
      name: layers[index]!.name,
      macs: layers[index]!.macs,
      repetitions: layers[index]!.repetitions,
      evaluations,
      mapping,
      cost,
    })),
  };
}

function layerTable(layers: readonly Layer[], mapped: readonly MappedLayer[]): string[] {
  return formatTable(
    ["layer", "MACs", "cycles", "nJ", "utilization", "limited by"],
    mapped.map(({ cost }, index) => [
      layers[index]!.name,
      `${layers[index]!.macs}`,
      `${cost.latencyCycles}`,
      (cost.energyPj / 1000).toFixed(1),
      `${(100 * cost.utilization).toFixed(1)} %`,
      cost.limitedBy.resource === "compute" ? "compute" : `${cost.limitedBy.level} ${cost.limitedBy.port}`,
    ]),
  );
}

function nest({ name }: Layer, { mapping, cost }: MappedLayer): string[] {
  return [`${name}:`, printMapping(mapping), printCost(cost), ""];
}

function totalsLine({ energyPj, latencyCycles, ...rest }: ReturnType<typeof summarize>): string {
  const time = rest.latencyMs === undefined ? "" : ` (${rest.latencyMs.toPrecision(4)} ms)`;
  const edp = rest.edpJouleSeconds === undefined ? "" : `, EDP ${rest.edpJouleSeconds.toPrecision(4)} J·s`;
  return `one image: ${(energyPj / 1e6).toPrecision(5)} µJ, ${latencyCycles} cycles${time}${edp}`;
}

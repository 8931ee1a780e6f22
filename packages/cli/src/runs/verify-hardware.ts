import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  costOnArchitecture,
  extractWorkloads,
  fpgaLayerOf,
  type Layer,
  readArchitecture,
  readMapping,
} from "@dovetail/hardware";
import { readNetwork } from "../files/read-network.js";
import { inFile, readDocumentFile } from "../files/read-text.js";
import { mappingFileNames } from "./hardware-files.js";
import { isTemporaryName, runFiles } from "./layout.js";
import type { SearchMetrics } from "./metrics.js";
import { costPipeline, readChunkMapping, readPipeline } from "./pipeline.js";

/** What does not hold of: every layer of network.onnx has a mapping that fits, and together they cost what is stated. */
export async function hardwareFaults(folder: string, metrics: SearchMetrics): Promise<string[]> {
  const { model } = await readNetwork(join(folder, runFiles.network));
  const { layers } = extractWorkloads(model.graph);
  const files = mappingFileNames(layers.map(({ name }) => name));
  const present = (await readdir(join(folder, runFiles.mappings))).filter((name) => !isTemporaryName(name));
  const faults = [
    ...files.filter((file) => !present.includes(file)).map((file) => `mappings/${file} is missing`),
    ...present.filter((file) => !files.includes(file)).map((file) => `mappings/${file} belongs to no layer`),
  ];
  if (faults.length > 0) return faults;
  const isAsic = metrics.hardware.energyPj !== undefined;
  return isAsic ? checkAsic(folder, metrics, layers, files) : checkFpga(folder, metrics, layers, files);
}

async function checkAsic(
  folder: string,
  { hardware }: SearchMetrics,
  layers: readonly Layer[],
  files: readonly string[],
): Promise<string[]> {
  const architecture = await readDocumentFile(join(folder, runFiles.accelerator), readArchitecture);
  const faults: string[] = [];
  let energyPj = 0;
  let latencyCycles = 0;
  let areaUm2 = 0;
  for (const [index, layer] of layers.entries()) {
    const path = join(folder, runFiles.mappings, files[index]!);
    const mapping = await readDocumentFile(path, readMapping);
    const cost = inFile(path, () => costOnArchitecture(layer, architecture, mapping));
    if (!cost.ok) {
      faults.push(`mappings/${files[index]} does not fit: ${cost.reason} ${cost.level ?? ""}`.trimEnd());
      continue;
    }
    energyPj += cost.energyPj * layer.repetitions;
    latencyCycles += cost.latencyCycles * layer.repetitions;
    areaUm2 = cost.areaUm2;
  }
  if (faults.length > 0) return faults;
  const clockHz = (architecture.clockMhz ?? 0) * 1e6;
  const seconds = latencyCycles / clockHz;
  return differences(hardware, {
    target: architecture.name,
    clockHz,
    latencyCycles,
    latencyMs: seconds * 1000,
    framesPerSecond: 1 / seconds,
    energyPj,
    edpJouleSeconds: energyPj * 1e-12 * seconds,
    areaMm2: areaUm2 * 1e-6,
  });
}

async function checkFpga(
  folder: string,
  { hardware }: SearchMetrics,
  layers: readonly Layer[],
  files: readonly string[],
): Promise<string[]> {
  const pipeline = await readDocumentFile(join(folder, runFiles.accelerator), readPipeline);
  const faults: string[] = [];
  for (const [index, { name }] of layers.entries()) {
    const { layer, chunk } = await readDocumentFile(join(folder, runFiles.mappings, files[index]!), readChunkMapping);
    const runs = pipeline.chunks.find((candidate) => candidate.name === chunk)?.layers ?? [];
    if (layer !== name || !runs.includes(name)) faults.push(`mappings/${files[index]}: ${chunk} does not run ${name}`);
  }
  const cost = costPipeline(
    pipeline,
    layers.map(({ name, problem }) => fpgaLayerOf(name, problem)),
  );
  if (!cost) faults.push("accelerator.yaml does not run exactly the network's layers");
  if (!cost || faults.length > 0) return faults;
  return differences(hardware, {
    target: pipeline.board,
    clockHz: pipeline.clockHz,
    latencyCycles: cost.imageLatencySeconds * pipeline.clockHz,
    latencyMs: cost.imageLatencySeconds * 1000,
    framesPerSecond: cost.framesPerSecond,
    dsp: cost.dsp,
    bram: cost.bram,
  });
}

/** Sums may be taken in another order than when they were stated. */
const relativeTolerance = 1e-12;

function differences(stated: SearchMetrics["hardware"], found: SearchMetrics["hardware"]): string[] {
  const names = new Set([...Object.keys(stated), ...Object.keys(found)]) as Set<keyof SearchMetrics["hardware"]>;
  return [...names].flatMap((name) => {
    const [a, b] = [stated[name], found[name]];
    const isEqual =
      typeof a === "number" && typeof b === "number" ? Math.abs(a - b) <= relativeTolerance * Math.abs(a) : a === b;
    return isEqual ? [] : [`hardware.${name}: stated ${a}, found ${b}`];
  });
}

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DovetailError } from "@dovetail/core";
import {
  evaluateCost,
  extractWorkloads,
  fpgaLayerOf,
  type Layer,
  readArchitecture,
  readMapping,
} from "@dovetail/hardware";
import {
  decodeSafetensors,
  digestOfFile,
  evaluateModel,
  type ImageDataset,
  isPresent,
  type LoadOptions,
  loadDataset,
  readWholeFile,
} from "@dovetail/train";
import { readNetwork } from "../files/read-network.js";
import { inFile, readDocumentFile } from "../files/read-text.js";
import { parseRecipe } from "../recipes/read-recipe.js";
import { readTraining } from "../recipes/read-training.js";
import type { CommandWatch } from "../terminal/command-io.js";
import { mappingFileNames } from "./hardware-files.js";
import { historySchema } from "./history.js";
import { isTemporaryName, runFiles } from "./layout.js";
import type { SearchMetrics } from "./metrics.js";
import { costPipeline, readChunkMapping, readPipeline } from "./pipeline.js";
import { searchTraceSchema } from "./search-trace.js";
import { type RunSummary, readJsonFile, readRunSummary } from "./summary.js";
import { timingSchema } from "./timing.js";

/** One thing that must hold for a run folder. */
export interface Check {
  readonly name: string;
  /** What does not hold, a line each; empty when it holds. */
  readonly faults: readonly string[];
}

export interface VerifyOptions {
  readonly watch: CommandWatch;
  readonly place: Pick<LoadOptions, "baseFolder" | "environment" | "cacheFolder">;
}

/**
 * Holds a finished run folder against itself: files, inputs, accuracy, mappings, cost, constraints. Faults are values;
 * only a folder that is no finished run is an error.
 */
export async function verifyRun(folder: string, options: VerifyOptions): Promise<Check[]> {
  const summary = await readRunSummary(folder);
  const checks: Check[] = [];
  const check = async (name: string, work: () => Promise<readonly string[]>): Promise<void> => {
    options.watch.signal.throwIfAborted();
    checks.push({ name, faults: await faultsOf(work) });
  };
  await check("files", () => checkFiles(folder, summary));
  let dataset: ImageDataset | undefined;
  await check("inputs", async () => {
    dataset = await loadDataset(await dataOf(folder, summary), { ...options.place, ...options.watch });
    return checkInputs(folder, summary, dataset);
  });
  await check("accuracy", async () => (dataset ? checkAccuracy(folder, summary, dataset, options) : [noData]));
  if (summary.kind === "search") {
    const { metrics } = summary;
    await check("mappings and cost", () => checkHardware(folder, metrics));
    await check("constraints", async () => checkConstraints(metrics));
  }
  return checks;
}

const noData = "the images are not there, so that it cannot be measured";

/** Input errors are faults of what is verified. */
async function faultsOf(work: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DovetailError && error.diagnostics.every(({ kind }) => kind === "input")) {
      return error.message.split("\n");
    }
    throw error;
  }
}

/** Every file is there, has the form that it must have, and there is no other. */
async function checkFiles(folder: string, { kind }: RunSummary): Promise<string[]> {
  const { recipe, training, input, network, weights, accelerator, mappings, metrics, timing } = runFiles;
  const expected =
    kind === "search"
      ? [recipe, network, weights, accelerator, mappings, metrics, runFiles.search, timing, runFiles.report]
      : [training, network, weights, metrics, runFiles.history, timing];
  const faults: string[] = [];
  const names = await readdir(folder);
  for (const name of expected) if (!names.includes(name)) faults.push(`${name} is missing`);
  for (const name of names) {
    if (![...expected, input].includes(name as typeof input)) faults.push(`${name} does not belong to a finished run`);
  }
  if (faults.length > 0) return faults;
  const path = (name: string): string => join(folder, name);
  await readNetwork(path(network));
  const tensors = await readWholeFile(path(weights), 2 ** 31 - 1);
  inFile(path(weights), () => decodeSafetensors(tensors));
  await readJsonFile(path(timing), timingSchema);
  if (kind === "train") {
    await readJsonFile(path(runFiles.history), historySchema);
    return [];
  }
  await readJsonFile(path(runFiles.search), searchTraceSchema);
  if ((await stat(path(runFiles.report))).size === 0) faults.push(`${runFiles.report} is empty`);
  return faults;
}

async function dataOf(folder: string, { kind }: RunSummary) {
  if (kind === "train") return (await readDocumentFile(join(folder, runFiles.training), readTraining)).data;
  return (await readDocumentFile(join(folder, runFiles.recipe), (text, { file }) => parseRecipe(text, file))).data;
}

/** The files that the run read are still those that it read. */
async function checkInputs(folder: string, { metrics }: RunSummary, dataset: ImageDataset): Promise<string[]> {
  const faults: string[] = [];
  for (const [name, expected] of Object.entries(metrics.inputs)) {
    const own = join(folder, name);
    const received = dataset.source.files.find((file) => file.name === name)?.sha256;
    const found = received ?? ((await isPresent(own)) ? await digestOfFile(own) : undefined);
    if (found === undefined) faults.push(`${name} is not there`);
    else if (found !== expected) faults.push(`${name}: expected sha256 ${expected}, found ${found}`);
  }
  return faults;
}

async function checkAccuracy(
  folder: string,
  { metrics }: RunSummary,
  dataset: ImageDataset,
  { watch }: VerifyOptions,
): Promise<string[]> {
  const bytes = await readWholeFile(join(folder, runFiles.network), 2 ** 31 - 1);
  const { accuracyFraction } = await evaluateModel(bytes, { dataset, part: "test", watch });
  const { task } = metrics;
  const faults: string[] = [];
  const images = dataset.parts.test.count;
  if (images !== task.testImages) faults.push(`test images: stated ${task.testImages}, found ${images}`);
  if (accuracyFraction !== task.accuracyFraction) {
    faults.push(`accuracyFraction: stated ${task.accuracyFraction}, found ${accuracyFraction}`);
  }
  return faults;
}

/** Every layer of network.onnx has a mapping that fits, and together they cost what is stated. */
async function checkHardware(folder: string, metrics: SearchMetrics): Promise<string[]> {
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
  for (const [index, { problem, repetitions }] of layers.entries()) {
    const path = join(folder, runFiles.mappings, files[index]!);
    const mapping = await readDocumentFile(path, readMapping);
    const cost = inFile(path, () => evaluateCost(problem, architecture, mapping));
    if (!cost.ok) {
      faults.push(`mappings/${files[index]} does not fit: ${cost.reason} ${cost.level ?? ""}`.trimEnd());
      continue;
    }
    energyPj += cost.energyPj * repetitions;
    latencyCycles += cost.latencyCycles * repetitions;
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

/** Upper bounds, but for frames per second. Figures are the stated ones, which the cost check holds against the files. */
function checkConstraints({ constraints, hardware }: SearchMetrics): string[] {
  return constraints.flatMap(({ name, limit, actual, met }) => {
    const figure = (hardware as Record<string, unknown>)[name];
    const holds = name === "framesPerSecond" ? actual >= limit : actual <= limit;
    if (figure !== actual) return [`${name}: stated ${actual} in constraints, ${figure} in hardware`];
    return holds && met ? [] : [`${name}: limit ${limit}, found ${actual}`];
  });
}

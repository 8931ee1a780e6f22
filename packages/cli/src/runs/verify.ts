import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DovetailError } from "@dovetail/core";
import { isSwitchable, openBundle } from "@dovetail/systems";
import {
  decodeSafetensors,
  digestOfFile,
  evaluateModel,
  evaluatePredictor,
  type ImageDataset,
  isPresent,
  type LoadOptions,
  loadDataset,
  readWholeFile,
} from "@dovetail/train";
import { readNetwork } from "../files/read-network.js";
import { inFile, readDocumentFile } from "../files/read-text.js";
import { parseRecipe } from "../recipes/read-recipe.js";
import type { Recipe } from "../recipes/schema.js";
import type { CommandWatch } from "../terminal/command-io.js";
import { dataOfRun } from "./data-of-run.js";
import { historySchema } from "./history.js";
import { runFiles } from "./layout.js";
import type { SearchMetrics } from "./metrics.js";
import { searchTraceSchema } from "./search-trace.js";
import { type RunSummary, readJsonFile, readRunSummary } from "./summary.js";
import { timingSchema } from "./timing.js";
import { hardwareFaults } from "./verify-hardware.js";
import { packedFaults } from "./verify-packed.js";

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
    dataset = await loadDataset((await dataOfRun(folder))!, { ...options.place, ...options.watch });
    return checkInputs(folder, summary, dataset);
  });
  await check("accuracy", async () => (dataset ? checkAccuracy(folder, summary, dataset, options) : [noData]));
  if (summary.kind === "search") {
    const { metrics } = summary;
    await check("mappings and cost", () => hardwareFaults(folder, metrics));
    await check("constraints", async () => checkConstraints(metrics));
    const recipe = await recipeOf(folder);
    if (recipe.compress !== "none") await check("packed weights", () => packedFaults(folder));
    if (isSwitchable(recipe)) {
      await check("bundle", async () => (dataset ? checkBundle(folder, dataset, options) : [noData]));
    }
  }
  return checks;
}

function recipeOf(folder: string): Promise<Recipe> {
  return readDocumentFile(join(folder, runFiles.recipe), (text, { file }) => parseRecipe(text, file));
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
  const { recipe, training, input, network, weights, accelerator, mappings, metrics, timing, bundle } = runFiles;
  const expected: string[] =
    kind === "search"
      ? [recipe, network, weights, accelerator, mappings, metrics, runFiles.search, timing, runFiles.report]
      : [training, network, weights, metrics, runFiles.history, timing];
  if (kind === "search") {
    const asked = await recipeOf(folder);
    if (isSwitchable(asked)) expected.push(bundle);
    if (asked.compress !== "none") expected.push(runFiles.packed);
  }
  const faults: string[] = [];
  const names = await readdir(folder);
  for (const name of expected) if (!names.includes(name)) faults.push(`${name} is missing`);
  for (const name of names) {
    if (![...expected, input].includes(name)) faults.push(`${name} does not belong to a finished run`);
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

/** Every file of the bundle is what its index says, and each precision is as accurate. */
async function checkBundle(folder: string, dataset: ImageDataset, { watch }: VerifyOptions): Promise<string[]> {
  const bundle = await openBundle(join(folder, runFiles.bundle));
  const faults: string[] = [];
  try {
    for (const { bits, accuracyFraction } of bundle.index.precisions) {
      bundle.setPrecision(bits);
      const predictor = { predict: bundle.predict, classCount: dataset.classNames.length };
      const found = (await evaluatePredictor(predictor, { dataset, part: "test", watch })).accuracyFraction;
      if (found !== accuracyFraction) faults.push(`${bits} bit: stated ${accuracyFraction}, found ${found}`);
    }
  } finally {
    await bundle.release();
  }
  return faults;
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

import { join } from "node:path";
import { createRandomStream } from "@dovetail/core";
import { readModel } from "@dovetail/graph";
import { networkOfModel } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import {
  type CoSearchResult,
  createCompressedDelivery,
  createSwitchableDelivery,
  designForNetwork,
  isSwitchable,
  runCoSearch,
} from "@dovetail/systems";
import { encodeSafetensors, type ImageDataset, loadDataset, readWholeFile } from "@dovetail/train";
import { readText } from "../files/read-text.js";
import { parseRecipe } from "../recipes/read-recipe.js";
import type { Recipe } from "../recipes/schema.js";
import { hardwareFiles } from "../runs/hardware-files.js";
import { runFiles } from "../runs/layout.js";
import { searchMetrics } from "../runs/metrics.js";
import { originOf } from "../runs/origin.js";
import type { FileContents } from "../runs/run.js";
import { searchTraceSchema } from "../runs/search-trace.js";
import { cacheFolder } from "../terminal/cache-folder.js";
import type { Job, JobContext } from "./job.js";
import { jsonText } from "./json-text.js";
import { searchReport } from "./search-report.js";
import { requireImages } from "./train.js";

interface SearchTask {
  readonly recipe: Recipe;
  readonly dataset: ImageDataset;
  readonly runtime: Runtime;
}

/** `dovetail search RECIPE`: network, accelerator and mappings. */
export const searchJob: Job = (context) =>
  carryOutSearch(context, new Map(), async ({ recipe, dataset, runtime }) => {
    const { stages } = context.run;
    const random = createRandomStream(recipe.seed);
    const delivery = isSwitchable(recipe) ? createSwitchableDelivery() : undefined;
    const compressed = recipe.compress === "none" ? undefined : createCompressedDelivery();
    const deliver = (delivery ?? compressed)?.deliver;
    const task = { options: recipe, dataset, runtime, random, stages, watch: context.watch, deliver };
    const result = await runCoSearch(task);
    const bundle = await delivery?.bundle(recipe.name, result.found.accelerator, random.split("bundle"));
    return { result, bundle, packed: compressed?.packed() };
  });

/** `dovetail search --network FILE`: accelerator and mappings for the user's own network. */
export const designJob: Job = async (context) => {
  const bytes = await readWholeFile(join(context.run.folder, runFiles.input), 2 ** 31 - 1);
  const model = readModel(bytes);
  return carryOutSearch(context, new Map([[runFiles.input, bytes]]), async ({ recipe, dataset, runtime }) => {
    requireImages(networkOfModel(model).network, dataset);
    const random = createRandomStream(recipe.seed);
    const task = { options: recipe, model, dataset, runtime, random, watch: context.watch };
    return { result: await designForNetwork(task) };
  });
};

interface SearchOutcome {
  readonly result: CoSearchResult;
  /** Files by their paths inside the bundle. */
  readonly bundle?: ReadonlyMap<string, FileContents> | undefined;
  /** Compressed weights. */
  readonly packed?: Uint8Array | undefined;
}

async function carryOutSearch(
  context: JobContext,
  given: ReadonlyMap<string, Uint8Array>,
  search: (task: SearchTask) => Promise<SearchOutcome>,
): Promise<Map<string, FileContents>> {
  const { run, watch, environment } = context;
  const recipePath = join(run.folder, runFiles.recipe);
  const recipeText = await readText(recipePath);
  const recipe = parseRecipe(recipeText, recipePath);
  const { baseFolder, provider, threads } = run.record;
  const runtime = await createRuntime({ provider, threads });
  try {
    const place = { baseFolder, environment, cacheFolder: cacheFolder(environment) };
    const dataset = await loadDataset(recipe.data, { ...place, ...watch });
    const origin = originOf(
      run.record,
      recipe.seed,
      dataset,
      new Map<string, string | Uint8Array>([[runFiles.recipe, recipeText], ...given]),
    );
    const { result, bundle = [], packed } = await search({ recipe, dataset, runtime });
    const metrics = searchMetrics(result, dataset.labels("test"), origin);
    const { found, trace } = result;
    return new Map<string, FileContents>([
      [runFiles.network, found.onnx],
      [runFiles.weights, encodeSafetensors(found.weights)],
      ...(packed ? [[runFiles.packed, packed] as const] : []),
      ...hardwareFiles(found.accelerator, found.layers),
      [runFiles.search, jsonText(searchTraceSchema.parse(trace))],
      [
        runFiles.report,
        await searchReport({ recipe, recipeText, result, metrics, dataset, timing: run.stopwatch.read() }),
      ],
      ...[...bundle].map(([file, contents]) => [`${runFiles.bundle}/${file}`, contents] as const),
      [runFiles.metrics, jsonText(metrics)],
    ]);
  } finally {
    await runtime.release();
  }
}

import { join } from "node:path";
import { type DatasetDescription, readFileIfPresent } from "@dovetail/train";
import { parseRecipe } from "../recipes/read-recipe.js";
import { runFiles } from "./layout.js";

/** The data set of a run folder; undefined for paths that are none. */
export async function dataOfRun(path: string): Promise<DatasetDescription | undefined> {
  const file = join(path, runFiles.recipe);
  const bytes = await readFileIfPresent(file, 2 ** 22);
  return bytes && parseRecipe(new TextDecoder().decode(bytes), file).data;
}

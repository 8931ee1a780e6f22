import { join } from "node:path";
import { type DatasetDescription, isPresent } from "@dovetail/train";
import { readDocumentFile } from "../files/read-text.js";
import { parseRecipe } from "../recipes/read-recipe.js";
import { readTraining } from "../recipes/read-training.js";
import { runFiles } from "./layout.js";

/** The data set of a run folder; undefined for paths that are none. Throws the errors of the readers. */
export async function dataOfRun(folder: string): Promise<DatasetDescription | undefined> {
  const recipe = join(folder, runFiles.recipe);
  if (await isPresent(recipe))
    return (await readDocumentFile(recipe, (text, { file }) => parseRecipe(text, file))).data;
  const training = join(folder, runFiles.training);
  if (await isPresent(training)) return (await readDocumentFile(training, readTraining)).data;
  return undefined;
}

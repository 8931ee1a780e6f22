import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inputError, nearestWord } from "@dovetail/core";
import { isPresent } from "@dovetail/train";

/** A recipe's file and what it is called in a record of the run. */
export interface RecipePlace {
  readonly path: string;
  /** As the user wrote it, or `recipes/NAME.yaml` of the recipes that come with Dovetail. */
  readonly shown: string;
}

/** The recipe that runs when none is named. */
const defaultRecipe = "quickstart";

/**
 * Finds a recipe: a file, or the name of one that comes with Dovetail (`tiny`, `tiny.yaml`, `recipes/tiny.yaml`).
 * Throws the input error `recipe_missing`, with the names that there are.
 */
export async function locateRecipe(name: string = defaultRecipe): Promise<RecipePlace> {
  if (await isPresent(name)) return { path: name, shown: name };
  const folder = await shippedFolder();
  const shipped = folder === undefined ? [] : (await readdir(folder)).filter((file) => file.endsWith(".yaml")).sort();
  const wanted = /^(?:recipes\/)?([^/]+?)(?:\.yaml)?$/.exec(name)?.[1];
  const file = shipped.find((candidate) => candidate === `${wanted}.yaml`);
  if (file) return { path: join(folder!, file), shown: `recipes/${file}` };
  const names = shipped.map((candidate) => basename(candidate, ".yaml"));
  const near = wanted === undefined ? undefined : nearestWord(wanted, names);
  throw inputError("recipe_missing", "no such recipe", {
    file: name,
    expected: `a file, or one of ${names.join(", ")}`,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

/** In the installed package's own `recipes` folder, or at the root of the repository: relative to this module. */
async function shippedFolder(): Promise<string | undefined> {
  const places = ["../../recipes/quickstart.yaml", "../../../../recipes/quickstart.yaml"];
  for (const place of places.map((relative) => fileURLToPath(new URL(relative, import.meta.url)))) {
    if (await isPresent(place)) return dirname(place);
  }
  return undefined;
}

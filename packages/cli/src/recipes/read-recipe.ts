import { dirname, resolve } from "node:path";
import { readDocument, writeDocument } from "@dovetail/hardware";
import { readText } from "../files/read-text.js";
import { locateRecipe } from "./locate.js";
import { type Overrides, overrideRecipe } from "./overrides.js";
import { type Recipe, recipeSchema } from "./schema.js";

/** A recipe with where it comes from. */
export interface LoadedRecipe {
  readonly recipe: Recipe;
  /** What it is called in a record of the run. */
  readonly shown: string;
  /** Where relative paths in it start. */
  readonly baseFolder: string;
}

/**
 * Reads a recipe by file or name, with the command line's overrides. Throws input errors with file, line, column and
 * field, or the option, of everything that is wrong.
 */
export async function loadRecipe(name: string | undefined, overrides: Overrides = {}): Promise<LoadedRecipe> {
  const { path, shown } = await locateRecipe(name);
  const text = await readText(path);
  parseRecipe(text, shown);
  return { recipe: overrideRecipe(text, overrides), shown, baseFolder: resolve(dirname(path)) };
}

/** A recipe from text; `file` stands in the messages. */
export function parseRecipe(text: string, file: string): Recipe {
  return readDocument<Recipe>(recipeSchema, text, { file });
}

/** YAML text of a recipe; `parseRecipe` gives the same recipe back. */
export function printRecipe(recipe: Recipe): string {
  return writeDocument<Recipe>(recipeSchema, recipe);
}

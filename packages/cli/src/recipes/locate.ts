import { locateShipped, type ShippedPlace } from "../files/shipped.js";

/** The recipe that runs when none is named. */
const defaultRecipe = "quickstart";

/**
 * Finds a recipe: a file, or the name of one that comes with Dovetail (`tiny`, `tiny.yaml`, `recipes/tiny.yaml`).
 * Throws the input error `recipe_missing`, with the names that there are.
 */
export function locateRecipe(name: string = defaultRecipe): Promise<ShippedPlace> {
  return locateShipped({ folder: "recipes", code: "recipe_missing", message: "no such recipe" }, name);
}

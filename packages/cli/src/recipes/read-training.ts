import { type ReadOptions, readDocument, writeDocument } from "@dovetail/hardware";
import { type TrainingRecipe, trainingSchema } from "./training-schema.js";

/** training.yaml from text; complaints have line, column and field. */
export function readTraining(text: string, options: ReadOptions = {}): TrainingRecipe {
  return readDocument<TrainingRecipe>(trainingSchema, text, options);
}

/** YAML text of what a training was asked for; `readTraining` gives it back. */
export function printTraining(recipe: TrainingRecipe): string {
  return writeDocument<TrainingRecipe>(trainingSchema, recipe);
}

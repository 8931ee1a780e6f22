import { augmentationSchema, datasetDescriptionSchema } from "@dovetail/train";
import { z } from "zod";
import { recipeNameSchema, seedSchema } from "./schema.js";

const count = z.number().int().positive();
const rate = z.number().positive();

/** training.yaml: what a `dovetail train` was asked for. */
export const trainingSchema = z.strictObject({
  name: recipeNameSchema,
  seed: seedSchema,
  /** Name of a network of the zoo; absent for the user's own, which lies in the run folder as input.onnx. */
  network: z.string().optional(),
  /** The user's own network starts from drawn weights instead of its own. */
  fromScratch: z.boolean(),
  data: datasetDescriptionSchema,
  epochs: count,
  batchSize: count,
  optimizer: z.enum(["sgd", "adam", "adamw"]),
  learningRate: rate.describe("The highest, for schedules that rise."),
  schedule: z.enum(["constant", "step", "cosine", "one-cycle"]),
  warmUpEpochs: z.number().min(0),
  momentum: z.number().min(0).max(1),
  nesterov: z.boolean(),
  weightDecay: z.number().min(0),
  labelSmoothing: z.number().min(0).max(0.5),
  maximumNorm: rate.optional().describe("Gradients are clipped to this norm."),
  augmentation: augmentationSchema,
  checkpointEvery: count.describe("Steps between two checkpoints."),
});

export type TrainingRecipe = z.output<typeof trainingSchema>;

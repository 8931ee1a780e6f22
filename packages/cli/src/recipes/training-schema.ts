import { trainingMethodSchema } from "@dovetail/systems";
import { augmentationSchema, datasetDescriptionSchema } from "@dovetail/train";
import { z } from "zod";
import { recipeNameSchema, seedSchema } from "./schema.js";

const count = z.number().int().positive();
const rate = z.number().positive();

/** training.yaml: what a `dovetail train` was asked for. */
export const trainingSchema = z.strictObject({
  name: recipeNameSchema.describe("Of the network."),
  seed: seedSchema.describe("Same seed, same bits."),
  network: z
    .string()
    .optional()
    .describe("A network of the zoo; absent for the user's own, which lies in the run folder as input.onnx."),
  fromScratch: z.boolean().describe("Whether training starts from drawn weights."),
  data: datasetDescriptionSchema,
  method: trainingMethodSchema
    .optional()
    .describe(
      "Low precision, weights in another form, or other layers; absent: everything in float32, as the network is.",
    ),
  epochs: count.describe("How often every image is seen."),
  batchSize: count.describe("Images in a step; what is left of an epoch is left out."),
  optimizer: z.enum(["sgd", "adam", "adamw", "radam"]).describe("Betas of Adam: 0.9, 0.999."),
  learningRate: rate.describe("The highest, for schedules that rise."),
  schedule: z
    .enum(["constant", "step", "cosine", "one-cycle"])
    .describe("step: a tenth after half and after three quarters."),
  warmUpEpochs: z.number().min(0).describe("Linear rise from a tenth, before the schedule."),
  momentum: z.number().min(0).max(1).describe("Of sgd."),
  nesterov: z.boolean().describe("Of sgd."),
  weightDecay: z.number().min(0).describe("Weight decay."),
  labelSmoothing: z.number().min(0).max(0.5).describe("Share of the target that goes to all classes."),
  maximumNorm: rate.optional().describe("Gradients are clipped to this norm."),
  augmentation: augmentationSchema,
  checkpointEvery: count.describe("Steps between two checkpoints."),
});

export type TrainingRecipe = z.output<typeof trainingSchema>;

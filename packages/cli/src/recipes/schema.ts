import { coSearchOptionsSchema } from "@dovetail/systems";
import { datasetDescriptionSchema } from "@dovetail/train";
import { z } from "zod";

/** What stands in names of files: letters, digits, dots, dashes, underscores. */
export const recipeNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected letters, digits, dots, dashes and underscores, at most 64");

export const seedSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const shape = z.strictObject({
  name: recipeNameSchema.describe("Name of the recipe; run folders are named after it."),
  description: z.string().optional().describe("For people."),
  seed: seedSchema.default(0).describe("Same seed, same bits. `--seed` gives another one."),
  data: datasetDescriptionSchema.describe("The images, and how they are split."),
  ...coSearchOptionsSchema.shape,
});

/** A recipe of `dovetail search`: data, target, constraints, objective, effort, seed. */
export const recipeSchema = shape.superRefine((recipe, context) => {
  const complain = (path: string[], message: string, params: { expected?: string; received?: string }): void => {
    context.addIssue({ code: "custom", path, message, params });
  };
  const { kind } = recipe.target;
  const objective = objectives[kind];
  if (recipe.objective !== objective) {
    complain(["objective"], `not the objective of this target (${kind})`, {
      expected: objective,
      received: recipe.objective,
    });
  }
  for (const name of foreignConstraints[kind]) {
    if (recipe.constraints[name] === undefined) continue;
    complain(["constraints", name], `this target (${kind}) has no such figure`, { received: name });
  }
  if (kind === "fpga" && recipe.compress !== "none") {
    complain(["compress"], "the chunk pipeline does not rebuild weights", {
      expected: "none",
      received: recipe.compress,
    });
  }
  if (recipe.compress !== "none") {
    const other = recipe.precision === "switchable" ? "precision" : recipe.defence !== "none" ? "defence" : undefined;
    if (other) {
      complain([other], `not together with compress: ${recipe.compress}`, {
        expected: "a fixed precision and no defence",
        received: `${recipe[other]}`,
      });
    }
    if (recipe.search.operators !== "convolution") {
      complain(["search", "operators"], `not together with compress: ${recipe.compress}`, {
        expected: "convolution",
        received: recipe.search.operators,
      });
    }
  }
  if (kind === "fpga" && recipe.search.operators !== "convolution") {
    complain(["search", "operators"], "the chunk pipeline has no units for shift and add layers", {
      expected: "convolution",
      received: recipe.search.operators,
    });
  }
  if (kind === "fpga" && recipe.baselines.referenceNetworkOnSearchedAccelerator) {
    complain(
      ["baselines", "referenceNetworkOnSearchedAccelerator"],
      "an FPGA's baseline (a) is on the board's exact optimum already",
      { expected: "false", received: "true" },
    );
  }
});

const objectives = { asic: "edp", fpga: "framesPerSecond" } as const;

const foreignConstraints = {
  asic: ["dsp", "bram"],
  fpga: ["areaMm2", "energyPj"],
} as const;

/** A checked recipe, defaults filled in. */
export type Recipe = z.output<typeof recipeSchema>;

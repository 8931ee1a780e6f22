import { z } from "zod";

const count = z.number().int().min(0);
const share = z.number().min(0).max(1);

/** search.json: how the search went. */
export const searchTraceSchema = z.strictObject({
  positions: z.array(z.string()).describe("Names of the positions of the space."),
  operators: z.array(z.string()).describe("Names of the operators at each position."),
  points: z.array(
    z.strictObject({
      step: count.describe("Every fifth step, and the last."),
      phase: z.enum(["warm-up", "search"]).describe("Operators and accelerator rest while warming up."),
      trainingLoss: z.number().describe("Mean over the steps since the last point, of one drawn network each."),
      validationLoss: z.number().optional().describe("Of the drawn network at this step."),
      temperature: z.number().describe("Of the operators' draws."),
      expectedLogCost: z.number().optional().describe("Natural logarithm of the expected cost."),
      hardwareWeight: z.number().describe("λ, the weight of the logarithm of the cost against the validation loss."),
      meanEntropyFraction: share.describe("Of the operator distributions, as a share of the largest entropy."),
    }),
  ),
  operatorDistributions: z.array(
    z.strictObject({
      step: count.describe("As in points."),
      probabilities: z.array(z.array(share)).describe("[position][operator]."),
    }),
  ),
  acceleratorDistributions: z.array(
    z.strictObject({
      step: count.describe("Of each redesign of the accelerator."),
      parameters: z
        .array(
          z.strictObject({
            name: z.string().describe("Name of the parameter."),
            options: z.array(z.number()).describe("What it may be."),
            probabilities: z.array(share).describe("Of each option."),
          }),
        )
        .describe("Empty where an exact solver designs (FPGA)."),
    }),
  ),
  acceleratorTrace: z.array(
    z.strictObject({
      evaluation: count.describe("Of the last accelerator search, for the found network; none where a solver designs."),
      logCost: z.number().nullable().describe("Null for a design on which a layer has no mapping."),
      bestLogCost: z
        .number()
        .nullable()
        .describe("Of the designs before it that meet all bounds; null while there is none."),
    }),
  ),
});

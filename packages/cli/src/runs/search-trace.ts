import { z } from "zod";

const count = z.number().int().min(0);
const share = z.number().min(0).max(1);

/** search.json: how the search went. */
export const searchTraceSchema = z.strictObject({
  positions: z.array(z.string()),
  operators: z.array(z.string()),
  points: z.array(
    z.strictObject({
      step: count,
      phase: z.enum(["warm-up", "search"]),
      trainingLoss: z.number(),
      validationLoss: z.number().optional(),
      temperature: z.number(),
      expectedLogCost: z.number().optional().describe("Natural logarithm of the expected cost."),
      hardwareWeight: z.number().describe("λ, the weight of the logarithm of the cost against the validation loss."),
      meanEntropyFraction: share.describe("Of the operator distributions, as a share of the largest entropy."),
    }),
  ),
  operatorDistributions: z.array(
    z.strictObject({ step: count, probabilities: z.array(z.array(share)).describe("[position][operator]") }),
  ),
  acceleratorDistributions: z.array(
    z.strictObject({
      step: count,
      parameters: z.array(
        z.strictObject({ name: z.string(), options: z.array(z.number()), probabilities: z.array(share) }),
      ),
    }),
  ),
  acceleratorTrace: z.array(
    z.strictObject({ evaluation: count, logCost: z.number().nullable(), bestLogCost: z.number().nullable() }),
  ),
});

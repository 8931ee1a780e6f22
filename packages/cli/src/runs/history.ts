import { z } from "zod";

const share = z.number().min(0).max(1);

/** history.json: the epochs of a training. */
export const historySchema = z.array(
  z.strictObject({
    epoch: z.number().int().min(0).describe("Counted from 0."),
    loss: z.number().describe("Mean over the epoch's batches."),
    learningRate: z.number().describe("Of the epoch's last step."),
    trainingAccuracyFraction: share.optional().describe("On the epoch's augmented batches, while the weights change."),
    validationAccuracyFraction: share.optional().describe("After the epoch."),
  }),
);

// What a co-search is asked for, as it stands in a recipe: one schema gives types, checks and the editor's help.
import { z } from "zod";
import { operatorSetNames } from "./operators.js";

const count = z.number().int().positive();
const rate = z.number().positive();

/** Where the network shall run. */
export const targetSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("asic"),
      family: z.literal("eyeriss-like").default("eyeriss-like").describe("Accelerators to choose among."),
      clockHz: rate.default(200e6).describe("Clock; turns cycles into time."),
    }),
    z.strictObject({
      kind: z.literal("fpga"),
      board: z
        .enum(["ZC706", "ZCU102", "Ultra96"])
        .default("ZC706")
        .describe("Its slices and memories are the limits."),
      clockHz: rate.default(200e6).describe("Clock; turns cycles into time."),
    }),
  ])
  .describe("The hardware: an ASIC of a family, or an FPGA board with the chunk pipeline.");

/** Bounds on the hardware. Names are field names with their units. */
export const constraintsSchema = z
  .strictObject({
    areaMm2: z
      .union([rate, z.literal("reference")])
      .optional()
      .describe("ASIC: largest area; `reference` is the area of the family's default accelerator."),
    dsp: count.optional().describe("FPGA: DSP slices; default: the board's."),
    bram: count.optional().describe("FPGA: block memories of 18 Kb; default: the board's."),
    latencyMs: rate.optional().describe("Longest time for one image."),
    energyPj: rate.optional().describe("ASIC: most energy for one image."),
    framesPerSecond: rate.optional().describe("Least frames per second."),
  })
  .describe("Bounds that the result must meet.");

/** How hard to try: steps, evaluations and multiply-accumulates, never seconds. */
export const effortSchema = z
  .strictObject({
    trainingMacs: rate.describe(
      "Multiply-accumulates of all training together: search, training of the found network and fine-tuning. Each baseline gets the same.",
    ),
    batchSize: count.default(64).describe("Images in each step, of the search and of all training."),
    warmUpSteps: z.number().int().min(0).default(60).describe("Steps that train the supernet's weights alone."),
    searchSteps: count.describe("Steps that train weights and operator distributions in turn."),
    acceleratorEvery: count.default(20).describe("Search steps between two redesigns of the accelerator."),
    acceleratorEvaluations: count.default(40).describe("Designs evaluated at each redesign."),
    finalAcceleratorEvaluations: count
      .default(300)
      .describe("Designs evaluated for the found network, and for each baseline that has its own."),
    mapperEvaluations: count.default(100).describe("Mappings evaluated per layer shape and design while searching."),
    finalMapperEvaluations: count
      .default(2000)
      .describe("Mappings evaluated per layer shape of the result and of each baseline."),
    fineTuneFraction: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.1)
      .describe("Share of the training after the search that is spent at the final precision."),
    checkpointEvery: count.default(25).describe("Steps between two checkpoints."),
  })
  .describe("How hard to try.");

/** Settings of the search itself. */
export const searchSettingsSchema = z
  .strictObject({
    operators: z
      .enum(operatorSetNames)
      .default("convolution")
      .describe(
        "What the search chooses among: blocks of convolutions, or blocks of shift layers and of add layers beside them (ASIC).",
      ),
    costTarget: rate
      .default(0.55)
      .describe("Cost to end at, as a fraction of ResNet-8's on the reference accelerator (the board's optimum)."),
    hardwareWeight: rate
      .default(0.05)
      .describe(
        "First λ, the weight of log(cost) against the validation loss; it follows the cost's distance from its target.",
      ),
    hardwareWeightRate: rate
      .default(0.5)
      .describe("λ is multiplied by exp(rate · log(cost / target)) at each redesign."),
    weightLearningRate: rate.default(0.05).describe("Of SGD on the supernet's weights; falls to 0 along a cosine."),
    operatorLearningRate: rate.default(0.15).describe("Adam's step on the operators' logits."),
    acceleratorLearningRate: rate.default(0.05).describe("Adam's step on the accelerator's logits."),
    initialTemperature: rate.default(3).describe("Temperature of the operators' draws at the first search step."),
    finalTemperature: rate.default(0.3).describe("And at the last; geometric in between."),
  })
  .describe("Settings of the differentiable search.");

/** Settings of the training of the found network and of the baselines: the same for all. */
export const trainingSettingsSchema = z
  .strictObject({
    learningRate: rate.default(0.2).describe("Highest learning rate of the one-cycle schedule."),
    momentum: z.number().min(0).max(1).default(0.9).describe("Of SGD."),
    weightDecay: z.number().min(0).default(5e-4).describe("Also of the supernet's weights."),
    labelSmoothing: z.number().min(0).max(0.5).default(0).describe("Share of the target that goes to all classes."),
    fineTuneLearningRate: rate
      .default(0.0005)
      .describe("Of the fine-tune at the final precision; falls to 0 along a cosine."),
    flip: z.boolean().default(true).describe("Mirror every second training image left and right, at random."),
    cropPadding: z
      .number()
      .int()
      .min(0)
      .max(16)
      .default(4)
      .describe("Shift training images by up to this many pixels."),
  })
  .describe("Settings of training.");

/** Networks that the result is compared with, each with the same training MACs, mapper, precision and fine-tuning. */
export const baselinesSchema = z
  .strictObject({
    referenceNetworkOnReferenceAccelerator: z
      .literal(true)
      .default(true)
      .describe("(a) ResNet-8 on the family's default accelerator, or on the board's exact optimum."),
    referenceNetworkOnSearchedAccelerator: z
      .boolean()
      .default(false)
      .describe("(b) ResNet-8 on the accelerator searched for it alone (ASIC)."),
    randomNetworks: z
      .number()
      .int()
      .min(0)
      .max(20)
      .default(0)
      .describe(
        "(c) Number of networks drawn uniformly from the same space, each on the accelerator searched for it alone.",
      ),
  })
  .describe("What the result is compared with.");

/** The same bit-widths for all layers. */
export const fixedPrecisionSchema = z.strictObject({
  weightBits: z.literal(8).default(8).describe("Signed, one scale an output channel."),
  activationBits: z.literal(8).default(8).describe("One scale a tensor; unsigned where never negative."),
});

/** Bit-widths of the network that is delivered. */
export const precisionSchema = z
  .union([z.literal("switchable"), fixedPrecisionSchema])
  .describe(
    "Precision at which accuracy is measured and cost is charged; `switchable`: one set of weights for all of `precisions`, delivered as a bundle too (accuracy and cost of the run are those at 8 bit).",
  );

/** What a switchable network is trained against. */
export const defences = ["none", "rps"] as const;

/** Bits of `precisions`: what a switchable network switches between. */
const precisionsSchema = z
  .array(z.union([z.number().int().min(2).max(16), z.literal(32)]))
  .min(2)
  .refine((bits) => new Set(bits).size === bits.length, "a precision stands there twice")
  .refine((bits) => bits.includes(8), "8 is missing: the search is charged at 8 bit")
  .default([4, 8])
  .describe("Bits that a switchable network can run at; 8 must be among them, 32 is full precision.");

/** How weights are compressed. */
export const compressionSchema = z
  .strictObject({
    equalBits: z
      .number()
      .int()
      .min(3)
      .max(8)
      .default(4)
      .describe("Rows are zeroed until the network takes no more than quantized to so many bits."),
    retrainFraction: z
      .number()
      .positive()
      .max(0.9)
      .default(0.3)
      .describe("Share of the training after the search that brings weights into form, in whole epochs, one at least."),
    learningRate: rate.default(0.02).describe("Highest of these epochs; falls to 0 along a cosine."),
  })
  .describe("Settings of `compress`.");

/** Everything of a co-search but the data and the seed. */
export const coSearchOptionsSchema = z.strictObject({
  target: targetSchema,
  constraints: constraintsSchema.prefault({}),
  objective: z.enum(["edp", "framesPerSecond"]).describe("edp for an ASIC, framesPerSecond for an FPGA."),
  precision: precisionSchema.prefault({}),
  precisions: precisionsSchema,
  defence: z
    .enum(defences)
    .default("none")
    .describe(
      "rps: adversarial training (PGD-7 at 8/255) at a precision drawn from `precisions` for each step; in use each batch draws its own. The result is delivered as a bundle too.",
    ),
  compress: z
    .enum(["none", "smartexchange"])
    .default("none")
    .describe(
      "smartexchange: weights become small bases and sparse powers of two, rebuilt inside the accelerator (ASIC). The found network is delivered so; baselines are not.",
    ),
  compression: compressionSchema.prefault({}),
  effort: effortSchema,
  search: searchSettingsSchema.prefault({}),
  training: trainingSettingsSchema.prefault({}),
  baselines: baselinesSchema.prefault({}),
});

export type CoSearchOptions = z.output<typeof coSearchOptionsSchema>;

/** The bit-widths that a run's accuracy and cost are stated at. */
export function chargedPrecision({ precision }: Pick<CoSearchOptions, "precision">): {
  readonly weightBits: 8;
  readonly activationBits: 8;
} {
  return precision === "switchable" ? { weightBits: 8, activationBits: 8 } : precision;
}

/** Whether one set of weights for several precisions is asked for. */
export function isSwitchable({ precision, defence }: Pick<CoSearchOptions, "precision" | "defence">): boolean {
  return precision === "switchable" || defence === "rps";
}
export type TargetOptions = z.output<typeof targetSchema>;
export type Constraints = z.output<typeof constraintsSchema>;
export type Effort = z.output<typeof effortSchema>;
export type SearchSettings = z.output<typeof searchSettingsSchema>;
export type TrainingSettings = z.output<typeof trainingSettingsSchema>;

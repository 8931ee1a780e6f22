import { createRandomStream } from "@dovetail/core";
import type { ConstraintOutcome, CoSearchResult, HardwareFigures } from "@dovetail/systems";
import { correctness, type Labels, pairedDifference95, wilsonInterval95 } from "@dovetail/train";
import { z } from "zod";

const fraction = z.number().min(0).max(1);
const figure = z.number().min(0);
const count = z.number().int().min(0);
const ascendingPair = z.tuple([z.number(), z.number()]).refine(([low, high]) => low <= high, "the ends are in order");

const hardwareFields = {
  target: z.string().describe("Name of the accelerator or board."),
  clockHz: figure.describe("Clock."),
  latencyCycles: figure.describe("Of one image."),
  latencyMs: figure.describe("Of one image."),
  framesPerSecond: figure.describe(
    "ASIC: 1 / latency. FPGA: clock / cycles of the slowest chunk, several images being under way.",
  ),
  energyPj: figure.optional().describe("ASIC: of one image."),
  edpJouleSeconds: figure.optional().describe("ASIC: energy times latency of one image."),
  areaMm2: figure.optional().describe("ASIC."),
  dsp: count.optional().describe("FPGA: DSP slices."),
  bram: count.optional().describe("FPGA: block memories of 18 Kb."),
};

const taskSchema = z
  .strictObject({
    accuracyFraction: fraction.describe("Of network.onnx in ONNX Runtime on the test images, read once."),
    float32AccuracyFraction: fraction.describe("Of the same network before quantization, on the test images."),
    validationAccuracyFraction: fraction.describe("Of network.onnx on the validation images."),
    testImages: z.number().int().positive().describe("Number of test images."),
    interval95: ascendingPair.describe("Wilson's interval of accuracyFraction."),
  })
  .describe("How well the network does.");

const constraintSchema = z.strictObject({
  name: z.string().describe("Name of a field of `hardware`."),
  limit: z.number().describe("The bound."),
  actual: z.number().describe("The same figure in `hardware`."),
  met: z.boolean().describe("At most the bound; of framesPerSecond at least."),
});

const baselineSchema = z.strictObject({
  name: z.string().describe("What it is."),
  accuracyFraction: fraction.describe("On the test images, at the same precision."),
  pairedDifference95: ascendingPair.describe(
    "95 % interval of the found network's accuracy minus this one's, over the same test images (bootstrap).",
  ),
  ...hardwareFields,
});

const effortSchema = z.strictObject({
  trainingMacs: figure.describe("Multiply-accumulates spent on the result: search, training, fine-tune."),
  bitMacs: figure
    .optional()
    .describe("Of a low-precision training: the same weighted by the bits of both operands, over 32²."),
  optimizerSteps: count.describe("Steps of the same."),
  evaluations: count.describe("Accelerators evaluated for the result."),
});

const originFields = {
  seed: count.describe("Of the run."),
  versions: z
    .strictObject({ dovetail: z.string(), node: z.string(), onnxruntime: z.string() })
    .describe("What the run was begun with."),
  command: z.string().describe("The command that began the run."),
  inputs: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)).describe("sha256 of each file that was read."),
};

/** metrics.json of `dovetail search`. */
export const searchMetricsSchema = z.strictObject({
  task: taskSchema,
  hardware: z.strictObject(hardwareFields).describe("What one image costs on the accelerator."),
  constraints: z.array(constraintSchema),
  baselines: z.array(baselineSchema),
  effort: effortSchema,
  ...originFields,
});

/** metrics.json of `dovetail train`: there is no hardware. */
export const trainMetricsSchema = z.strictObject({
  task: taskSchema.partial({ validationAccuracyFraction: true }),
  effort: effortSchema.omit({ evaluations: true }),
  ...originFields,
});

export type SearchMetrics = z.infer<typeof searchMetricsSchema>;
export type TrainMetrics = z.infer<typeof trainMetricsSchema>;

/** Where a run comes from. */
export type Origin = Pick<SearchMetrics, "seed" | "versions" | "command" | "inputs">;

/** What is said about the task, before the schema has checked it. */
export function taskFigures(
  figures: {
    readonly accuracyFraction: number;
    readonly float32AccuracyFraction: number;
    readonly validationAccuracyFraction: number | undefined;
  },
  testImages: number,
): object {
  const { accuracyFraction, float32AccuracyFraction, validationAccuracyFraction } = figures;
  const interval95 = wilsonInterval95(Math.round(accuracyFraction * testImages), testImages);
  return { accuracyFraction, float32AccuracyFraction, validationAccuracyFraction, testImages, interval95 };
}

/** metrics.json of a search. The bootstrap draws from the run's seed. */
export function searchMetrics(result: CoSearchResult, labels: Labels, origin: Origin): SearchMetrics {
  const ours = correctness(result.found.testPredictions, labels);
  const random = createRandomStream(origin.seed).split("paired differences");
  const baselines = result.baselines.map((baseline) => {
    const theirs = correctness(baseline.testPredictions, labels);
    const { interval95 } = pairedDifference95(ours, theirs, { random: random.split(baseline.name) });
    return {
      name: baseline.name,
      accuracyFraction: baseline.accuracyFraction,
      pairedDifference95: interval95,
      ...hardwareFigures(baseline.hardware),
    };
  });
  return searchMetricsSchema.parse({
    task: taskFigures(result.found, labels.length),
    hardware: hardwareFigures(result.found.hardware),
    constraints: result.constraints.map(constraintFigures),
    baselines,
    effort: result.effort,
    ...origin,
  });
}

/** The fields in the order of the schema, absent ones left out. */
export function hardwareFigures(hardware: HardwareFigures): SearchMetrics["hardware"] {
  const names = Object.keys(hardwareFields) as (keyof HardwareFigures)[];
  const entries = names.flatMap((name) => (hardware[name] === undefined ? [] : [[name, hardware[name]]]));
  return Object.fromEntries(entries) as SearchMetrics["hardware"];
}

export function constraintFigures({
  name,
  limit,
  actual,
  met,
}: ConstraintOutcome): SearchMetrics["constraints"][number] {
  return { name, limit, actual, met };
}

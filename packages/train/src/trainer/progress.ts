import { inputError } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { z } from "zod";
import type { Checkpoint, Json } from "../checkpoint/checkpoint.js";

const fraction = z.number().min(0).max(1);

const epochSchema = z.strictObject({
  epoch: z.number().int().nonnegative(),
  loss: z.number(),
  learningRate: z.number(),
  trainingAccuracyFraction: fraction.optional(),
  validationAccuracyFraction: fraction.optional(),
});

/** What one epoch of training gave: means over its batches, and the validation after it. */
export interface EpochRecord {
  /** Counts from 0. */
  readonly epoch: number;
  /** Mean loss over the epoch's batches, as the network was at each step. */
  readonly loss: number;
  /** Of the epoch's last step. */
  readonly learningRate: number;
  readonly trainingAccuracyFraction?: number | undefined;
  readonly validationAccuracyFraction?: number | undefined;
}

/** How far a training is, beside its tensors. */
export interface TrainingProgress {
  /** Place of the next batch: both count from 0, `step` within the epoch. */
  epoch: number;
  step: number;
  optimizerSteps: number;
  /** Sums over the steps of the current epoch. */
  lossSum: number;
  correctSum: number;
  history: EpochRecord[];
  /** State of the training's controller, where it has one. */
  controller?: Json | undefined;
}

const progressSchema = z.strictObject({
  epoch: z.number().int().nonnegative(),
  step: z.number().int().nonnegative(),
  optimizerSteps: z.number().int().nonnegative(),
  lossSum: z.number(),
  correctSum: z.number().nonnegative(),
  history: z.array(epochSchema),
  controller: z.json().optional(),
});

/** The checkpoint of a training: parameters and optimizer memory as tensors, progress as JSON. */
export function trainingCheckpoint(tensors: ReadonlyMap<string, Tensor>, progress: TrainingProgress): Checkpoint {
  return { tensors, state: JSON.parse(JSON.stringify(progress)) };
}

/** The progress that a checkpoint holds. Throws when it is not that of a training. */
export function progressOf(checkpoint: Checkpoint): TrainingProgress {
  const parsed = progressSchema.safeParse(checkpoint.state);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw inputError("checkpoint_state", `the checkpoint is not that of a training: ${issue.message}`, {
    path: issue.path.filter((step) => typeof step !== "symbol"),
  });
}

// What the pieces of ShiftAddNet's reproduction find, and their names.

import { operationTables } from "@dovetail/hardware";
import { z } from "zod";
import type { PrecisionName } from "./precision.js";
import type { OptimizerName } from "./training.js";

const partSchema = z.object({ operationsPj: z.number(), shiftPj: z.number(), memoryPj: z.number() });
const fractionsSchema = z.record(z.string(), z.object({ before: z.number(), after: z.number() }));

/** The result of a training with one of the optimizers that a network is offered: no test image is read for it. */
export const tuningSchema = z.object({
  optimizer: z.string(),
  validationFraction: z.number(),
  /** Part of the shift weights that are zero, after training. */
  zeroFractions: fractionsSchema,
});

/** The result of a training. */
export const trainingSchema = tuningSchema.extend({
  /** On the test images, read once. */
  accuracyFraction: z.number(),
});

/** The result of pruning a trained network, by share; the share 0 was trained further without pruning. */
export const pruningSchema = z.array(
  z.object({
    share: z.number(),
    zeroFractions: fractionsSchema,
    /** Before retraining, on the validation images. */
    validationFraction: z.number(),
    /** After retraining, on the test images. */
    retrainedFraction: z.number(),
  }),
);

/** The result of running a network's blocks in integers and on the models of their units. */
export const integersSchema = z.object({
  blocks: z.number().int(),
  images: z.number().int(),
  /** Of the blocks' outputs. */
  values: z.number().int(),
  differing: z.number().int(),
});

export const energyTables = [...operationTables, "interpolated45"] as const;

/** Modelled energy of an image, by precision and table; picojoules. */
export const energySchema = z.object({
  operations: z.object({ multiply: z.number(), shift: z.number(), add: z.number() }),
  rows: z.array(
    z.object({
      precision: z.string(),
      table: z.enum(energyTables),
      weightBits: z.number(),
      inference: partSchema,
      training: partSchema,
      parts: z.record(z.string(), partSchema),
    }),
  ),
});

export type TuningFigures = z.output<typeof tuningSchema>;
export type TrainingFigures = z.output<typeof trainingSchema>;
export type PruningFigures = z.output<typeof pruningSchema>;
export type IntegerFigures = z.output<typeof integersSchema>;
export type EnergyResult = z.output<typeof energySchema>;
export type EnergyPartFigures = z.output<typeof partSchema>;

export const pieceName = {
  tuning: (network: string, optimizer: OptimizerName) => `tuning-${network}-${optimizer}`,
  training: (network: string, precision: PrecisionName, seed: number) => `${network}-${precision}-seed${seed}`,
  pruned: (network: string) => `pruned-${network}`,
  integers: (network: string) => `integers-${network}`,
  energy: (network: string) => `modelled-energy-${network}`,
} as const;

/** Names under which pieces keep weights for later ones. */
export const keptName = {
  tuned: (network: string, optimizer: OptimizerName) => `${network}-${optimizer}`,
  fixed: (network: string) => `${network}-fixed16`,
} as const;

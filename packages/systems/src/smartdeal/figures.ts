// Results of the pieces of SmartDeal's reproduction, and the pieces' names.

import { z } from "zod";
import { settingPiece } from "../reproduction/data-splits.js";
import { stepParts } from "./training-energy.js";

const keptSchema = z.object({ columns: z.number(), rows: z.number(), keptRows: z.number(), bases: z.number() });

const keptTensorSchema = z.object({
  tensor: z.string(),
  elementType: z.string(),
  elements: z.number(),
  bits: z.number(),
});

/** The result of a training. */
export const pieceFiguresSchema = z.object({
  accuracyFraction: z.number(),
  lastAccuracyFraction: z.number(),
  steps: z.number(),
  losses: z.array(z.number()),
  storage: z.object({
    denseWeightBits: z.number(),
    weightBits: z.number(),
    otherBits: z.number(),
    kept: z.record(z.string(), keptSchema),
  }),
  betweenSteps: z.object({ layers: z.record(z.string(), z.array(keptTensorSchema)), floatWeights: z.number() }),
  inputZeros: z.record(z.string(), z.number()).optional(),
});
export type PieceFigures = z.output<typeof pieceFiguresSchema>;

const partSchema = z.object({
  weightsPj: z.number(),
  activationsPj: z.number(),
  arithmeticPj: z.number(),
  rebuildPj: z.number(),
});

/** Energy of one step, of one batch, by what is trained and how; of inference, by what is used. */
export const energySchema = z.object({
  steps: z.array(
    z.object({
      network: z.string(),
      method: z.string(),
      arithmetic: z.enum(["float32", "integer8"]),
      batchSize: z.number(),
      parts: z.record(z.enum(stepParts), partSchema),
    }),
  ),
  /** Picojoules of one image at 8 bits. */
  inference: z.array(z.object({ weights: z.enum(["dense", "ours"]), usesZeros: z.boolean(), energyPj: z.number() })),
  /** Dense over ours for the experiment's network with a smaller share of rows kept in every layer: shapes only. */
  fewerRows: z.array(
    z.object({
      keptRowShare: z.number(),
      /** Of all parameters. */
      storage: z.number(),
      /** A step of the experiment's batch, equal operands. */
      training: z.object({ float32: z.number(), integer8: z.number() }),
      /** One image at 8 bits, with the zeros that the trained network has used by ours only. */
      inference: z.number(),
    }),
  ),
});
export type ModelledEnergy = z.output<typeof energySchema>;
export type EnergyRow = ModelledEnergy["steps"][number];

export const pieceName = {
  scratch: (method: string, seed: number) => `scratch-${method}-seed${seed}`,
  ...settingPiece,
  energy: "energy",
} as const;

/** The network whose weights are most of its traffic, of which only the shapes are used. */
export const wideNetworkName = "vgg11-bn";

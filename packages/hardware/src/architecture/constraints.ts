import * as z from "zod";
import { dimensionNameSchema, nameSchema, positiveIntegerSchema, positiveSchema } from "../documents/names.js";

// What a mapping may do on an architecture. A dimension or a tensor that a problem lacks is simply not concerned,
// so that one architecture serves convolutions and matrix products.

/** Stands in a permutation for all dimensions that are not named, in any order. */
export const ANY_ORDER = "*";

/** Bounds on the loops of one kind (temporal, spatial X or spatial Y) at one level. */
export interface LoopConstraints {
  /** The only dimensions that may have a loop here; all may when absent, none when empty. */
  readonly dimensions?: readonly string[] | undefined;
  /** Bounds that are fixed, e.g. `{ R: 3, N: 1 }`. */
  readonly factors?: Readonly<Record<string, number>> | undefined;
  /** Order of the loops, outermost first; `*` stands once for all others, in any order. Any order when absent. */
  readonly permutation?: readonly string[] | undefined;
}

export interface LevelConstraints {
  readonly level: string;
  /** Tensors that must be kept here. */
  readonly keep?: readonly string[] | undefined;
  /** Tensors that must pass by. A tensor in neither list is free. */
  readonly bypass?: readonly string[] | undefined;
  /** Copies of each tile that have to fit: 2 for double buffering. Default 1. */
  readonly multipleBuffering?: number | undefined;
  /** Least part of the capacity that must be filled, 0…1. */
  readonly minUtilization?: number | undefined;
  readonly temporal?: LoopConstraints | undefined;
  readonly spatialX?: LoopConstraints | undefined;
  readonly spatialY?: LoopConstraints | undefined;
}

export interface Constraints {
  readonly levels?: readonly LevelConstraints[] | undefined;
  /** Least part of the compute units that must be busy, 0…1. */
  readonly minComputeUtilization?: number | undefined;
}

const loopConstraintsSchema = z.strictObject({
  dimensions: z.array(dimensionNameSchema).optional(),
  factors: z.record(dimensionNameSchema, positiveIntegerSchema).optional(),
  permutation: z
    .array(z.union([dimensionNameSchema, z.literal(ANY_ORDER)]))
    .refine((names) => new Set(names).size === names.length, "a dimension appears twice in the permutation")
    .optional(),
});

const fractionSchema = z.number().min(0).max(1);

export const constraintsSchema = z.strictObject({
  levels: z
    .array(
      z.strictObject({
        level: nameSchema,
        keep: z.array(nameSchema).optional(),
        bypass: z.array(nameSchema).optional(),
        multipleBuffering: positiveSchema.optional(),
        minUtilization: fractionSchema.optional(),
        temporal: loopConstraintsSchema.optional(),
        spatialX: loopConstraintsSchema.optional(),
        spatialY: loopConstraintsSchema.optional(),
      }),
    )
    .optional(),
  minComputeUtilization: fractionSchema.optional(),
});

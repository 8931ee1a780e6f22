import * as z from "zod";
import { bandedModel } from "./banded.js";
import { type DensityModel, type Extents, volume } from "./density-model.js";
import { fixedStructuredModel } from "./fixed-structured.js";
import { hypergeometricModel } from "./hypergeometric.js";

// A density as documents write it, and the model that it stands for.

/**
 * - a number, or `fixedStructured`: every tile holds its share of non-zeros, rounded up or down
 * - `hypergeometric`: the non-zeros lie anywhere, all places being equally likely
 * - `banded`: a square matrix whose non-zeros are the diagonals at most `bandWidth` away from the main one
 */
export type Density =
  | number
  | { readonly distribution: "fixedStructured"; readonly density: number }
  | { readonly distribution: "hypergeometric"; readonly density: number }
  | { readonly distribution: "banded"; readonly bandWidth: number };

const shareSchema = z.number().positive().max(1);

export const densitySchema = z.union([
  shareSchema,
  z.discriminatedUnion("distribution", [
    z.strictObject({ distribution: z.literal("fixedStructured"), density: shareSchema }),
    z.strictObject({ distribution: z.literal("hypergeometric"), density: shareSchema }),
    z.strictObject({ distribution: z.literal("banded"), bandWidth: z.int().nonnegative() }),
  ]),
]);

/**
 * The model of a density over a tensor of the given extents; without one the tensor is dense.
 *
 * @throws DovetailError `banded_tensor` when a banded tensor is no square matrix.
 */
export function densityModel(density: Density | undefined, tensor: Extents): DensityModel {
  if (density === undefined) return fixedStructuredModel(1);
  if (typeof density === "number") return fixedStructuredModel(density);
  switch (density.distribution) {
    case "fixedStructured":
      return fixedStructuredModel(density.density);
    case "hypergeometric":
      return hypergeometricModel(density.density, volume(tensor));
    case "banded":
      return bandedModel(density.bandWidth, tensor);
  }
}

/** The name of a density's distribution. */
export function distributionName(density: Density | undefined): string {
  return density === undefined || typeof density === "number" ? "fixedStructured" : density.distribution;
}

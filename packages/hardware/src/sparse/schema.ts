import * as z from "zod";
import { dimensionNameSchema, nameSchema, nonNegativeSchema, positiveIntegerSchema } from "../documents/names.js";

// What an architecture says about sparsity: how a level represents which tensor, which accesses it leaves out, and
// what that costs. Densities stand in the problem.

/**
 * How one rank of a compressed tensor says where its non-empty coordinates are:
 * - `bitmask`: a bit for every coordinate of a non-empty fiber
 * - `uncompressedBitmask`: a bit for every coordinate, and the zeros are stored too
 * - `runLength`: a run length for every non-empty coordinate
 * - `coordinatePayload`: the coordinate of every non-empty coordinate
 * - `offsetPairs`: where each fiber of the next rank begins, and where the last one ends
 */
export const rankFormats = ["bitmask", "uncompressedBitmask", "runLength", "coordinatePayload", "offsetPairs"] as const;
export type RankFormatName = (typeof rankFormats)[number];

export interface RankFormat {
  readonly format: RankFormatName;
  /** Bits of one item of metadata (a coordinate, a run length); the level's `metadata.wordBits` when absent. A bitmask has 1. */
  readonly metadataBits?: number | undefined;
  /** Bits of one pointer to the next rank; the level's `metadata.wordBits` when absent. */
  readonly payloadBits?: number | undefined;
  /** Groups of dimensions whose loops may be flattened into this rank; without any, one loop is one rank. */
  readonly flatten?: readonly (readonly string[])[] | undefined;
}

/** How a level represents one tensor. */
export interface TensorFormat {
  readonly tensor: string;
  /** Outermost first. */
  readonly ranks: readonly RankFormat[];
  /** To which loops the ranks go first, when there are fewer loops than ranks. Default `outerToInner`. */
  readonly rankOrder?: "outerToInner" | "innerToOuter" | undefined;
}

/** `target`'s accesses are left out where what is needed of all tensors in `on` is empty. */
export interface ActionOption {
  readonly target: string;
  readonly on: readonly string[];
}

/** `gate`: the access takes its cycle but not its energy; `skip`: it takes neither. Of several options the one that saves most counts. */
export interface SparseAction {
  readonly kind: "gate" | "skip";
  readonly options: readonly ActionOption[];
}

/** Energies per access of accesses that are left out; 0 when absent. A skipped access costs as much as a gated one unless it is said. */
export interface IdleEnergies {
  readonly gatedReadPj?: number | undefined;
  readonly gatedFillPj?: number | undefined;
  readonly gatedUpdatePj?: number | undefined;
  readonly skippedReadPj?: number | undefined;
  readonly skippedFillPj?: number | undefined;
  readonly skippedUpdatePj?: number | undefined;
}

/** The memory that holds a level's metadata. */
export interface MetadataStorage extends IdleEnergies {
  /** Rows; when absent the metadata are unbounded if the data are, and have no room otherwise. */
  readonly entries?: number | undefined;
  readonly widthBits: number;
  /** Bits of one item, unless the rank says otherwise. */
  readonly wordBits: number;
  readonly readPj: number;
  readonly writePj: number;
  readonly updatePj?: number | undefined;
}

export interface LevelSparsity {
  readonly metadata?: MetadataStorage | undefined;
  readonly formats?: readonly TensorFormat[] | undefined;
  readonly actions?: readonly SparseAction[] | undefined;
  readonly idle?: IdleEnergies | undefined;
  /** Whether the level may hold a tensor uncompressed that comes compressed from above. */
  readonly decompresses?: boolean | undefined;
  /** Whether it may send one up compressed. */
  readonly compresses?: boolean | undefined;
  /** Of one word that is decompressed or compressed here. */
  readonly decompressionPj?: number | undefined;
  readonly compressionPj?: number | undefined;
}

export interface ComputeSparsity {
  /** Multiplications with a zero take their cycle but not their energy. */
  readonly gateZeros?: boolean | undefined;
  /** Where one operand is missing in a compressed tensor, the next pair that exists is taken instead. */
  readonly skipMissing?: boolean | undefined;
  /** `energyPj` of the compute unit when absent. */
  readonly gatedPj?: number | undefined;
  readonly skippedPj?: number | undefined;
}

const idleFields = {
  gatedReadPj: nonNegativeSchema.optional(),
  gatedFillPj: nonNegativeSchema.optional(),
  gatedUpdatePj: nonNegativeSchema.optional(),
  skippedReadPj: nonNegativeSchema.optional(),
  skippedFillPj: nonNegativeSchema.optional(),
  skippedUpdatePj: nonNegativeSchema.optional(),
};

const bitsSchema = z.int().nonnegative();

const formatSchema = z.strictObject({
  tensor: nameSchema,
  ranks: z
    .array(
      z.strictObject({
        format: z.enum(rankFormats),
        metadataBits: bitsSchema.optional(),
        payloadBits: bitsSchema.optional(),
        flatten: z.array(z.array(dimensionNameSchema).min(1)).optional(),
      }),
    )
    .min(1)
    .refine((ranks) => !compressedBelowUncompressed(ranks), "an uncompressed rank lies below a compressed one"),
  rankOrder: z.enum(["outerToInner", "innerToOuter"]).optional(),
});

const actionSchema = z.strictObject({
  kind: z.enum(["gate", "skip"]),
  options: z.array(z.strictObject({ target: nameSchema, on: z.array(nameSchema).min(1) })).min(1),
});

export const levelSparsitySchema = z.strictObject({
  metadata: z
    .strictObject({
      entries: positiveIntegerSchema.optional(),
      widthBits: positiveIntegerSchema,
      wordBits: bitsSchema,
      readPj: nonNegativeSchema,
      writePj: nonNegativeSchema,
      updatePj: nonNegativeSchema.optional(),
      ...idleFields,
    })
    .optional(),
  formats: z
    .array(formatSchema)
    .refine(
      (formats) => new Set(formats.map(({ tensor }) => tensor)).size === formats.length,
      "a tensor has two formats",
    )
    .optional(),
  actions: z.array(actionSchema).optional(),
  idle: z.strictObject(idleFields).optional(),
  decompresses: z.boolean().optional(),
  compresses: z.boolean().optional(),
  decompressionPj: nonNegativeSchema.optional(),
  compressionPj: nonNegativeSchema.optional(),
});

export const computeSparsitySchema = z.strictObject({
  gateZeros: z.boolean().optional(),
  skipMissing: z.boolean().optional(),
  gatedPj: nonNegativeSchema.optional(),
  skippedPj: nonNegativeSchema.optional(),
});

/** Whether a rank stores only what is not empty. */
export function isCompressed(format: RankFormatName): boolean {
  return format === "bitmask" || format === "runLength" || format === "coordinatePayload";
}

/** Outermost first: once a rank is compressed, all below it must be. */
function compressedBelowUncompressed(ranks: readonly { readonly format: RankFormatName }[]): boolean {
  const first = ranks.findIndex(({ format }) => isCompressed(format));
  return first >= 0 && ranks.slice(first).some(({ format }) => !isCompressed(format));
}

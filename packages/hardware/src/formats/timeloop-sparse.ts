import { inputError } from "@dovetail/core";
import * as z from "zod";
import type { Density } from "../sparse/density.js";
import type {
  ActionOption,
  ComputeSparsity,
  IdleEnergies,
  LevelSparsity,
  MetadataStorage,
  RankFormat,
  RankFormatName,
  SparseAction,
  TensorFormat,
} from "../sparse/schema.js";

// What Timeloop's inputs say about sparsity: densities of an instance, `sparse_optimizations`, the metadata memory of a
// component, and the energies of what is left out.

const densitySchema = z.union([
  z.number(),
  z.object({
    distribution: z.string(),
    density: z.number().optional(),
    band_width: z.int().nonnegative().optional(),
  }),
]);

/** `densities` of an instance, or its `commonDensity`. */
export const timeloopDensitiesSchema = z.record(z.string(), densitySchema);

const bitsSchema = z.int().nonnegative();

/** A rank with what it is flattened from; Timeloop's names. */
const rankSchema = z.object({
  format: z.string(),
  metadata_word_bits: bitsSchema.optional(),
  payload_word_bits: bitsSchema.optional(),
  flattened_rankIDs: z.array(z.array(z.string())).optional(),
});

const optionSchema = z.object({ target: z.string(), condition_on: z.array(z.string()).min(1) });

const actionSchema = z.union([
  z.object({ type: z.string(), options: z.array(optionSchema).min(1) }),
  optionSchema.extend({ type: z.string() }),
]);

const targetSchema = z.object({
  name: z.string(),
  representation_format: z
    .object({
      data_spaces: z
        .array(
          z.object({
            name: z.string(),
            ranks: z.array(rankSchema).min(1),
            rank_application_order: z.enum(["inner_to_outer", "outer_to_inner"]).optional(),
          }),
        )
        .default([]),
    })
    .optional(),
  action_optimization: z.array(actionSchema).optional(),
  compute_optimization: z.array(z.object({ type: z.string() })).optional(),
});

/** `sparse_optimizations` of an input. */
export const timeloopSparseSchema = z.object({ targets: z.array(targetSchema).default([]) });

export type TimeloopSparse = z.infer<typeof timeloopSparseSchema>;
type TimeloopTarget = z.infer<typeof targetSchema>;

/** Energies of one component by action, pJ. */
export type ActionEnergies = Readonly<Record<string, number | undefined>>;

/** What a component says about its metadata. */
export interface MetadataAttributes {
  readonly metadata_datawidth?: number | undefined;
  readonly metadata_storage_width?: number | undefined;
  readonly metadata_storage_depth?: number | undefined;
  readonly decompression_supported?: boolean | undefined;
  readonly compression_supported?: boolean | undefined;
}

/** A density in our words; undefined for a dense tensor. */
export function importTimeloopDensity(density: z.infer<typeof densitySchema>, tensor: string): Density | undefined {
  if (typeof density === "number") return density === 1 ? undefined : density;
  const share = density.density ?? 1;
  switch (density.distribution) {
    case "fixed":
    case "fixed_structured":
      return share === 1 ? undefined : { distribution: "fixedStructured", density: share };
    case "hypergeometric":
      return { distribution: "hypergeometric", density: share };
    case "banded":
    case "diagonal":
      return { distribution: "banded", bandWidth: density.band_width ?? 0 };
    default:
      throw inputError("timeloop_density", "unknown distribution of non-zeros", {
        path: ["instance", "densities", tensor, "distribution"],
        expected: "one of fixed, fixed_structured, hypergeometric, banded, diagonal",
        received: density.distribution,
      });
  }
}

/**
 * What a level says about sparsity; undefined when it says nothing.
 *
 * @throws DovetailError `timeloop_sparse` for a format or an optimization that is not modelled.
 */
export function importLevelSparsity(
  target: TimeloopTarget | undefined,
  attributes: MetadataAttributes,
  energies: ActionEnergies,
): LevelSparsity | undefined {
  const formats = target?.representation_format?.data_spaces ?? [];
  const actions = target?.action_optimization ?? [];
  const converts = attributes.decompression_supported === true || attributes.compression_supported === true;
  if (formats.length === 0 && actions.length === 0 && !converts) return undefined;
  return withoutUndefined({
    metadata: formats.length === 0 ? undefined : importMetadata(attributes, energies),
    formats: formats.length === 0 ? undefined : formats.map(importFormat),
    actions: actions.length === 0 ? undefined : actions.map((action) => importAction(action, target!.name)),
    idle: noneWhenEmpty(idleEnergies(energies, "")),
    decompresses: attributes.decompression_supported || undefined,
    compresses: attributes.compression_supported || undefined,
    decompressionPj: energies.decompression_count || undefined,
    compressionPj: energies.compression_count || undefined,
  });
}

function importMetadata(attributes: MetadataAttributes, energies: ActionEnergies): MetadataStorage | undefined {
  const widthBits = attributes.metadata_storage_width ?? 0;
  if (widthBits === 0) return undefined;
  const writePj = energies.random_metadata_fill ?? energies.metadata_fill ?? energies.metadata_write ?? 0;
  return withoutUndefined({
    entries: attributes.metadata_storage_depth || undefined,
    widthBits,
    wordBits: attributes.metadata_datawidth ?? 0,
    readPj: energies.random_metadata_read ?? energies.metadata_read ?? 0,
    writePj,
    updatePj: energies.random_metadata_update ?? energies.metadata_update,
    ...idleEnergies(energies, "metadata_"),
  });
}

/** Energies of gated and skipped accesses, after the names that Timeloop looks for (`storageOperationMappings`). */
function idleEnergies(energies: ActionEnergies, kind: "" | "metadata_"): IdleEnergies {
  const first = (...names: string[]): number | undefined =>
    names.map((name) => energies[name]).find((value) => value !== undefined);
  return withoutUndefined({
    gatedReadPj: first(`gated_${kind}read`),
    gatedFillPj: first(`gated_${kind}fill`, `gated_${kind}write`),
    gatedUpdatePj: first(`gated_${kind}update`, `gated_${kind}write`),
    skippedReadPj: first(`skipped_${kind}read`),
    skippedFillPj: first(`skipped_${kind}fill`, `skipped_${kind}write`),
    skippedUpdatePj: first(`skipped_${kind}update`, `skipped_${kind}write`),
  });
}

const formatNames: Readonly<Record<string, RankFormatName>> = {
  b: "bitmask",
  ub: "uncompressedBitmask",
  rle: "runLength",
  cp: "coordinatePayload",
  uop: "offsetPairs",
};

type TimeloopFormat = NonNullable<TimeloopTarget["representation_format"]>["data_spaces"][number];

function importFormat({ name, ranks, rank_application_order: order }: TimeloopFormat): TensorFormat {
  return withoutUndefined({
    tensor: name,
    ranks: ranks.map((rank): RankFormat => {
      const format = formatNames[rank.format.toLowerCase()];
      if (format === undefined) throw notModelled("format", rank.format, Object.keys(formatNames));
      return withoutUndefined({
        format,
        metadataBits: rank.metadata_word_bits,
        payloadBits: rank.payload_word_bits,
        flatten: rank.flattened_rankIDs,
      });
    }),
    rankOrder: order === "inner_to_outer" ? ("innerToOuter" as const) : undefined,
  });
}

function importAction(action: z.infer<typeof actionSchema>, level: string): SparseAction {
  const kind = ({ gating: "gate", skipping: "skip" } as const)[action.type as "gating" | "skipping"];
  if (kind === undefined) throw notModelled(`action_optimization of ${level}`, action.type, ["gating", "skipping"]);
  const options = "options" in action ? action.options : [action];
  return { kind, options: options.map(({ target, condition_on: on }): ActionOption => ({ target, on })) };
}

/** What the compute unit does with zeros; undefined when nothing is said and the energies are the same. */
export function importComputeSparsity(
  target: TimeloopTarget | undefined,
  energies: ActionEnergies,
): ComputeSparsity | undefined {
  const kinds = (target?.compute_optimization ?? []).map(({ type }) => {
    if (type === "gating" || type === "gate_on_zero_operand") return "gate";
    if (type === "skipping" || type === "skip_on_not_aligned_operands") return "skip";
    throw notModelled("compute_optimization", type, ["gating", "skipping"]);
  });
  if (kinds.length === 0) return undefined;
  const gatedPj = energies.mac_gated ?? energies.mult_gated ?? energies.compute_gated;
  return withoutUndefined({
    gateZeros: kinds.includes("gate") || undefined,
    skipMissing: kinds.includes("skip") || undefined,
    gatedPj,
    skippedPj: energies.mac_skipped ?? energies.mult_skipped ?? energies.compute_skipped ?? gatedPj,
  });
}

function notModelled(what: string, received: string, expected: readonly string[]): Error {
  return inputError("timeloop_sparse", `this ${what} is not modelled`, {
    path: ["sparse_optimizations"],
    expected: `one of ${expected.join(", ")}`,
    received,
  });
}

function withoutUndefined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function noneWhenEmpty<T extends object>(fields: T): T | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}

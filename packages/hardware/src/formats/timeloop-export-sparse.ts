import type { Architecture } from "../architecture/architecture.js";
import type { Density } from "../sparse/density.js";
import type { IdleEnergies, LevelSparsity, RankFormatName, TensorFormat } from "../sparse/schema.js";

// Sparsity in Timeloop's words.

export function exportDensity(density: Density): number | object {
  if (typeof density === "number") return density;
  switch (density.distribution) {
    case "fixedStructured":
      return { distribution: "fixed_structured", density: density.density };
    case "hypergeometric":
      return { distribution: "hypergeometric", density: density.density };
    case "banded":
      return { distribution: "banded", band_width: density.bandWidth };
  }
}

const formatNames: Readonly<Record<RankFormatName, string>> = {
  bitmask: "B",
  uncompressedBitmask: "UB",
  runLength: "RLE",
  coordinatePayload: "CP",
  offsetPairs: "UOP",
};

/** `sparse_optimizations`. */
export function exportSparsity({ levels, compute }: Architecture): { readonly targets: readonly object[] } {
  const memories = levels.flatMap(({ name, sparse }) => {
    const formats = sparse?.formats ?? [];
    const actions = sparse?.actions ?? [];
    if (formats.length + actions.length === 0) return [];
    return [
      {
        name,
        ...(formats.length > 0 && { representation_format: { data_spaces: formats.map(exportFormat) } }),
        ...(actions.length > 0 && {
          action_optimization: actions.map(({ kind, options }) => ({
            type: kind === "gate" ? "gating" : "skipping",
            options: options.map(({ target, on }) => ({ target, condition_on: on })),
          })),
        }),
      },
    ];
  });
  const kinds = [
    ...(compute.sparse?.gateZeros ? [{ type: "gating" }] : []),
    ...(compute.sparse?.skipMissing ? [{ type: "skipping" }] : []),
  ];
  return { targets: [...memories, ...(kinds.length > 0 ? [{ name: compute.name, compute_optimization: kinds }] : [])] };
}

function exportFormat({ tensor, ranks, rankOrder }: TensorFormat): object {
  return {
    name: tensor,
    ranks: ranks.map(({ format, metadataBits, payloadBits, flatten }) => ({
      format: formatNames[format],
      ...(metadataBits !== undefined && { metadata_word_bits: metadataBits }),
      ...(payloadBits !== undefined && { payload_word_bits: payloadBits }),
      ...(flatten !== undefined && { flattened_rankIDs: flatten }),
    })),
    ...(rankOrder === "innerToOuter" && { rank_application_order: "inner_to_outer" }),
  };
}

/** Energies of what sparsity adds, by Timeloop's names of actions. */
export function sparseEnergies(sparse: LevelSparsity | undefined): Readonly<Record<string, number | undefined>> {
  if (sparse === undefined) return {};
  const { metadata } = sparse;
  return {
    ...idleActions(sparse.idle ?? {}, ""),
    ...(metadata && {
      metadata_read: metadata.readPj,
      metadata_write: metadata.writePj,
      metadata_update: metadata.updatePj ?? metadata.writePj,
      ...idleActions(metadata, "metadata_"),
    }),
    decompression_count: sparse.decompressionPj,
    compression_count: sparse.compressionPj,
  };
}

function idleActions(idle: IdleEnergies, kind: "" | "metadata_"): Readonly<Record<string, number | undefined>> {
  return {
    [`gated_${kind}read`]: idle.gatedReadPj,
    [`gated_${kind}fill`]: idle.gatedFillPj,
    [`gated_${kind}update`]: idle.gatedUpdatePj,
    [`skipped_${kind}read`]: idle.skippedReadPj,
    [`skipped_${kind}fill`]: idle.skippedFillPj,
    [`skipped_${kind}update`]: idle.skippedUpdatePj,
  };
}

// SmartExchange and what it is held against, each brought to the same storage from one trained network.

import {
  type DecompositionOptions,
  type FactorizableLayer,
  type Factorization,
  factorizableLayers,
  factorizeNetwork,
  packedTensors,
  pruneRows,
  type RowPruningRule,
  rankFor,
  storageOf,
  type WeightLayer,
  weightLayersOf,
} from "@dovetail/compress";
import type { Tensor } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { filtersInStep } from "./accelerator/machines.js";
import type { NetworkExperiment } from "./experiment.js";
import { identityProjection, integerProjection, type Projection, structuredProjection } from "./projection.js";
import { masksForStorage, requireReachable, rowsForStorage } from "./storage-target.js";
import type { ProjectedTrainingOptions } from "./train-projected.js";

/**
 * `float32` is retrained as the others are and not compressed; `smartexchange` trains its bases, `smartexchange-projected`
 * is projected after every epoch, as published; `smartexchange-shared` trains its bases too, but filters that the
 * accelerator runs in step share a pattern of zero rows, the only ones that all of them can skip.
 */
export const methods = [
  "float32",
  "smartexchange",
  "smartexchange-projected",
  "smartexchange-shared",
  "quantization",
  "pruning",
  "low-rank",
] as const;
export type MethodName = (typeof methods)[number];

/** Those that deliver SmartExchange's form. */
export const structuredMethods = ["smartexchange", "smartexchange-projected", "smartexchange-shared"] as const;
type StructuredMethod = (typeof structuredMethods)[number];

export const isStructured = (method: MethodName): method is StructuredMethod =>
  (structuredMethods as readonly string[]).includes(method);

/** What is retrained, and how it is compressed. */
export interface PreparedMethod {
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly layers: readonly WeightLayer[];
  readonly projection: Projection;
  readonly projects: ProjectedTrainingOptions["projects"];
}

/** Methods that can be brought to a storage. */
export type CompressionMethod = "smartexchange" | "pruning" | "low-rank";

export interface CompressionSettings {
  /** What the whole network may take. SmartExchange prunes no rows without it; the others need it. */
  readonly bits?: number | undefined;
  /** Filters that share a pattern of zero rows; 1 by default. */
  readonly groupFilters?: number | undefined;
  /** Rows that SmartExchange prunes, where no `bits` are given. */
  readonly rows?: RowPruningRule | undefined;
  readonly decomposition?: DecompositionOptions | undefined;
  /** Magnitudes are compared over all layers (default) or in each. */
  readonly scope?: "global" | "layer" | undefined;
  /** `channel` by default. */
  readonly factorization?: Factorization | undefined;
}

/** A network ready to be compressed and retrained by a method. Throws as `requireReachable`. */
export function prepareCompression(
  method: CompressionMethod,
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  settings: CompressionSettings,
): PreparedMethod {
  const { groupFilters = 1, scope = "global", factorization = "channel", decomposition, rows } = settings;
  const { bits = Number.POSITIVE_INFINITY } = settings;
  const layers = weightLayersOf(network.graph, weights);
  const prepared = { network, weights, layers, projects: "step" as const };
  switch (method) {
    case "pruning": {
      const masks = masksForStorage(layers, weights, bits, scope);
      return { ...prepared, projection: integerProjection(layers, { bitWidth: 8, masks, name: "pruning" }) };
    }
    case "low-rank":
      return { ...lowRankAt(network, weights, factorization, bits), projects: "step" };
    case "smartexchange": {
      const kept = rows
        ? pruneRows(layers, weights, { ...rows, groupFilters })
        : rowsForStorage(layers, weights, { bits, groupFilters, exponents: decomposition?.exponents });
      return { ...prepared, projection: structuredProjection(layers, kept, decomposition), projects: "epoch" };
    }
  }
}

/** A method at the storage of the network quantized to `equalBits`, or a little less; but float32 as it is. */
export async function prepareMethod(
  method: MethodName,
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  {
    equalBits,
    ...settings
  }: Pick<NetworkExperiment, "equalBits" | "factorization"> & { readonly groupFilters: number },
): Promise<PreparedMethod> {
  const layers = weightLayersOf(network.graph, weights);
  if (method === "float32") return { network, weights, layers, projects: "epoch", projection: identityProjection };
  const projection = integerProjection(layers, { bitWidth: equalBits, name: `${equalBits}-bit` });
  if (method === "quantization") return { network, weights, layers, projects: "step", projection };
  const { bits } = storageOf((await projection.project(weights)).tensors);
  const groupFilters = method === "smartexchange-shared" ? filtersInStep : settings.groupFilters;
  const form = isStructured(method) ? "smartexchange" : method;
  return prepareCompression(form, network, weights, { ...settings, groupFilters, bits });
}

/**
 * Two factors in 8 bit of each layer, where they take less than the layer itself in 8 bit; the same part of all layers' sum
 * of squares is kept, the largest that fits. Throws as `requireReachable`.
 */
function lowRankAt(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  form: NetworkExperiment["factorization"],
  bits: number,
): Omit<PreparedMethod, "projects"> {
  const candidates = factorizableLayers(network, weights, form);
  const ranksAt = (kept: number): Map<string, number> =>
    new Map(candidates.flatMap((entry) => rankIfSmaller(entry, rankFor(entry, kept))));
  const at = (kept: number): Omit<PreparedMethod, "projects"> => {
    const found = factorizeNetwork(network, weights, candidates, ranksAt(kept));
    const layers = weightLayersOf(found.network.graph, found.weights);
    return { ...found, layers, projection: integerProjection(layers, { bitWidth: 8, name: "low-rank" }) };
  };
  const bitsAt = (kept: number): number => bitsOfRanks(candidates, ranksAt(kept), weights);
  requireReachable(weights, { least: bitsAt(0), bits });
  let [low, high] = [0, 1];
  for (let step = 0; step < 14; step++) {
    const middle = (low + high) / 2;
    if (bitsAt(middle) <= bits) low = middle;
    else high = middle;
  }
  return at(low);
}

function rankIfSmaller({ layer, weightsPerRank }: FactorizableLayer, rank: number): [string, number][] {
  const { outputChannels, inputChannels, kernelHeight, kernelWidth } = layer.shape;
  const whole = outputChannels * inputChannels * kernelHeight * kernelWidth;
  return rank * weightsPerRank < whole ? [[layer.name, rank]] : [];
}

/** Storage of the whole network: 8 bits a weight, a float32 scale for each output channel of a factor. */
function bitsOfRanks(
  candidates: readonly FactorizableLayer[],
  ranks: ReadonlyMap<string, number>,
  weights: ReadonlyMap<string, Tensor>,
): number {
  let bits = storageOf(packedTensors(weights, new Map())).bits;
  for (const { layer, weightsPerRank, outputChannels } of candidates) {
    const whole = (weights.get(layer.name)!.data as Float32Array).length;
    const rank = ranks.get(layer.name);
    bits -= 32 * whole;
    bits +=
      rank === undefined ? 8 * whole + 32 * outputChannels : 8 * rank * weightsPerRank + 32 * (rank + outputChannels);
  }
  return bits;
}

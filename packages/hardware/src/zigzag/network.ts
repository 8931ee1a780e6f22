import { inputError } from "@dovetail/core";
import type { ZigZagAccelerator } from "./accelerator.js";
import type { ZigZagLayer } from "./layer.js";
import { mappingEntryOf, type ZigZagMappingEntry } from "./mapping.js";
import { type MappedZigZagLayer, mapZigZagLayer, type ZigZagSearchOptions } from "./search.js";

/** Layers run one after another. */
export interface MappedZigZagNetwork {
  readonly energyPj: number;
  readonly latencyCycles: number;
  readonly layers: readonly MappedZigZagLayer[];
  /** Orders evaluated; layers that are alike are mapped once. */
  readonly evaluations: number;
}

/**
 * Maps the layers of a network, each by the entry of its name, its operator, or `default`.
 *
 * @throws DovetailError as `mapZigZagLayer`, and `zigzag_no_entry` for a layer that no entry is for.
 */
export function mapZigZagNetwork(
  layers: readonly ZigZagLayer[],
  accelerator: ZigZagAccelerator,
  entries: readonly ZigZagMappingEntry[],
  options: ZigZagSearchOptions = {},
): MappedZigZagNetwork {
  const known = new Map<string, MappedZigZagLayer>();
  let evaluations = 0;
  const mapped = layers.map((layer): MappedZigZagLayer => {
    const entry = entryFor(layer, entries);
    const { id: _, name: __, sources: ___, ...shape } = layer;
    const key = JSON.stringify([shape, entries.indexOf(entry)]);
    const before = known.get(key);
    if (before !== undefined) return { ...before, cost: { ...before.cost, layer: layer.name } };
    const found = mapZigZagLayer(layer, accelerator, entry, options);
    known.set(key, found);
    evaluations += found.evaluations;
    return found;
  });
  return {
    energyPj: mapped.reduce((sum, { cost }) => sum + cost.energyPj, 0),
    latencyCycles: mapped.reduce((sum, { cost }) => sum + cost.latencyCycles, 0),
    layers: mapped,
    evaluations,
  };
}

function entryFor(layer: ZigZagLayer, entries: readonly ZigZagMappingEntry[]): ZigZagMappingEntry {
  const entry = mappingEntryOf(entries, layer);
  const unlinked = [layer.output, ...layer.inputs].find(({ name }) => entry?.links[name] === undefined);
  if (entry !== undefined && unlinked === undefined) return entry;
  throw inputError("zigzag_no_entry", "no entry of the mapping is for this layer", {
    path: [layer.name],
    expected:
      entry === undefined
        ? `an entry named ${layer.name}, ${layer.operator} or default`
        : `memory_operand_links of ${entry.name} with ${unlinked!.name}`,
  });
}

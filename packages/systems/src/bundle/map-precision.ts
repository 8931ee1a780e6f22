// A mapping for every layer at one precision: AutoMapper's part, done by the mappers of the hardware package.
import { inputError, type RandomStream, type Watch } from "@dovetail/core";
import type { Graph } from "@dovetail/graph";
import {
  type Architecture,
  extractWorkloads,
  type Layer,
  type MapperName,
  type Mapping,
  type MappingCost,
  mapNetwork,
  multiplyAccumulate,
  orKnownMapping,
  type Storage,
} from "@dovetail/hardware";
import type { BundleCost } from "./index-file.js";

export interface MapPrecisionOptions {
  /** With the bit-widths of the precision: `graphAtPrecision`. */
  readonly graph: Graph;
  readonly architecture: Architecture;
  readonly clockHz: number;
  /** Mappings evaluated per layer shape. */
  readonly evaluations: number;
  /** `evolutionary` by default. */
  readonly mapper?: MapperName | undefined;
  /** Mappings that are known, by layer, e.g. those at more bits: where one is better than what is found, it is taken. */
  readonly known?: ReadonlyMap<string, Mapping> | undefined;
  /** Only its identity counts. */
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
}

export interface MappedLayerAtPrecision {
  readonly name: string;
  readonly layer: Layer;
  readonly mapping: Mapping;
  readonly cost: MappingCost;
}

export interface MappedPrecision {
  readonly layers: readonly MappedLayerAtPrecision[];
  /** Of one image, layers one after another. */
  readonly cost: BundleCost;
}

/**
 * Searches a mapping of least energy-delay product for each layer, on the accelerator as it is for operands of the layer's
 * width (`atWidth`). Throws the input error `layer_unmapped`, and the signal's reason when cancelled.
 */
export function mapPrecision(options: MapPrecisionOptions): MappedPrecision {
  const { layers } = extractWorkloads(options.graph, { batchSize: 1 });
  const widths = layers.map(operandBits);
  const mapped = new Map<number, MappedLayerAtPrecision>();
  for (const width of new Set(widths)) {
    const chosen = layers.flatMap((layer, index) => (widths[index] === width ? [{ layer, index }] : []));
    mapLayersOfWidth(
      options,
      chosen.map(({ layer }) => layer),
      width,
    ).forEach((result, place) => {
      mapped.set(chosen[place]!.index, result);
    });
  }
  const ordered = layers.map((_, index) => mapped.get(index)!);
  return { layers: ordered, cost: totalCost(ordered, options.clockHz) };
}

function mapLayersOfWidth(
  options: MapPrecisionOptions,
  layers: readonly Layer[],
  width: number,
): MappedLayerAtPrecision[] {
  const { architecture, evaluations, random, mapper, watch } = options;
  const platform = atWidth(architecture, width);
  const result = mapNetwork(
    layers.map(({ problem, repetitions }) => ({ problem, count: repetitions })),
    platform,
    { objective: "edp", evaluations, random, mapper, signal: watch?.signal, onProgress: watch?.onProgress },
  );
  if (!result.ok) {
    const layer = layers[result.unmapped[0]!]!;
    throw inputError("layer_unmapped", `layer "${layer.name}" has no mapping on ${architecture.name} at ${width} bit`, {
      hint: "its smallest tile does not fit the memories",
    });
  }
  return layers.map((layer, index) => {
    const found = result.layers[index]!;
    const known = options.known?.get(layer.name);
    const best = known ? orKnownMapping(found, known, layer.problem, platform, {}) : found;
    const { mapping, cost } = best.ok ? best : found;
    return { name: layer.name, layer, mapping, cost };
  });
}

/**
 * The accelerator for operands of this width, its memories being what they are: multiply-accumulate units of the narrowest
 * of 2, 4, 8, 16 and 32 bit that hold them (`multiplyAccumulate`); memories for operands hold as many narrower words as
 * fit, and a wider word takes several places and accesses. Partial sums keep their width.
 */
export function atWidth(architecture: Architecture, width: number): Architecture {
  const { energyPj, areaUm2 } = multiplyAccumulate({
    weightBitWidth: width,
    activationBitWidth: width,
    technologyNm: architecture.technologyNm ?? Number.NaN,
  });
  const forSums = new Set(
    (architecture.constraints?.levels ?? []).flatMap(({ level, keep }) => (keep?.includes("Outputs") ? [level] : [])),
  );
  const levels = architecture.levels.map((level) =>
    level.storage === undefined || forSums.has(level.name)
      ? level
      : { ...level, storage: heldAt(level.storage, width) },
  );
  return { ...architecture, levels, compute: { ...architecture.compute, energyPj, areaUm2 } };
}

/** A memory of words of a fixed width that holds words of another. */
function heldAt({ wordBits, ...memory }: Storage, width: number): Storage {
  if (wordBits === undefined) return memory;
  const places = Math.ceil(width / wordBits);
  if (places <= 1) return memory;
  const { entries, updatePj } = memory;
  return {
    ...memory,
    widthBits: memory.widthBits * places,
    wordBits: wordBits * places,
    ...(entries !== undefined && { entries: Math.max(1, Math.floor(entries / places)) }),
    readPj: memory.readPj * places,
    writePj: memory.writePj * places,
    ...(updatePj !== undefined && { updatePj: updatePj * places }),
  };
}

/** Width of the wider operand. */
export function operandBits({ problem }: Layer): number {
  const operands = problem.dataSpaces.filter(({ name }) => name === "Weights" || name === "Inputs");
  return Math.max(...operands.map(({ bitWidth }) => bitWidth ?? 8));
}

/** Of layers that run one after another. */
export function totalCost(
  layers: readonly Pick<MappedLayerAtPrecision, "layer" | "cost">[],
  clockHz: number,
): BundleCost {
  const sum = (of: (cost: MappingCost) => number): number =>
    layers.reduce((total, { layer, cost }) => total + of(cost) * layer.repetitions, 0);
  const energyPj = sum((cost) => cost.energyPj);
  const latencyCycles = sum((cost) => cost.latencyCycles);
  const latencySeconds = latencyCycles / clockHz;
  return {
    energyPj,
    latencyCycles,
    latencyMs: 1000 * latencySeconds,
    edpJouleSeconds: energyPj * 1e-12 * latencySeconds,
  };
}

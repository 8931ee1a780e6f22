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
 * Searches a mapping of least energy-delay product for each layer. A layer runs on units of its own width: the narrowest
 * of 2, 4, 8, 16 and 32 bit that hold its operands (`multiplyAccumulate`); the memories are the same at all widths and hold
 * more of the narrower words. Throws the input error `layer_unmapped`, and the signal's reason when cancelled.
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
  const result = mapNetwork(
    layers.map(({ problem, repetitions }) => ({ problem, count: repetitions })),
    withUnitsOf(architecture, width),
    { objective: "edp", evaluations, random, mapper, signal: watch?.signal, onProgress: watch?.onProgress },
  );
  if (!result.ok) {
    const layer = layers[result.unmapped[0]!]!;
    throw inputError("layer_unmapped", `layer "${layer.name}" has no mapping on ${architecture.name} at ${width} bit`, {
      hint: "its smallest tile does not fit the memories",
    });
  }
  return layers.map((layer, index) => {
    const { mapping, cost } = result.layers[index]!;
    return { name: layer.name, layer, mapping, cost };
  });
}

/** The accelerator with multiply-accumulate units for operands of this width. */
export function withUnitsOf(architecture: Architecture, width: number): Architecture {
  const { energyPj, areaUm2 } = multiplyAccumulate({
    weightBitWidth: width,
    activationBitWidth: width,
    technologyNm: architecture.technologyNm ?? Number.NaN,
  });
  return { ...architecture, compute: { ...architecture.compute, energyPj, areaUm2 } };
}

/** Width of the wider operand. */
function operandBits({ problem }: Layer): number {
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

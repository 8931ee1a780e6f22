import type { Architecture, ArchitectureLevel, Storage, WeightRebuild } from "../architecture/architecture.js";
import type { StructuredWeights } from "../precision/structured-weights.js";
import type { Problem } from "../workload/problem.js";
import type { SpecialisedLayer } from "./specialise.js";
import { type LayerStatistics, structuredOf } from "./statistics.js";

/**
 * What a layer meets on an architecture with an engine that rebuilds weights in SmartExchange's form: weights come
 * compressed, a rebuilt word costs its additions where it is written and comes no faster than the engine makes it, zero
 * rows take neither time nor accesses (zeros are taken to be spread evenly). Other layers, and other architectures, stay
 * as they are: weights are dense there.
 */
export function specialiseArchitecture(
  architecture: Architecture,
  layer: Problem,
  statistics: LayerStatistics = {},
): SpecialisedLayer {
  const bits = layer.dataSpaces.find(({ name }) => name === "Weights")?.bitWidth ?? 8;
  const form = structuredOf(layer, bits, statistics);
  const { rebuild } = architecture;
  if (rebuild === undefined || form === undefined) {
    return { architecture, problem: layer, cyclesPerStep: 1, effectualFraction: 1, sources: {} };
  }
  const effectualFraction = form.keptRows / form.rows;
  // A layer of zero rows alone still takes a step for each of a thousand: no time at all would divide by zero.
  const cyclesPerStep = Math.max(effectualFraction, 1e-3);
  return {
    architecture: {
      ...architecture,
      ...(architecture.clockMhz !== undefined && { clockMhz: architecture.clockMhz / cyclesPerStep }),
      levels: architecture.levels.map((level) => stepLevel(level, rebuild, form, cyclesPerStep)),
      compute: {
        ...architecture.compute,
        energyPj: architecture.compute.energyPj * effectualFraction,
        ...(architecture.compute.leakagePjPerCycle !== undefined && {
          leakagePjPerCycle: architecture.compute.leakagePjPerCycle * cyclesPerStep,
        }),
      },
    },
    problem: {
      ...layer,
      dataSpaces: layer.dataSpaces.map((space) =>
        space.name === "Weights" ? { ...space, bitWidth: form.bitsPerWeight } : space,
      ),
    },
    cyclesPerStep,
    effectualFraction,
    sources: {},
  };
}

function stepLevel(
  level: ArchitectureLevel,
  rebuild: WeightRebuild,
  form: StructuredWeights,
  cyclesPerStep: number,
): ArchitectureLevel {
  const { storage, name } = level;
  if (storage === undefined) return level;
  const isSkipping = rebuild.skippingLevels.includes(name);
  const rebuilt = name === rebuild.into ? rebuilding(storage, rebuild, form) : undefined;
  const pace = isSkipping ? 1 : cyclesPerStep;
  const fraction = isSkipping ? form.keptRows / form.rows : 1;
  const { readBitsPerCycle, writeBitsPerCycle, sharedBitsPerCycle, leakagePjPerCycle, updatePj } = storage;
  // The engine's pace is that of its own clock, whatever is skipped.
  const writes = [
    ...(writeBitsPerCycle === undefined ? [] : [writeBitsPerCycle * pace]),
    ...(rebuilt === undefined ? [] : [rebuilt.bitsPerCycle * cyclesPerStep]),
  ];
  return {
    ...level,
    storage: {
      ...storage,
      ...(readBitsPerCycle !== undefined && { readBitsPerCycle: readBitsPerCycle * pace }),
      ...(writes.length > 0 && { writeBitsPerCycle: Math.min(...writes) }),
      ...(sharedBitsPerCycle !== undefined && { sharedBitsPerCycle: sharedBitsPerCycle * pace }),
      ...(leakagePjPerCycle !== undefined && { leakagePjPerCycle: leakagePjPerCycle * cyclesPerStep }),
      readPj: storage.readPj * fraction,
      writePj: storage.writePj * fraction + (rebuilt?.wordPj ?? 0),
      ...(updatePj !== undefined && { updatePj: updatePj * fraction }),
    },
  };
}

/** Of a word of a memory that holds rebuilt weights, on average over kept and zero rows. */
function rebuilding(
  { widthBits, wordBits = widthBits }: Storage,
  { additionPj, additionsPerCycle }: WeightRebuild,
  form: StructuredWeights,
): { readonly wordPj: number; readonly bitsPerCycle: number } {
  const denseWeights = form.totalBits / form.bitsPerWeight;
  const additionsPerWord = form.rebuildAdditions / denseWeights;
  const wordsPerAccess = Math.max(1, Math.floor(widthBits / wordBits));
  return {
    wordPj: additionsPerWord * wordsPerAccess * additionPj,
    bitsPerCycle: (wordBits * additionsPerCycle) / Math.max(additionsPerWord, 1e-9),
  };
}

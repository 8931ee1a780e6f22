import { inputError } from "@dovetail/core";
import type { Architecture, ArchitectureLevel, Storage } from "../architecture/architecture.js";
import type { Constraints } from "../architecture/constraints.js";
import { smartExchangeEnergies } from "../energy/tables/published-unit-energies.js";
import { type StructuredWeights, structuredWeights } from "../precision/structured-weights.js";
import type { DataSpace, Problem } from "../workload/problem.js";
import type { Accelerator, AcceleratorLevel, CompressedStorage, SparseOperand } from "./document.js";
import { memoryFigures } from "./memory-figures.js";
import { assumedWords, type LayerStatistics } from "./statistics.js";
import { unitFigures } from "./unit-figures.js";

/** A layer on an accelerator as the loop-nest models take it. */
export interface SpecialisedLayer {
  /**
   * The accelerator at this layer's precision and sparsity. Its unit of time is a step, `cyclesPerStep` cycles of the
   * clock, in which a unit does a product (or several: level `bricks`); bandwidths and leakage are a step's.
   */
  readonly architecture: Architecture;
  /** The layer with words as wide as they are stored on average. */
  readonly problem: Problem;
  readonly cyclesPerStep: number;
  /** Part of the products that are not skipped. */
  readonly effectualFraction: number;
  /** Name of a part, and where its figures are from. */
  readonly sources: Readonly<Record<string, string>>;
}

/** Level that a unit with several products a step ends in. */
export const bricksLevel = "bricks";

/**
 * What a layer of these bit-widths and statistics meets on an accelerator: the units' products and cycles, their energy
 * and that of rebuilding compressed weights, memories with their figures, words as wide as they are stored.
 *
 * Skipped products shorten the step: zeros are taken to be spread evenly, so that no unit waits for another.
 *
 * @throws DovetailError where a figure would have to be invented (`no_energy_data`, `no_scaling_data`, `unknown_figure`),
 * and `layer_statistics` for fractions outside 0…1.
 */
export function specialise(
  accelerator: Accelerator,
  layer: Problem,
  statistics: LayerStatistics = {},
): SpecialisedLayer {
  checkFractions(statistics);
  const { unit, sparsity } = accelerator;
  const bits = { weights: storedBits(accelerator, layer, "Weights"), inputs: storedBits(accelerator, layer, "Inputs") };
  const figures = unitFigures(accelerator, bits, serialWords(accelerator, statistics, bits));
  const density = (operand: SparseOperand): number => 1 - zeroFraction(operand, statistics);
  const effectualFraction = (sparsity?.skips ?? []).reduce((part, operand) => part * density(operand), 1);
  const switched = (sparsity?.gates ?? []).reduce((part, operand) => part * density(operand), effectualFraction);
  // A layer whose products are all skipped still takes a step for each of a thousand: no time at all would divide by zero.
  const cyclesPerStep = figures.cycles * Math.max(effectualFraction, 1e-3);
  const rebuildPj = rebuildEnergyPj(accelerator, layer, statistics);
  const sources: Record<string, string> = { [unit.kind]: figures.source };
  const levels = accelerator.levels.map((level) => {
    const isSkipping = sparsity?.skippingLevels.includes(level.name) ?? false;
    return levelOf(accelerator, level, {
      cyclesPerStep,
      accessFraction: isSkipping ? effectualFraction : 1,
      sources,
      rebuildPj: holdsStructuredWeights(accelerator, level.name) ? rebuildPj : 0,
    });
  });
  const { products } = figures;
  const architecture: Architecture = {
    name: accelerator.name,
    technologyNm: accelerator.technologyNm,
    clockMhz: accelerator.clockMhz / cyclesPerStep,
    levels:
      products === 1
        ? levels
        : [...levels, { name: bricksLevel, fanout: { x: products, y: 1, neighbourLinks: false } }],
    compute: {
      name: "unit",
      energyPj: figures.energyPj * switched,
      ...(figures.areaUm2 !== undefined && { areaUm2: figures.areaUm2 / products }),
    },
    ...(constraintsOf(accelerator, products) as { constraints?: Constraints }),
  };
  return {
    architecture,
    problem: storedProblem(accelerator, layer, statistics),
    cyclesPerStep,
    effectualFraction,
    sources,
  };
}

interface LevelContext {
  readonly cyclesPerStep: number;
  /** Part of the accesses that take place. */
  readonly accessFraction: number;
  readonly rebuildPj: number;
  readonly sources: Record<string, string>;
}

function levelOf(accelerator: Accelerator, level: AcceleratorLevel, context: LevelContext): ArchitectureLevel {
  const { name, memory, fanout } = level;
  if (memory === undefined) return { name, fanout };
  const { storage, source } = memoryFigures(memory, accelerator);
  context.sources[name] = source;
  return { name, storage: stepStorage(storage, context), ...(fanout !== undefined && { fanout }) };
}

/** Bandwidths and leakage of a step; a memory that is accessed less often has that much more time for each access. */
function stepStorage(storage: Storage, { cyclesPerStep, accessFraction, rebuildPj }: LevelContext): Storage {
  const { readBitsPerCycle, writeBitsPerCycle, sharedBitsPerCycle, leakagePjPerCycle } = storage;
  const pace = cyclesPerStep / Math.max(accessFraction, 1e-3);
  return {
    ...storage,
    ...(readBitsPerCycle !== undefined && { readBitsPerCycle: readBitsPerCycle * pace }),
    ...(writeBitsPerCycle !== undefined && { writeBitsPerCycle: writeBitsPerCycle * pace }),
    ...(sharedBitsPerCycle !== undefined && { sharedBitsPerCycle: sharedBitsPerCycle * pace }),
    ...(leakagePjPerCycle !== undefined && { leakagePjPerCycle: leakagePjPerCycle * cyclesPerStep }),
    readPj: (storage.readPj + rebuildPj) * accessFraction,
    writePj: storage.writePj * accessFraction,
  };
}

/** Narrow words take the machine's own width where it has but one; others are stored as they are. */
function storedBits({ unit }: Accelerator, layer: Problem, name: string): number {
  const bits = layer.dataSpaces.find((space) => space.name === name)?.bitWidth ?? 8;
  if (unit.kind !== "fixed") return bits;
  return Math.max(bits, name === "Weights" ? unit.weightBits : unit.inputBits);
}

function storedProblem(accelerator: Accelerator, layer: Problem, statistics: LayerStatistics): Problem {
  const stored = accelerator.sparsity?.stored ?? {};
  return {
    ...layer,
    dataSpaces: layer.dataSpaces.map((space): DataSpace => {
      const bits = storedBits(accelerator, layer, space.name);
      const storage = stored[space.name as keyof typeof stored];
      if (storage === undefined) return { ...space, bitWidth: bits };
      return { ...space, bitWidth: compressedBits(storage, bits, space.name, layer, statistics) };
    }),
  };
}

/** Bits of a word on average. Where that saves nothing the tensor is taken to be stored as it is. */
function compressedBits(
  { format, indexBits = 4 }: CompressedStorage,
  bits: number,
  name: string,
  layer: Problem,
  statistics: LayerStatistics,
): number {
  if (format === "structured") return structuredOf(layer, bits, statistics)?.bitsPerWeight ?? bits;
  const density = 1 - zeroFraction(name, statistics);
  return Math.min(bits, format === "bitmask" ? density * bits + 1 : density * (bits + indexBits));
}

function zeroFraction(name: string, statistics: LayerStatistics): number {
  switch (name) {
    case "Weights":
      return statistics.structured === undefined
        ? (statistics.weightZeroFraction ?? statistics.weightWords?.zeroFraction ?? 0)
        : 1 - statistics.structured.keptRowFraction;
    case "Inputs":
      return statistics.inputZeroFraction ?? statistics.inputWords?.zeroFraction ?? 0;
    default:
      return statistics.outputZeroFraction ?? 0;
  }
}

/** SmartExchange's form of a layer; undefined where the weights are not in it, or take no more bits as they are. */
function structuredOf(layer: Problem, bits: number, { structured }: LayerStatistics): StructuredWeights | undefined {
  if (structured === undefined) return undefined;
  const size = (dimension: string): number => layer.dimensions[dimension] ?? 1;
  const shape = {
    outputChannels: size("M") * size("G"),
    inputChannels: size("C"),
    kernelHeight: size("R"),
    kernelWidth: size("S"),
  };
  const form = structuredWeights(shape, structured);
  return form.bitsPerWeight < bits ? form : undefined;
}

/**
 * The innermost memory that stores weights in SmartExchange's form: what is read there is rebuilt on its way to the units,
 * which costs the additions of a row of it. Zero rows are rebuilt by nobody.
 */
function rebuildEnergyPj(accelerator: Accelerator, layer: Problem, statistics: LayerStatistics): number {
  const form = structuredOf(layer, storedBits(accelerator, layer, "Weights"), statistics);
  const level = structuredLevel(accelerator);
  if (form === undefined || level?.memory === undefined) return 0;
  const { storage } = memoryFigures(level.memory, accelerator);
  const words = Math.max(1, Math.floor(storage.widthBits / form.bitsPerWeight));
  const additionPj = smartExchangeEnergies.figures.add8!.value;
  const denseWeights = form.totalBits / form.bitsPerWeight;
  return words * (form.rebuildAdditions / denseWeights) * additionPj;
}

function holdsStructuredWeights(accelerator: Accelerator, name: string): boolean {
  return structuredLevel(accelerator)?.name === name;
}

function structuredLevel(accelerator: Accelerator): AcceleratorLevel | undefined {
  if (accelerator.sparsity?.stored.Weights?.format !== "structured") return undefined;
  const keepers = accelerator.constraints?.levels?.filter(({ keep }) => keep?.includes("Weights")) ?? [];
  const name = keepers.at(-1)?.level;
  return accelerator.levels.find((level) => level.name === name);
}

function serialWords(
  { unit }: Accelerator,
  { inputWords, weightWords }: LayerStatistics,
  bits: { readonly weights: number; readonly inputs: number },
): NonNullable<LayerStatistics["inputWords"]> {
  return unit.serialOperand === "weights"
    ? (weightWords ?? assumedWords(bits.weights))
    : (inputWords ?? assumedWords(bits.inputs));
}

/** Products that a unit starts together share its sum: they lie along what is summed. */
function constraintsOf({ constraints }: Accelerator, products: number): { constraints?: Constraints | undefined } {
  if (products === 1) return constraints === undefined ? {} : { constraints };
  const bricks = { level: bricksLevel, temporal: { dimensions: [] }, spatialX: { dimensions: ["C", "R", "S"] } };
  return { constraints: { ...constraints, levels: [...(constraints?.levels ?? []), bricks] } };
}

function checkFractions(statistics: LayerStatistics): void {
  const fractions = {
    weightZeroFraction: statistics.weightZeroFraction,
    inputZeroFraction: statistics.inputZeroFraction,
    outputZeroFraction: statistics.outputZeroFraction,
  };
  for (const [field, value] of Object.entries(fractions)) {
    if (value === undefined || (value >= 0 && value <= 1)) continue;
    throw inputError("layer_statistics", "no part of a tensor", {
      path: [field],
      expected: "0 to 1",
      received: String(value),
    });
  }
}

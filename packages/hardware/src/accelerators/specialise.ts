import { inputError } from "@dovetail/core";
import type { Architecture, ArchitectureLevel, Storage } from "../architecture/architecture.js";
import type { Constraints } from "../architecture/constraints.js";
import type { Problem } from "../workload/problem.js";
import type { Accelerator, AcceleratorLevel, SparseOperand } from "./document.js";
import { memoryFigures } from "./memory-figures.js";
import { assumedWords, type LayerStatistics, structuredOf } from "./statistics.js";
import { ruledOut, ruledOutInStep, storedBits, storedProblem } from "./stored-words.js";
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
 * Skipped products shorten the step: zeros are taken to be spread evenly, so that no unit waits for another. Where rows are
 * skipped, filters that work in step take the time of every row that one of them needs; the others' units are idle.
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
  const figures = unitFigures(accelerator, bits, serialWords(accelerator, statistics, bits), layer.operation);
  const density = (operand: SparseOperand): number => 1 - ruledOut(accelerator, operand, statistics);
  const skips = sparsity?.skips ?? [];
  const effectualFraction = skips.reduce((part, operand) => part * density(operand), 1);
  const rowsInStep = skips.includes("Weights") ? 1 - ruledOutInStep(accelerator, layer, statistics) : 1;
  const takingTime = rowsInStep * (skips.includes("Inputs") ? density("Inputs") : 1);
  const switched = (sparsity?.gates ?? []).reduce((part, operand) => part * density(operand), effectualFraction);
  // A layer whose products are all skipped still takes a step for each of a thousand: no time at all would divide by zero.
  const cyclesPerStep = figures.cycles * Math.max(takingTime, 1e-3);
  const rebuilding = rebuildingOf(accelerator, layer, statistics);
  const sources: Record<string, string> = { [unit.kind]: figures.source };
  const levels = accelerator.levels.map((level) => {
    const isSkipping = sparsity?.skippingLevels.includes(level.name) ?? false;
    return levelOf(accelerator, level, {
      cyclesPerStep,
      accessFraction: isSkipping ? effectualFraction : 1,
      readFraction: sparsity?.rows?.sharedLevels.includes(level.name) ? rowsInStep : 1,
      sources,
      ...(rebuilding?.level === level.name && { rebuilding }),
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
      energyPj: figures.energyPj * switched + indexPj(accelerator, layer),
      ...(figures.areaUm2 !== undefined && { areaUm2: figures.areaUm2 / products }),
    },
    ...(constraintsOf(accelerator, products) as { constraints?: Constraints }),
  };
  return {
    architecture,
    problem: withoutOperation(storedProblem(accelerator, layer, statistics)),
    cyclesPerStep,
    effectualFraction,
    sources,
  };
}

interface LevelContext {
  readonly cyclesPerStep: number;
  /** Part of the accesses that take place. */
  readonly accessFraction: number;
  /** Part of the reads, of those, where a row goes to all filters in step at once. */
  readonly readFraction: number;
  readonly rebuilding?: Rebuilding | undefined;
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
function stepStorage(
  storage: Storage,
  { cyclesPerStep, accessFraction, readFraction, rebuilding }: LevelContext,
): Storage {
  const { readBitsPerCycle, writeBitsPerCycle, sharedBitsPerCycle, leakagePjPerCycle } = storage;
  const pace = cyclesPerStep / Math.max(accessFraction, 1e-3);
  // The engines' pace is that of their own clock, whatever is skipped.
  const reads = [
    ...(readBitsPerCycle === undefined ? [] : [readBitsPerCycle * pace]),
    ...(rebuilding === undefined ? [] : [rebuilding.bitsPerCycle * cyclesPerStep]),
  ];
  return {
    ...storage,
    ...(reads.length > 0 && { readBitsPerCycle: Math.min(...reads) }),
    ...(writeBitsPerCycle !== undefined && { writeBitsPerCycle: writeBitsPerCycle * pace }),
    ...(sharedBitsPerCycle !== undefined && { sharedBitsPerCycle: sharedBitsPerCycle * pace }),
    ...(leakagePjPerCycle !== undefined && { leakagePjPerCycle: leakagePjPerCycle * cyclesPerStep }),
    readPj: (storage.readPj + (rebuilding?.accessPj ?? 0)) * accessFraction * readFraction,
    writePj: storage.writePj * accessFraction,
  };
}

/** The units' energy is already that of the layer's kind. */
function withoutOperation({ operation: _, ...problem }: Problem): Problem {
  return problem;
}

/** Rebuilding of weights on their way out of the innermost memory that stores them in SmartExchange's form. */
interface Rebuilding {
  readonly level: string;
  /** Additions for a row of that memory. Zero rows are rebuilt by nobody. */
  readonly accessPj: number;
  /** What the engines take in. */
  readonly bitsPerCycle: number;
}

function rebuildingOf(accelerator: Accelerator, layer: Problem, statistics: LayerStatistics): Rebuilding | undefined {
  const form = structuredOf(layer, storedBits(accelerator, layer, "Weights"), statistics);
  const level = structuredLevel(accelerator);
  const engines = accelerator.sparsity?.rebuild;
  if (form === undefined || level?.memory === undefined || engines === undefined) return undefined;
  const { storage } = memoryFigures(level.memory, accelerator);
  const wordsPerAccess = Math.max(1, Math.floor(storage.widthBits / form.bitsPerWeight));
  const denseWeights = form.totalBits / form.bitsPerWeight;
  const { basisLoadCycles = 0 } = engines;
  const cycles =
    Math.max(form.nonZeroCoefficients, 1) / (engines.engines * engines.coefficientsPerCycle) +
    form.bases * basisLoadCycles;
  return {
    level: level.name,
    accessPj: wordsPerAccess * (form.rebuildAdditions / denseWeights) * engines.additionPj,
    bitsPerCycle: form.totalBits / cycles,
  };
}

function structuredLevel(accelerator: Accelerator): AcceleratorLevel | undefined {
  if (accelerator.sparsity?.stored.Weights?.format !== "structured") return undefined;
  const keepers = accelerator.constraints?.levels?.filter(({ keep }) => keep?.includes("Weights")) ?? [];
  const name = keepers.at(-1)?.level;
  return accelerator.levels.find((level) => level.name === name);
}

/** Of a product: every pair of rows, of a kernel and of a feature map, has two bits of index read for a part of a row. */
function indexPj({ sparsity }: Accelerator, { dimensions }: Problem): number {
  if (sparsity?.rows === undefined) return 0;
  const productsOfPair = (dimensions.S ?? 1) * Math.min(dimensions.Q ?? 1, sparsity.rows.outputsTogether);
  return (2 * sparsity.rows.indexBitPj) / productsOfPair;
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
    zeroRowsInStepFraction: statistics.zeroRowsInStepFraction,
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

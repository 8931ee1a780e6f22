import { describeRejection } from "../analysis/check.js";
import { encodeMapping } from "../analysis/code.js";
import { type Architecture, architectureAreaUm2 } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import {
  type CostOptions,
  type CostResult,
  costModelName,
  costModelOf,
  type DataSpaceCost,
  type ExactCycles,
  type LevelCost,
  type LimitingResource,
} from "./cost.js";
import { accessesOf, type CostEvaluator, prepareCost, usedClusters } from "./evaluator.js";
import { PORT_READ, PORT_SHARED, PORT_WRITE, portCycles } from "./ports.js";

/**
 * Energy, latency and area of a layer under a mapping, explained per level and data space; a rejection (a value) when
 * the mapping does not fit.
 *
 * Accesses are counted as Timeloop counts them, or as the option `model` says; energy is accesses of rows times energy per access, plus
 * multiply-accumulates, plus leakage of what is in use; latency is that of the slowest of compute and levels, each level
 * slowed down by its bandwidths on average over the layer.
 *
 * @throws DovetailError when the mapping names levels, dimensions or data spaces that do not exist.
 */
export function evaluateCost(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  options: CostOptions = {},
): CostResult {
  const evaluator = prepareCost(problem, architecture, options);
  const { analysis, rates } = evaluator;
  const cost = evaluator.evaluate(encodeMapping(analysis.tables, mapping));
  if (!cost.valid) return describeRejection(analysis.tables, analysis.rejection);
  analysis.countPartitions?.();
  const { counts, tables } = analysis;
  const leakCycles = (options.leakage ?? true) ? cost.latencyCycles : 0;
  return {
    ok: true,
    energyPj: cost.energyPj,
    latencyCycles: cost.latencyCycles,
    ...(architecture.clockMhz !== undefined && { latencyMs: cost.latencyCycles / (architecture.clockMhz * 1000) }),
    edpJouleCycles: cost.energyPj * 1e-12 * cost.latencyCycles,
    utilization: tables.macs / rates.units / cost.latencyCycles,
    macs: tables.macs,
    areaUm2: architectureAreaUm2(architecture),
    levels: architecture.levels.map((_, level) => explainLevel(evaluator, level, leakCycles)),
    compute: {
      name: architecture.compute.name,
      units: counts.units,
      macs: counts.computes,
      cycles: counts.computeCycles,
      energyPj: counts.computes * rates.macPj,
      leakagePj: counts.units * rates.unitLeakagePj * leakCycles,
    },
    limitedBy: limitingResource(evaluator),
    ...(costModelOf(options) === "exact" && { exactCycles: exactCycles(evaluator) }),
    model: costModelName(options),
  };
}

function explainLevel(evaluator: CostEvaluator, level: number, leakCycles: number): LevelCost {
  const { analysis, rates, slowdown, accessPj, cost } = evaluator;
  const { counts, tables } = analysis;
  const instances = counts.instances[level]!;
  const spaceCount = tables.spaces.length;
  const cells = tables.spaces.map((_, space) => level * spaceCount + space);
  return {
    level: tables.architecture.levels[level]!.name,
    instances,
    clusters: usedClusters(evaluator, level),
    dataSpaces: cells.flatMap((cell, space) =>
      counts.kept[cell] === 1 ? [explainSpace(evaluator, level, space)] : [],
    ),
    slowdown: slowdown[level]!,
    // No level takes longer than all; the quotient may be off by a rounding.
    cycles: Math.min(cost.latencyCycles, Math.ceil(counts.computeCycles / slowdown[level]!)),
    accessEnergyPj: cells.reduce((sum, cell) => sum + accessPj[cell]!, 0),
    leakagePj: instances * rates.leakagePj[level]! * leakCycles,
  };
}

function explainSpace(evaluator: CostEvaluator, level: number, space: number): DataSpaceCost {
  const { analysis, rates, accessPj } = evaluator;
  const { counts, tables } = analysis;
  const cell = level * tables.spaces.length + space;
  const wordsPerAccess = rates.wordsPerAccess[cell]!;
  const accesses = (words: number): number => accessesOf(words, wordsPerAccess, rates.accessesPerWord[cell]!);
  return {
    dataSpace: tables.spaces[space]!.name,
    tileWords: counts.tile[cell]!,
    partitionWords: counts.partition[cell]!,
    reads: counts.reads[cell]!,
    fills: counts.fills[cell]!,
    updates: counts.updates[cell]!,
    temporalReductions: counts.temporalReductions[cell]!,
    wordsPerAccess,
    readAccesses: accesses(counts.reads[cell]!),
    fillAccesses: accesses(counts.fills[cell]!),
    updateAccesses: accesses(counts.updates[cell]!),
    energyPerInstancePj: accessPj[cell]! / counts.instances[level]!,
    energyPj: accessPj[cell]!,
  };
}

/** The bounds of `docs/models/exact.md`, before rounding. */
function exactCycles({ analysis, rates, transient }: CostEvaluator): ExactCycles {
  const { counts, tables } = analysis;
  const { fillCycles, drainCycles } = transient;
  const ports = [PORT_READ, PORT_WRITE, PORT_SHARED];
  const busy = tables.architecture.levels.flatMap((_, level) =>
    ports.map((port) => portCycles(counts, rates, level, port)),
  );
  return {
    fillCycles,
    drainCycles,
    least: Math.max(fillCycles + counts.computeCycles, ...busy),
    most: busy.reduce((sum, cycles) => sum + cycles, counts.computeCycles),
  };
}

function limitingResource(evaluator: CostEvaluator): LimitingResource {
  const { analysis, slowdown, port, transient } = evaluator;
  const { computeCycles } = analysis.counts;
  let worst = -1;
  for (let level = 0; level < slowdown.length; level++) {
    if (slowdown[level]! < (worst < 0 ? 1 : slowdown[worst]!)) worst = level;
  }
  // The way in and out may take longer than the slowest port.
  const alone = transient.fillCycles + computeCycles + transient.drainCycles;
  if (worst < 0 || alone > computeCycles / slowdown[worst]!) return { resource: "compute" };
  const names = { [PORT_READ]: "read", [PORT_WRITE]: "write", [PORT_SHARED]: "shared" } as const;
  return {
    resource: "bandwidth",
    level: analysis.tables.architecture.levels[worst]!.name,
    port: names[port[worst] as keyof typeof names],
  };
}

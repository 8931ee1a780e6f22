import { type Analysis, prepareAnalysis } from "../analysis/analysis.js";
import type { MappingCode } from "../analysis/code.js";
import type { Architecture } from "../architecture/architecture.js";
import { type ExactAnalysis, prepareExact } from "../exact/exact.js";
import type { Problem } from "../workload/problem.js";
import { type CostOptions, costModelOf } from "./cost.js";
import {
  PORT_NONE,
  PORT_READ,
  PORT_SHARED,
  PORT_WRITE,
  portCycles,
  type Transient,
  timeTransient,
  wholeCycles,
} from "./ports.js";
import { compileRates, type Rates } from "./rates.js";

/** What `CostEvaluator.evaluate` found; overwritten by the next call. */
export interface LeanCost {
  energyPj: number;
  latencyCycles: number;
  /** False when the mapping does not fit: then the evaluator's `analysis.rejection` says why. */
  valid: boolean;
}

/** Costs of any number of mappings of one problem on one architecture, for searches. */
export interface CostEvaluator {
  readonly analysis: Analysis;
  readonly rates: Rates;
  readonly cost: LeanCost;
  /** [level][data space], energy of all instances, of the last valid mapping. */
  readonly accessPj: Float64Array;
  /** [level], of the last valid mapping. */
  readonly slowdown: Float64Array;
  /** `[level]`: the port that slows it down most, a `PORT_…`. */
  readonly port: Uint8Array;
  /** Of the last valid mapping; 0 in the model *timeloop*. */
  readonly transient: Transient;
  /** Energy and latency of a mapping: the object `cost`, rewritten. Allocates nothing. */
  evaluate(code: MappingCode): LeanCost;
}

/** Compiles a problem and an architecture for evaluation. Once per layer and architecture. */
export function prepareCost(problem: Problem, architecture: Architecture, options: CostOptions = {}): CostEvaluator {
  const exact = costModelOf(options) === "exact" ? prepareExact(problem, architecture, options) : undefined;
  const analysis = exact ?? prepareAnalysis(problem, architecture, options);
  const rates = compileRates(analysis.tables);
  const { levelCount, spaces } = analysis.tables;
  const leaks = options.leakage ?? true;
  const evaluator: CostEvaluator = {
    analysis,
    rates,
    cost: { energyPj: 0, latencyCycles: 0, valid: false },
    accessPj: new Float64Array(levelCount * spaces.length),
    slowdown: new Float64Array(levelCount),
    port: new Uint8Array(levelCount),
    transient: { fillCycles: 0, drainCycles: 0 },
    evaluate(code) {
      const { cost } = evaluator;
      cost.valid = analysis.run(code);
      if (!cost.valid) {
        cost.energyPj = Number.POSITIVE_INFINITY;
        cost.latencyCycles = Number.POSITIVE_INFINITY;
        return cost;
      }
      cost.latencyCycles = exact === undefined ? timeLevels(evaluator) : timeExact(evaluator, exact);
      cost.energyPj = priceAccesses(evaluator) + analysis.counts.computes * rates.macPj;
      if (leaks) cost.energyPj += leakagePj(evaluator);
      return cost;
    },
  };
  return evaluator;
}

/** Accesses of `words` words. */
export function accessesOf(words: number, wordsPerAccess: number, accessesPerWord: number): number {
  return wordsPerAccess > 1 ? Math.ceil(words / wordsPerAccess) : words * accessesPerWord;
}

/** Clusters that serve the instances in use, which are taken to be spread over as many clusters as there are. */
export function usedClusters(evaluator: CostEvaluator, level: number): number {
  return Math.min(evaluator.analysis.counts.instances[level]!, evaluator.rates.clusters[level]!);
}

function priceAccesses(evaluator: CostEvaluator): number {
  const { analysis, rates, accessPj } = evaluator;
  const { counts, tables } = analysis;
  const spaceCount = tables.spaces.length;
  let total = 0;
  for (let level = 0; level < tables.levelCount; level++) {
    const clusters = usedClusters(evaluator, level);
    for (let cell = level * spaceCount; cell < (level + 1) * spaceCount; cell++) {
      const words = rates.wordsPerAccess[cell]!;
      const accesses = rates.accessesPerWord[cell]!;
      const energy =
        accessesOf(counts.reads[cell]!, words, accesses) * rates.readPj[level]! +
        accessesOf(counts.fills[cell]!, words, accesses) * rates.writePj[level]! +
        accessesOf(counts.updates[cell]!, words, accesses) * rates.updatePj[level]!;
      accessPj[cell] = energy * clusters;
      total += energy * clusters;
    }
  }
  return total;
}

/** Slowdown of each level by its bandwidths, averaged over the layer; returns the cycles of the slowest. */
function timeLevels(evaluator: CostEvaluator): number {
  const { analysis, rates, slowdown, port } = evaluator;
  const { counts, tables } = analysis;
  const spaceCount = tables.spaces.length;
  const { computeCycles } = counts;
  let latency = computeCycles;
  for (let level = 0; level < tables.levelCount; level++) {
    let read = 0;
    let write = 0;
    for (let cell = level * spaceCount; cell < (level + 1) * spaceCount; cell++) {
      read += (counts.reads[cell]! / computeCycles) * rates.wordBits[cell]!;
      write += ((counts.fills[cell]! + counts.updates[cell]!) / computeCycles) * rates.wordBits[cell]!;
    }
    let factor = 1;
    let tightest = PORT_NONE;
    if (rates.readBandwidth[level]! < factor * read) {
      factor = rates.readBandwidth[level]! / read;
      tightest = PORT_READ;
    }
    if (rates.writeBandwidth[level]! < factor * write) {
      factor = rates.writeBandwidth[level]! / write;
      tightest = PORT_WRITE;
    }
    if (rates.sharedBandwidth[level]! < factor * (read + write)) {
      factor = rates.sharedBandwidth[level]! / (read + write);
      tightest = PORT_SHARED;
    }
    slowdown[level] = factor;
    port[level] = tightest;
    if (factor < 1) latency = Math.max(latency, Math.ceil(computeCycles / factor));
  }
  return latency;
}

/** The busiest port, or the units with what cannot be hidden before and after them. */
function timeExact(evaluator: CostEvaluator, { tables, counts, first }: ExactAnalysis): number {
  const { rates, slowdown, port, transient } = evaluator;
  timeTransient(tables, rates, first, transient);
  let latency = transient.fillCycles + counts.computeCycles + transient.drainCycles;
  for (let level = 0; level < tables.levelCount; level++) {
    let busiest = counts.computeCycles;
    port[level] = PORT_NONE;
    for (let candidate = PORT_READ; candidate <= PORT_SHARED; candidate++) {
      const cycles = portCycles(counts, rates, level, candidate);
      if (cycles <= busiest) continue;
      busiest = cycles;
      port[level] = candidate;
    }
    slowdown[level] = counts.computeCycles / busiest;
    latency = Math.max(latency, busiest);
  }
  return wholeCycles(latency);
}

function leakagePj({ analysis, rates, cost }: CostEvaluator): number {
  const { counts, tables } = analysis;
  let perCycle = counts.units * rates.unitLeakagePj;
  for (let level = 0; level < tables.levelCount; level++) {
    perCycle += counts.instances[level]! * rates.leakagePj[level]!;
  }
  return perCycle * cost.latencyCycles;
}

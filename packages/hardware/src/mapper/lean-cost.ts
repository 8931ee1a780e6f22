import { checkNest, compileLimits, createRejectionRecord, type RejectionRecord } from "../analysis/check.js";
import type { MappingCode } from "../analysis/code.js";
import { floorMultiplyDivide } from "../analysis/counts.js";
import { countClasses, createFanoutScratch } from "../analysis/fanout.js";
import { createNest, layOut } from "../analysis/nest.js";
import { boxVolume, compileTables, type SpaceTable } from "../analysis/tables.js";
import { createTileWalk, haloRules, walkTile } from "../analysis/walk.js";
import type { Architecture } from "../architecture/architecture.js";
import { type CostOptions, costModelOf } from "../cost/cost.js";
import { accessesOf, type LeanCost, prepareCost } from "../cost/evaluator.js";
import { compileRates } from "../cost/rates.js";
import type { Problem } from "../workload/problem.js";

/** Energy and latency alone, for searches. */
export interface LeanEvaluator {
  readonly cost: LeanCost;
  /** Why the last mapping that did not fit was rejected; overwritten by the next. */
  readonly rejection: RejectionRecord;
  /** The object `cost`, rewritten. Allocates nothing. */
  evaluate(code: MappingCode): LeanCost;
}

/**
 * The figures of `prepareCost`, bit for bit; of the model *timeloop* in less time: words are walked over only between memories that follow each
 * other in keeping a tensor, as products where tiles cannot overlap, and nothing is kept for explaining. Where neighbour
 * links may serve a step it asks the plain evaluator; they never do for tensors whose ranks have one dimension each,
 * except at the units (docs/models/mapping-search.md).
 */
export function prepareLeanCost(
  problem: Problem,
  architecture: Architecture,
  options: CostOptions = {},
): LeanEvaluator {
  const { halo = "timeloop-default", neighbourLinks = true, elideFirstReads = true, leakage = true } = options;
  const plain = prepareCost(problem, architecture, options);
  if (costModelOf(options) === "exact") return { ...plain, rejection: plain.analysis.rejection };
  const tables = compileTables(problem, architecture);
  const { levelCount, dimensionCount, spaces, macs } = tables;
  const spaceCount = spaces.length;
  const innermost = levelCount - 1;
  const rates = compileRates(tables);
  const limits = compileLimits(tables);
  const rejection = createRejectionRecord();
  const nest = createNest(tables);
  const fanout = createFanoutScratch(tables);
  const walks = spaces.map((space) => createTileWalk(nest, space, dimensionCount, haloRules[halo]));
  const relevant = spaces.map((space) =>
    Uint8Array.from({ length: dimensionCount }, (_, dimension) => (space.termDimension.includes(dimension) ? 1 : 0)),
  );
  const slides = spaces.map((space) =>
    Uint8Array.from(relevant[0]!, (_, dimension) => (sharesRank(space, dimension) ? 1 : 0)),
  );
  const overlapping = slides.map((flags) => flags.includes(1));
  const evenParts = spaces.map(
    (space, index) => !overlapping[index] && space.separable && space.termCoefficient.every((value) => value === 1),
  );
  const hasBandwidth = Uint8Array.from({ length: levelCount }, (_, level) =>
    Math.min(rates.readBandwidth[level]!, rates.writeBandwidth[level]!, rates.sharedBandwidth[level]!) <
    Number.POSITIVE_INFINITY
      ? 1
      : 0,
  );
  const reads = new Float64Array(levelCount * spaceCount);
  const fills = new Float64Array(levelCount * spaceCount);
  const updates = new Float64Array(levelCount * spaceCount);
  const partition = new Float64Array(levelCount);
  const cost: LeanCost = { energyPj: 0, latencyCycles: 0, valid: false };

  function evaluate(code: MappingCode): LeanCost {
    layOut(nest, tables, code);
    cost.valid = checkNest(tables, limits, nest, code, rejection);
    if (!cost.valid) {
      cost.energyPj = Number.POSITIVE_INFINITY;
      cost.latencyCycles = Number.POSITIVE_INFINITY;
      return cost;
    }
    if (neighbourLinks && linksMayServe(code)) {
      const { energyPj, latencyCycles } = plain.evaluate(code);
      cost.energyPj = energyPj;
      cost.latencyCycles = latencyCycles;
      return cost;
    }
    for (let space = 0; space < spaceCount; space++) countSpace(code, space);
    cost.latencyCycles = timeLevels(code);
    cost.energyPj = priceAccesses(code) + macs * rates.macPj;
    if (leakage) cost.energyPj += leakagePj();
    return cost;
  }

  /** Links serve steps of sliding windows between children that differ along one, and any step of the units. */
  function linksMayServe(code: MappingCode): boolean {
    for (let level = 0; level < levelCount; level++) {
      if (tables.neighbourLinks[level] !== 1 || nest.used[level] === 1) continue;
      if (level === innermost) return true;
      for (let space = 0; space < spaceCount; space++) {
        if (!overlapping[space]) continue;
        for (let dimension = 0; dimension < dimensionCount; dimension++) {
          if (slides[space]![dimension] !== 1) continue;
          const cell = level * dimensionCount + dimension;
          if (code.spatialX[cell]! * code.spatialY[cell]! > 1) return true;
        }
      }
    }
    return false;
  }

  function countSpace(code: MappingCode, space: number): void {
    const table = spaces[space]!;
    const { readWrite } = table;
    const elides = readWrite && elideFirstReads;
    if (elides) partitionSpace(code, space);
    let accesses = 0;
    let arriving = 0;
    let isKept = false;
    let inner = -1;
    for (let level = innermost; level >= 0; level--) {
      const classes = countClasses(tables, nest, code, table, level, fanout);
      if (level === innermost) accesses = nest.iterations * classes;
      else if (isKept) {
        const words = overlapping[space] ? walkTile(walks[space]!, level) : productWords(space, level);
        accesses = words * classes;
        arriving = elides ? Math.max(0, words - partition[inner]!) : words;
      } else accesses *= classes;
      const cell = level * spaceCount + space;
      isKept = code.keep[cell] === 1;
      if (!isKept) continue;
      if (inner >= 0) fills[inner * spaceCount + space] = arriving;
      inner = level;
      fills[cell] = 0;
      reads[cell] = elides ? Math.max(0, accesses - partition[level]!) : accesses;
      updates[cell] = readWrite ? accesses : 0;
    }
  }

  /** Words that one child takes in where tiles never overlap: whole tiles from the innermost loop that moves them on. */
  function productWords(space: number, level: number): number {
    const flags = relevant[space]!;
    let words = boxVolume(spaces[space]!, nest.childSize, level * dimensionCount);
    let moves = false;
    for (let loop = nest.firstLoop[level]!; loop < nest.loopCount; loop++) {
      moves ||= flags[nest.loopDimension[loop]!] === 1;
      if (moves) words *= nest.loopBound[loop]!;
    }
    return words;
  }

  /** As `countTiles`. */
  function partitionSpace(code: MappingCode, space: number): void {
    const table = spaces[space]!;
    partition[0] = boxVolume(table, nest.tileSize, 0);
    for (let level = 1; level < levelCount; level++) {
      const outer = (level - 1) * dimensionCount;
      if (nest.used[level - 1] === 1 && evenParts[space]) {
        partition[level] = partition[level - 1]!;
      } else if (evenParts[space]) {
        let parts = 1;
        for (let dimension = 0; dimension < dimensionCount; dimension++) {
          const spread = code.spatialX[outer + dimension]! * code.spatialY[outer + dimension]!;
          if (relevant[space]![dimension] === 1) parts *= spread;
        }
        partition[level] = partition[level - 1]! / parts;
      } else {
        const tile = boxVolume(table, nest.tileSize, outer + dimensionCount);
        partition[level] = floorMultiplyDivide(partition[level - 1]!, tile, boxVolume(table, nest.unionSize, outer));
      }
    }
  }

  function priceAccesses(code: MappingCode): number {
    let total = 0;
    for (let level = 0; level < levelCount; level++) {
      const clusters = Math.min(nest.instances[level]!, rates.clusters[level]!);
      for (let cell = level * spaceCount; cell < (level + 1) * spaceCount; cell++) {
        if (code.keep[cell] !== 1) continue;
        const words = rates.wordsPerAccess[cell]!;
        const each = rates.accessesPerWord[cell]!;
        const energy =
          accessesOf(reads[cell]!, words, each) * rates.readPj[level]! +
          accessesOf(fills[cell]!, words, each) * rates.writePj[level]! +
          accessesOf(updates[cell]!, words, each) * rates.updatePj[level]!;
        total += energy * clusters;
      }
    }
    return total;
  }

  function timeLevels(code: MappingCode): number {
    const computeCycles = nest.iterations;
    let latency = computeCycles;
    for (let level = 0; level < levelCount; level++) {
      if (hasBandwidth[level] !== 1) continue;
      let read = 0;
      let write = 0;
      for (let cell = level * spaceCount; cell < (level + 1) * spaceCount; cell++) {
        if (code.keep[cell] !== 1) continue;
        read += (reads[cell]! / computeCycles) * rates.wordBits[cell]!;
        write += ((fills[cell]! + updates[cell]!) / computeCycles) * rates.wordBits[cell]!;
      }
      let factor = 1;
      if (rates.readBandwidth[level]! < factor * read) factor = rates.readBandwidth[level]! / read;
      if (rates.writeBandwidth[level]! < factor * write) factor = rates.writeBandwidth[level]! / write;
      if (rates.sharedBandwidth[level]! < factor * (read + write))
        factor = rates.sharedBandwidth[level]! / (read + write);
      if (factor < 1) latency = Math.max(latency, Math.ceil(computeCycles / factor));
    }
    return latency;
  }

  function leakagePj(): number {
    let perCycle = nest.units * rates.unitLeakagePj;
    for (let level = 0; level < levelCount; level++) perCycle += nest.instances[level]! * rates.leakagePj[level]!;
    return perCycle * cost.latencyCycles;
  }

  return { cost, rejection, evaluate };
}

/** Whether a dimension addresses a rank together with another one, or several ranks. */
function sharesRank({ firstTerm, termDimension, rankCount }: SpaceTable, dimension: number): boolean {
  let ranks = 0;
  for (let rank = 0; rank < rankCount; rank++) {
    const terms = termDimension.subarray(firstTerm[rank]!, firstTerm[rank + 1]!);
    if (!terms.includes(dimension)) continue;
    ranks++;
    if (terms.length > 1) return true;
  }
  return ranks > 1;
}

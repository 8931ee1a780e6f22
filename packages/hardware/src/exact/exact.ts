import { inputError } from "@dovetail/core";
import type { Analysis, AnalysisOptions } from "../analysis/analysis.js";
import { compileLimits, createRejectionRecord } from "../analysis/check.js";
import { createCounts } from "../analysis/counts.js";
import { compileTables, type Tables } from "../analysis/tables.js";
import type { Architecture } from "../architecture/architecture.js";
import type { Problem } from "../workload/problem.js";
import { type Axes, createAxes, layOutAxes } from "./axes.js";
import { createBits } from "./bits.js";
import { checkExact } from "./check.js";
import { countOperand, countResult, createCountScratch, type FirstStep, unfitProjection } from "./counts.js";
import { ALL_TIME } from "./families.js";
import { compileNetworks, FRAGMENTS } from "./network.js";
import { countPoints, extentOf, rankCoefficients } from "./points.js";
import { addSteps, countTraffic } from "./traffic.js";
import { type Boundary, createTraffic, createWalker, type Traffic, type Walker } from "./walker.js";

/** Counts of the model *exact*, and what the first step moves: it cannot be hidden behind any computation. */
export interface ExactAnalysis extends Analysis {
  readonly first: FirstStep;
  /** Counts the partitions of the last mapping that fitted, which `run` leaves out. */
  countPartitions(): void;
}

export interface ExactOptions extends Pick<AnalysisOptions, "neighbourLinks" | "elideFirstReads"> {
  /**
   * Whether tiles count the gaps between strides too, as other models do: for comparisons. Tiles are still measured
   * without. Default false.
   */
  readonly boxes?: boolean | undefined;
}

/**
 * Compiles a problem and an architecture for the model *exact*: the words that a machine moves that works through the
 * mapping as `docs/models/exact.md` defines it. Bounds may cover more than a dimension; what lies beyond is not executed.
 * Counts are averages per instance, and need not be whole.
 *
 * @throws DovetailError `exact_projection` for tensors that the model does not cover.
 */
export function prepareExact(problem: Problem, architecture: Architecture, options: ExactOptions = {}): ExactAnalysis {
  const { neighbourLinks = true, elideFirstReads = true, boxes = false } = options;
  const tables = compileTables(problem, architecture);
  for (const space of tables.spaces) {
    const reason = unfitProjection(space, tables.sizes);
    if (reason === undefined) continue;
    throw inputError("exact_projection", `the model exact does not cover tensor ${space.name}`, {
      path: ["dataSpaces", space.name],
      expected: reason,
    });
  }
  const limits = compileLimits(tables);
  const networks = compileNetworks(tables, neighbourLinks);
  const axes = createAxes(tables);
  const rejection = createRejectionRecord();
  const counts = createCounts(tables);
  const walkers = tables.spaces.map((space) => createWalker(axes, space, boxes));
  const measure = createTileMeasure(tables);
  const scratch = createCountScratch(tables);
  const countings = walkers.map(
    (walker) => (boundary: Boundary, traffic: Traffic) => countTraffic(walker, boundary, traffic),
  );
  const { first } = scratch;
  const { levelCount, spaces } = tables;
  return {
    tables,
    counts,
    rejection,
    first,
    run(code) {
      if (!layOutAxes(axes, code, rejection)) return false;
      measure(axes, counts.tile);
      if (!checkExact(axes, limits, code, counts.tile, rejection)) return false;
      counts.reads.fill(0);
      counts.fills.fill(0);
      counts.updates.fill(0);
      counts.temporalReductions.fill(0);
      counts.spatialReductions.fill(0);
      counts.deliveries.fill(0);
      counts.links.fill(0);
      first.reads.fill(0);
      first.fills.fill(0);
      first.updates.fill(0);
      for (let space = 0; space < spaces.length; space++) {
        const counting = countings[space]!;
        if (spaces[space]!.readWrite) {
          countResult(axes, code.keep, space, counts.tile[space]!, elideFirstReads, counting, scratch, counts);
        } else {
          countOperand(axes, networks, code.keep, space, counting, scratch, counts);
        }
      }
      counts.kept.set(code.keep);
      for (let level = 0; level < levelCount; level++) counts.instances[level] = axes.instances[level]!;
      counts.computes = tables.macs;
      counts.computeCycles = axes.cycles;
      counts.units = axes.instances[levelCount]!;
      return true;
    },
    countPartitions() {
      for (let level = 0; level < levelCount; level++) {
        walkers.forEach((walker, space) => {
          counts.partition[level * spaces.length + space] = partitionAt(walker, level) / axes.instances[level]!;
        });
      }
    },
  };
}

/** Words that the instances of a level ever cover, summed over them. */
function partitionAt(walker: Walker, level: number): number {
  const traffic = createTraffic();
  const child = walker.axes.tables.levelCount;
  const boundary: Boundary = {
    parent: level,
    child,
    multicast: FRAGMENTS,
    links: false,
    tied: undefined,
    timed: false,
  };
  addSteps(walker, boundary, ALL_TIME, traffic);
  return traffic.read;
}

/** Words of the tile of each tensor at each level, at its largest. */
function createTileMeasure({
  levelCount,
  dimensionCount,
  spaces,
  sizes,
}: Tables): (axes: Axes, words: Float64Array) => void {
  const coefficients = spaces.map(rankCoefficients);
  const lengths = new Float64Array(dimensionCount);
  const bits = createBits();
  return ({ tile }, words) => {
    for (let level = 0; level < levelCount; level++) {
      for (let space = 0; space < spaces.length; space++) {
        const { firstTerm, termDimension, rankCount } = spaces[space]!;
        let product = 1;
        for (let rank = 0; rank < rankCount; rank++) {
          const first = firstTerm[rank]!;
          const terms = firstTerm[rank + 1]! - first;
          for (let term = 0; term < terms; term++) {
            const dimension = termDimension[first + term]!;
            lengths[term] = Math.min(tile[level * dimensionCount + dimension]!, sizes[dimension]!);
          }
          const weights = coefficients[space]![rank]!;
          product *= countPoints(weights, lengths, terms, extentOf(weights, lengths, terms), bits);
        }
        words[level * spaces.length + space] = product;
      }
    }
  };
}

import { inputError, internalError } from "@dovetail/core";
import { createRejectionRecord } from "../analysis/check.js";
import { encodeMapping } from "../analysis/code.js";
import { compileTables } from "../analysis/tables.js";
import type { Architecture, Multicast } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { formatRank } from "../workload/projection.js";
import { type Axes, createAxes, layOutAxes } from "./axes.js";
import { createBits } from "./bits.js";
import { EVERY_STEP } from "./families.js";
import { compileNetworks, linksBetween, multicastBetween, multicastCodes, TILES } from "./network.js";
import { countPoints, extentOf, rankCoefficients } from "./points.js";
import { addSteps, firstMoving, firstStep } from "./traffic.js";
import { type Boundary, createTraffic, createWalker, type Walker } from "./walker.js";

// The counts of the model exact between two levels, kind of step by kind of step.

/** What all steps of one kind move, over all instances. Words. */
export interface ExactStep {
  /** The temporal loop that goes on, while those inside it start over; absent at the start, and for the units. */
  readonly loop?: { readonly level: string; readonly dimension: string; readonly bound: number } | undefined;
  /** Steps of this kind, as the first instance sees them. */
  readonly times: number;
  /** Move of a tile per rank, where no remainder makes it smaller. */
  readonly move: readonly number[];
  /** Words that come into the children's tiles (of a result: sums that the children take up). */
  readonly taken: number;
  /** Of these, what siblings pass on. */
  readonly passed: number;
  /** Words that the parents read (of a result: sums that reach the parents, those of children that share a word added up). */
  readonly read: number;
}

/** Words between a level and the next inner one that keeps the tensor, or the units. */
export interface ExactDerivation {
  readonly level: string;
  readonly dataSpace: string;
  readonly readWrite: boolean;
  /** The next inner level that keeps the tensor, or the units. */
  readonly child: string;
  /** Levels between, which the tensor passes by. */
  readonly passedBy: readonly string[];
  /** Instances in use. */
  readonly parents: number;
  readonly children: number;
  /** A child's tile at its largest: distinct places along each rank. */
  readonly ranks: readonly { readonly rank: string; readonly points: number; readonly extent: number }[];
  readonly tileWords: number;
  readonly multicast: Multicast;
  readonly links: boolean;
  /** The start first, then the loops outside the tile, outermost first. The units hold nothing: one entry for all cycles. */
  readonly steps: readonly ExactStep[];
  readonly taken: number;
  readonly passed: number;
  readonly read: number;
}

export interface ExactDerivationOptions {
  readonly level: string;
  readonly dataSpace: string;
  /** Default true. */
  readonly neighbourLinks?: boolean | undefined;
}

/**
 * Why a count of the model *exact* is what it is. The level must keep the tensor, and the mapping must fit.
 *
 * @throws DovetailError `unknown_count` where level or data space are not there.
 */
export function deriveExact(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  { level: levelName, dataSpace, neighbourLinks = true }: ExactDerivationOptions,
): ExactDerivation {
  const tables = compileTables(problem, architecture);
  const { levelCount, spaces } = tables;
  const index = spaces.findIndex(({ name }) => name === dataSpace);
  const parent = mapping.levels.findIndex(({ level, keep }) => level === levelName && keep.includes(dataSpace));
  if (index < 0 || parent < 0) {
    throw inputError("unknown_count", "there is no such count", { received: `${dataSpace} at ${levelName}` });
  }
  const axes = createAxes(tables);
  if (!layOutAxes(axes, encodeMapping(tables, mapping), createRejectionRecord())) {
    throw internalError("derivation_unfit", "the mapping to be explained does not cover the layer");
  }
  const inner = mapping.levels.findIndex(({ keep }, level) => level > parent && keep.includes(dataSpace));
  const child = inner < 0 ? levelCount : inner;
  const space = spaces[index]!;
  const walker = createWalker(axes, space);
  const networks = compileNetworks(tables, neighbourLinks);
  const boundary: Boundary = {
    parent,
    child,
    multicast: space.readWrite ? TILES : multicastBetween(networks, axes.used, parent, child),
    links: !space.readWrite && linksBetween(networks, axes.used, parent, child),
    tied: space.readWrite
      ? Uint8Array.from(mapping.levels, ({ keep }) => (keep.includes(dataSpace) ? 1 : 0))
      : undefined,
    timed: false,
  };
  const steps = deriveSteps(walker, boundary);
  const sum = (words: (step: ExactStep) => number): number => steps.reduce((total, step) => total + words(step), 0);
  const ranks = measureRanks(axes, walker, problem, index, child);
  return {
    level: levelName,
    dataSpace,
    readWrite: space.readWrite,
    child: architecture.levels[child]?.name ?? architecture.compute.name,
    passedBy: architecture.levels.slice(parent + 1, child).map(({ name }) => name),
    parents: axes.instances[parent]!,
    children: axes.instances[child]!,
    ranks,
    tileWords: ranks.reduce((words, { points }) => words * points, 1),
    multicast: Object.entries(multicastCodes).find(([, code]) => code === boundary.multicast)![0] as Multicast,
    links: boundary.links,
    steps,
    taken: sum(({ taken }) => taken),
    passed: sum(({ passed }) => passed),
    read: sum(({ read }) => read),
  };
}

function deriveSteps(walker: Walker, boundary: Boundary): ExactStep[] {
  const { axes } = walker;
  const still = walker.dimensions.map(() => 0);
  const at = (advancing: number, times: number, rest: Pick<ExactStep, "loop" | "move">): ExactStep => {
    const traffic = createTraffic();
    addSteps(walker, boundary, advancing, traffic);
    const { read, taken, passed } = traffic;
    return { ...rest, times, taken, passed, read };
  };
  const { levelCount, architecture, dimensionNames } = axes.tables;
  if (boundary.child === levelCount && !boundary.links) return [at(EVERY_STEP, axes.cycles, { move: still })];
  const steps = [at(firstStep(axes), 1, { move: still })];
  const moving = firstMoving(walker, boundary.child);
  const innermost = boundary.child === 0 ? 0 : axes.firstTemporal[boundary.child - 1]!;
  for (let order = axes.temporalCount - 1; order >= innermost; order--) {
    const loop = {
      level: architecture.levels[axes.temporalLevel[order]!]!.name,
      dimension: dimensionNames[axes.temporalDimension[order]!]!,
      bound: axes.temporalBound[order]!,
    };
    const times = timesOf(axes, order);
    if (order < moving) steps.push({ loop, times, move: still, taken: 0, passed: 0, read: 0 });
    else steps.push(at(order, times, { loop, move: moveOf(walker, order, innermost) }));
  }
  return steps;
}

/** How far a tile moves along each rank when a loop goes on and those inside it, down to `innermost`, start over. */
function moveOf({ axes, space, dimensions }: Walker, order: number, innermost: number): number[] {
  const coefficients = rankCoefficients(space);
  return dimensions.map((terms, rank) =>
    terms.reduce((move, dimension, term) => {
      let elements = 0;
      for (let loop = innermost; loop <= order; loop++) {
        if (axes.temporalDimension[loop] !== dimension) continue;
        const stride = axes.temporalStride[loop]!;
        elements += loop === order ? stride : -(axes.temporalBound[loop]! - 1) * stride;
      }
      return move + coefficients[rank]![term]! * elements;
    }, 0),
  );
}

/** How often a loop goes on for the first unit: iterations of it and the loops outside, less those at which it begins. */
function timesOf(axes: Axes, order: number): number {
  const { dimensionCount } = axes.tables;
  let all = 1;
  let beginning = 1;
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    all *= iterationsFrom(axes, dimension, order);
    beginning *= iterationsFrom(axes, dimension, order + 1);
  }
  return all - beginning;
}

/** Iterations of a dimension's temporal loops from one on outwards, all other digits being 0. */
function iterationsFrom({ width, loops, order, bound, digit }: Axes, dimension: number, first: number): number {
  let below = 0;
  let last = 1;
  for (let at = dimension * width; at < dimension * width + loops[dimension]!; at++) {
    if (order[at]! >= first) below = below * bound[at]! + last * digit[at]!;
    else if (digit[at]! > 0) {
      below += last;
      last = 0;
    }
  }
  return below + last;
}

function measureRanks(
  { tables, tile }: Axes,
  { space, dimensions }: Walker,
  problem: Problem,
  index: number,
  child: number,
): ExactDerivation["ranks"] {
  const { dimensionCount, sizes } = tables;
  return rankCoefficients(space).map((coefficients, rank) => {
    const terms = dimensions[rank]!;
    const lengths = Float64Array.from(terms, (dimension) =>
      Math.min(tile[child * dimensionCount + dimension]!, sizes[dimension]!),
    );
    const extent = extentOf(coefficients, lengths, terms.length);
    return {
      rank: formatRank(problem.dataSpaces[index]!.projection[rank]!),
      points: countPoints(coefficients, lengths, terms.length, extent, createBits()),
      extent,
    };
  });
}

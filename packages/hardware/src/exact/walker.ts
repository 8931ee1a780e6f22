import type { SpaceTable } from "../analysis/tables.js";
import type { Axes } from "./axes.js";
import { createFamilyFinder, createFamilyList, type FamilyFinder, type FamilyList, type StepKind } from "./families.js";
import { type MulticastCode, NONE } from "./network.js";
import { rankCoefficients } from "./points.js";
import { type Ask, createRankScratch, type RankScratch, SUMS } from "./rank-sums.js";

// What the words between a level and its children are counted with: nothing is allocated while they are.

/** A level, its children (the next inner level that keeps the tensor, or the units), and what is between them. */
export interface Boundary {
  parent: number;
  /** One past the innermost level for the units. */
  child: number;
  multicast: MulticastCode;
  links: boolean;
  /** [level]: 1 at the levels above the children that take with them what they give up; of results only. */
  tied: Uint8Array | undefined;
  /** Whether the first step is asked for where it need not be looked at by itself (at the units without links). */
  timed: boolean;
}

/** Words. */
export interface Traffic {
  /** That parents read (or that reach them, of a result). */
  read: number;
  /** That children take in, from wherever. */
  taken: number;
  /** Of these, what siblings pass on. */
  passed: number;
  /** What is read and taken at the first step, at which nobody holds anything. */
  firstRead: number;
  firstTaken: number;
}

export function createTraffic(): Traffic {
  return { read: 0, taken: 0, passed: 0, firstRead: 0, firstTaken: 0 };
}

/** Everything that the traffic of one data space needs. */
export interface Walker {
  readonly axes: Axes;
  readonly space: SpaceTable;
  /** Dimensions that do not address the data space. */
  readonly unrelated: readonly number[];
  /** [rank][term]: the dimension. */
  readonly dimensions: readonly (readonly number[])[];
  readonly ranks: readonly RankScratch[];
  readonly lists: readonly (readonly FamilyList[])[];
  readonly finder: FamilyFinder;
  /** Products over the ranks. */
  readonly products: Float64Array;
  readonly ask: Ask;
  readonly kind: StepKind;
  /** Whether tiles count gaps too. */
  readonly boxes: boolean;
  readonly whole: WholeScratch;
}

export function createWalker(axes: Axes, space: SpaceTable, boxes = false): Walker {
  const { dimensionCount } = axes.tables;
  const coefficients = rankCoefficients(space);
  const dimensions = coefficients.map((terms, rank) =>
    Array.from(terms, (_, term) => space.termDimension[space.firstTerm[rank]! + term]!),
  );
  const related = new Set(dimensions.flat());
  return {
    axes,
    space,
    unrelated: Array.from({ length: dimensionCount }, (_, dimension) => dimension).filter((at) => !related.has(at)),
    dimensions,
    ranks: coefficients.map((terms) => createRankScratch(terms, boxes)),
    lists: dimensions.map((terms) => terms.map(createFamilyList)),
    finder: createFamilyFinder(axes),
    products: new Float64Array(SUMS),
    ask: { multicast: NONE, links: false, before: true },
    kind: { parent: 0, child: 0, advancing: 0, tied: undefined },
    boxes,
    whole: createWholeScratch(dimensions, dimensionCount),
  };
}

/** Room for one boundary. */
export interface WholeScratch {
  /** [dimension]: how far the loops that start over have come. */
  readonly rest: Float64Array;
  readonly ask: Ask;
  /** Ranks of one dimension: that dimension. */
  readonly plain: readonly number[];
  /** The other ranks. */
  readonly windows: readonly number[];
}

function createWholeScratch(dimensions: readonly (readonly number[])[], dimensionCount: number): WholeScratch {
  const windows = dimensions.flatMap((terms, rank) => (terms.length > 1 ? [rank] : []));
  return {
    rest: new Float64Array(dimensionCount),
    ask: { multicast: NONE, links: false, before: false },
    plain: dimensions.flatMap((terms) => (terms.length === 1 ? terms : [])),
    windows,
  };
}

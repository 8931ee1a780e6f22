import { internalError } from "@dovetail/core";
import { type Analysis, type AnalysisOptions, prepareAnalysis } from "../analysis/analysis.js";
import type { MappingRejection } from "../analysis/check.js";
import { encodeMapping } from "../analysis/code.js";
import type { Architecture } from "../architecture/architecture.js";
import type { CostResult, MappingCost } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import { type ExactOptions, prepareExact } from "../exact/exact.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { compareZigZag, type ZigZagComparison } from "./compare-zigzag.js";
import { type CountKind, countKinds } from "./explanation.js";

// Where the models timeloop and exact differ for a mapping, and why. Each count is taken from one model to the other by
// one change of rule at a time; what a change does to the count is put down to it. So the parts add up to the difference.

/**
 * - `extrapolation`: iterations 0 and 1 of a loop stand for all, so that a loop seems to start over from iteration 1
 * - `turns`: when the tile moves in another direction than in its innermost loop, all of it is brought again
 * - `bypass`: what a level that is passed by asks for is multiplied by its different tiles, whatever they share
 * - `sharedSums`: a sum that comes back is written into every child that shares it, not into one
 * - `gaps`: a tile's box counts the words between strides, which nobody reads
 * - `firstSums`: a share of the tensor is taken off for first sums, not the sums that begin at zero
 * - `links`: neighbours serve whole tiles that match one step ago, not every word that a sibling holds
 * - `multicast`: the network sends each child its own, or words that several tiles share once
 * - `remainders`: the layer is padded to the product of the bounds
 *
 * Each says what *timeloop* does and *exact* does not, but for `multicast`, which only *exact* knows.
 */
export type Mechanism =
  | "extrapolation"
  | "turns"
  | "bypass"
  | "sharedSums"
  | "gaps"
  | "firstSums"
  | "links"
  | "multicast"
  | "remainders";

/** A count that differs. Words of all instances. */
export interface CountDifference {
  readonly level: string;
  readonly dataSpace: string;
  readonly kind: CountKind;
  readonly timeloop: number;
  readonly exact: number;
  /** What each mechanism adds to the count on the way from *timeloop* to *exact*: the parts add up to the difference. */
  readonly parts: readonly { readonly mechanism: Mechanism; readonly words: number }[];
}

export interface Comparison {
  readonly ok: true;
  /** The layer as the model *timeloop* sees it: padded where the mapping has remainders, and sent in whole tiles. */
  readonly timeloop: CostResult;
  readonly exact: MappingCost;
  /** Sizes that the padded layer has instead of the layer's, where they differ. */
  readonly padded: Readonly<Record<string, number>>;
  readonly differences: readonly CountDifference[];
  /** The exact model beside ZigZag's. */
  readonly zigzag: ZigZagComparison;
}

/**
 * All models of a mapping. The rejection of the model *exact* when the mapping does not fit; what only *timeloop* rejects
 * (a box that exceeds a memory) stands in the result, and the counts are compared as if it fitted.
 *
 * @throws DovetailError `exact_projection` for tensors that the model exact does not cover, and as `evaluateCost`.
 */
export function compareModels(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
): Comparison | MappingRejection {
  const exact = evaluateCost(problem, architecture, mapping, { model: "exact" });
  if (!exact.ok) return exact;
  const padded = padProblem(problem, mapping);
  const tiles = sendTiles(architecture);
  const enlarged = Object.entries(padded.dimensions).filter(([name, size]) => size !== problem.dimensions[name]);
  return {
    ok: true,
    timeloop: evaluateCost(padded, tiles, mapping, { model: "timeloop" }),
    exact,
    padded: Object.fromEntries(enlarged),
    differences: compareCounts(problem, architecture, padded, mapping),
    zigzag:
      enlarged.length > 0
        ? { ok: false, why: "the mapping has remainders, which ZigZag spreads over all iterations" }
        : compareZigZag(problem, architecture, mapping, exact),
  };
}

/** The layer with every dimension as large as its bounds cover. */
function padProblem(problem: Problem, { levels }: Mapping): Problem {
  const loops = levels.flatMap(({ temporal, spatialY, spatialX }) => [...temporal, ...spatialY, ...spatialX]);
  const sizes = Object.keys(problem.dimensions).map((name) => [
    name,
    loops.reduce((product, { dimension, bound }) => (dimension === name ? product * bound : product), 1),
  ]);
  return { ...problem, dimensions: Object.fromEntries(sizes) };
}

/** The architecture without what the model timeloop does not know. */
function sendTiles(architecture: Architecture): Architecture {
  const levels = architecture.levels.map(({ fanout, ...level }) =>
    fanout === undefined ? level : { ...level, fanout: { ...fanout, multicast: undefined } },
  );
  return { ...architecture, levels };
}

/** The architecture with room for everything: counts do not depend on it. */
function withoutLimits({ levels, constraints: _, ...architecture }: Architecture): Architecture {
  return {
    ...architecture,
    levels: levels.map(({ storage, ...level }) =>
      storage === undefined ? level : { ...level, storage: { ...storage, entries: undefined } },
    ),
  };
}

function compareCounts(
  problem: Problem,
  architecture: Architecture,
  padded: Problem,
  mapping: Mapping,
): CountDifference[] {
  const roomy = withoutLimits(architecture);
  const tiles = sendTiles(roomy);
  const timeloop = (options: AnalysisOptions): Counter => count(prepareAnalysis(padded, tiles, options), mapping);
  const exact = (options: ExactOptions, network = tiles, layer = padded): Counter =>
    count(prepareExact(layer, network, options), mapping);
  const alone = { neighbourLinks: false };
  const bare = { neighbourLinks: false, elideFirstReads: false };
  // From rule to rule, in this order.
  const found = timeloop({});
  const everyIteration = timeloop({ halo: "timeloop-full" });
  const everyDirection = timeloop({ halo: "exact" });
  const unlinked = timeloop({ halo: "exact", ...alone });
  const bareTimeloop = timeloop({ halo: "exact", ...bare });
  const bareBoxes = exact({ boxes: true, ...bare });
  const barePoints = exact(bare);
  const points = exact(alone);
  const linked = exact({});
  const sent = exact({}, roomy);
  const executed = exact({}, roomy, problem);
  const changes = (at: Place): readonly (readonly [Mechanism, number])[] => [
    ["extrapolation", everyIteration(at) - found(at)],
    ["turns", everyDirection(at) - everyIteration(at)],
    [isReturn(problem, at) ? "sharedSums" : "bypass", bareBoxes(at) - bareTimeloop(at)],
    ["gaps", barePoints(at) - bareBoxes(at)],
    ["firstSums", points(at) - barePoints(at) - (unlinked(at) - bareTimeloop(at))],
    ["links", linked(at) - points(at) + (unlinked(at) - everyDirection(at))],
    ["multicast", sent(at) - linked(at)],
    ["remainders", executed(at) - sent(at)],
  ];
  return mapping.levels.flatMap(({ level, keep }, index) =>
    problem.dataSpaces.flatMap(({ name }, space) =>
      !keep.includes(name)
        ? []
        : countKinds.flatMap((kind) => {
            const at = { level: index, space, kind };
            if (found(at) === executed(at)) return [];
            const parts = changes(at).filter(([, words]) => words !== 0);
            return {
              level,
              dataSpace: name,
              kind,
              timeloop: found(at),
              exact: executed(at),
              parts: parts.map(([mechanism, words]) => ({ mechanism, words })),
            };
          }),
    ),
  );
}

interface Place {
  readonly level: number;
  readonly space: number;
  readonly kind: CountKind;
}

/** Whether a count is of sums that come back; where they come back from does not matter in either model. */
function isReturn(problem: Problem, { space, kind }: Place): boolean {
  return kind === "fills" && problem.dataSpaces[space]!.readWrite;
}

/** A count over all instances. */
type Counter = (place: Place) => number;

function count(analysis: Analysis, mapping: Mapping): Counter {
  const { counts, tables } = analysis;
  const fits = analysis.run(encodeMapping(tables, mapping));
  if (!fits) throw internalError("comparison_unfit", "a mapping that fits no longer does");
  return ({ level, space, kind }) =>
    Math.round(counts[kind][level * tables.spaces.length + space]! * counts.instances[level]!);
}

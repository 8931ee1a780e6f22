import type { Architecture } from "../architecture/architecture.js";
import { mapLayer } from "../mapper/evolutionary.js";
import { objectives } from "../mapper/objective.js";
import {
  type MapLayerResult,
  type MappedLayer,
  type MapperOptions,
  startTrial,
  type Trial,
  type UnmappedLayer,
} from "../mapper/trial.js";
import { adoptMapping } from "../mapspace/adopt.js";
import { type Candidate, createCandidate } from "../mapspace/candidate.js";
import { createRepairScratch } from "../mapspace/repair.js";
import { sampleMapping } from "../mapspace/sample.js";
import { applySplit, listSpatialSplits, type SpatialSplits } from "../mapspace/spatial.js";
import type { Problem } from "../workload/problem.js";
import { type Bounder, createBounder } from "./bounder.js";
import { createOrderSearch, orderFanouts } from "./orders.js";
import { createSetting, type Setting } from "./setting.js";
import { compileTerms, type Skeleton } from "./terms.js";

/** Effort of the search that finds a first mapping to beat. */
const FIRST_EVALUATIONS = 2000;
/** Bounds are sums of some dozens of products: they may be off by this part. */
const ARITHMETIC = 1e-11;

export interface ExactMapperOptions extends Omit<MapperOptions, "padding"> {
  /** Most partial mappings to look at, fan-outs with keeping included. Without a limit the search ends with a proof. */
  readonly nodes?: number | undefined;
  /** Part by which the best mapping may be worse than the optimum. Default 0. */
  readonly tolerance?: number | undefined;
  /** Asked every 1024 nodes; ends the search like `nodes` does. */
  readonly shouldStop?: (() => boolean) | undefined;
}

export interface Proof {
  /** No mapping is better than this: pJ · cycles, pJ, or cycles with a fraction that grows with energy. */
  readonly lowerBound: number;
  /** Whether the mapping is proven to be an optimum (within `tolerance`). */
  readonly proven: boolean;
  /** Partial mappings looked at, fan-outs with keeping included. */
  readonly nodes: number;
}

export type ExactMapResult = (MappedLayer | UnmappedLayer) & Proof;

/** Fan-outs and keeping with the bound of all mappings that have them. */
interface Branch {
  readonly split: number;
  readonly keep: Uint8Array;
  readonly bound: number;
}

/**
 * The best mapping of a layer, by branch and bound: first what is spread over the fan-outs and what each memory keeps, the
 * most promising first, then the loops in time of one dimension after another, then their orders. A branch is left when
 * no mapping in it can be better than the best so far. docs/models/mapping-search.md has the bounds and their proofs.
 *
 * Without `nodes` and `shouldStop` it ends with an optimum of the mapspace, or the proof that there is no mapping.
 *
 * The cost model is *timeloop* unless another one is asked for.
 *
 * @throws the signal's reason when cancelled, and DovetailError `model` or `halo` for what the bounds do not know: the model
 * *exact* and the halo rule `exact`.
 */
export function mapLayerExactly(
  problem: Problem,
  architecture: Architecture,
  options: ExactMapperOptions,
): ExactMapResult {
  const settled: ExactMapperOptions = { ...options, model: options.model ?? "timeloop" };
  const search = startSearch(problem, architecture, settled);
  const { trial } = search;
  if (trial.space.obstacle !== undefined)
    return { ...trial.finish(), lowerBound: Number.POSITIVE_INFINITY, proven: true, nodes: 0 };
  findFirst(search, problem, architecture, settled);
  const { branches, openBound } = listBranches(search);
  let lowerBound = openBound;
  for (const branch of branches) {
    if (!promises(search, branch.bound)) break;
    if (search.stopped) {
      lowerBound = Math.min(lowerBound, branch.bound);
      break;
    }
    explore(search, branch);
    if (search.stopped) lowerBound = Math.min(lowerBound, branch.bound);
  }
  return finishSearch(search, lowerBound);
}

interface Search {
  readonly setting: Setting;
  readonly trial: Trial;
  readonly splits: SpatialSplits;
  readonly candidate: Candidate;
  readonly score: (energyPj: number, latencyCycles: number) => number;
  readonly options: ExactMapperOptions;
  best: number;
  nodes: number;
  assessed: boolean;
  stopped: boolean;
}

function startSearch(problem: Problem, architecture: Architecture, options: ExactMapperOptions): Search {
  const trial = startTrial(problem, architecture, options);
  const { space } = trial;
  return {
    setting: createSetting(space, architecture, options),
    trial,
    splits: listSpatialSplits(space, Number.POSITIVE_INFINITY),
    candidate: createCandidate(space.tables),
    score: objectives[options.objective ?? "edp"],
    options,
    best: Number.POSITIVE_INFINITY,
    nodes: 0,
    assessed: false,
    stopped: false,
  };
}

function findFirst(search: Search, problem: Problem, architecture: Architecture, options: ExactMapperOptions): void {
  const { trial, candidate } = search;
  const { evaluations = FIRST_EVALUATIONS } = options;
  if (evaluations === 0) return;
  const { onProgress: _, ...rest } = options;
  const found = mapLayer(problem, architecture, { ...rest, evaluations });
  trial.evaluations += found.evaluations;
  if (found.ok && adoptMapping(trial.space, found.mapping, candidate)) assess(search);
}

function assess(search: Search): void {
  search.assessed = true;
  search.best = Math.min(search.best, search.trial.assess(search.candidate));
}

/** Whether a branch with this bound may hold a mapping that is better by more than the tolerance. */
function promises({ best, options }: Search, bound: number): boolean {
  return bound * (1 - ARITHMETIC) < best / (1 + (options.tolerance ?? 0));
}

/** Branches that may hold a better mapping, the most promising first; and a bound of those that were not looked at. */
function listBranches(search: Search): { branches: Branch[]; openBound: number } {
  const { setting, splits, candidate } = search;
  const branches: Branch[] = [];
  let openBound = Number.POSITIVE_INFINITY;
  const order = dimensionOrder(setting);
  const { macs } = setting.space.tables;
  const { macPj } = setting.rates;
  const keeps = listKeeps(setting);
  splits.splits.forEach(({ units }, split) => {
    // The units alone rule most out, at no cost.
    const leastBound = search.score(macs * macPj, macs / units);
    if (!promises(search, leastBound)) return;
    for (const keep of keeps) {
      countNode(search);
      if (search.stopped) {
        openBound = Math.min(openBound, leastBound);
        return;
      }
      const skeleton = layBranch(search, split, keep, candidate);
      if (skeleton === undefined || !promises(search, boundOfConstants(search, skeleton))) continue;
      const bounder = createBounder(setting, skeleton, order);
      bounder.bound(0);
      const bound = scoreOf(search, bounder, 0);
      if (promises(search, bound)) branches.push({ split, keep, bound });
    }
  });
  return { branches: branches.sort((a, b) => a.bound - b.bound), openBound };
}

function boundOfConstants({ setting, score }: Search, skeleton: Skeleton): number {
  const { energyPj, leakagePjPerCycle, cycles } = compileTerms(setting, skeleton);
  return score(energyPj + leakagePjPerCycle * cycles, cycles);
}

/** What each memory may keep. */
function listKeeps({ space }: Setting): Uint8Array[] {
  const { freeKeeps, keep, tables } = space;
  const count = tables.spaces.length;
  const keeps: Uint8Array[] = [];
  for (let choice = 0; choice < 2 ** freeKeeps.length; choice++) {
    const cells = keep.slice();
    freeKeeps.forEach((cell, index) => {
      cells[cell] = (choice >> index) & 1;
    });
    if (tables.spaces.every((_, tensor) => cells.some((kept, cell) => kept === 1 && cell % count === tensor))) {
      keeps.push(cells);
    }
  }
  return keeps;
}

/** Dimensions with the most ways to be dealt first; those that share a rank one after the other. */
function dimensionOrder({ space, shapes }: Setting): number[] {
  const ways = space.tables.dimensionNames.map((_, dimension) => {
    const places = space.slotsOf[dimension]!.filter((slot) => slot < space.tables.levelCount).length;
    return places * 64 + space.primesOf[dimension]!.length;
  });
  const order: number[] = [];
  const add = (dimension: number): void => {
    if (order.includes(dimension)) return;
    order.push(dimension);
    for (const { pairs } of shapes) {
      for (const { first, second } of pairs) {
        if (first === dimension) add(second);
        else if (second === dimension) add(first);
      }
    }
  };
  for (const [dimension] of [...ways.entries()].sort((a, b) => b[1] - a[1])) add(dimension);
  return order;
}

/** The skeleton of a branch, also written into the candidate; undefined when no mapping can have it. */
function layBranch(search: Search, split: number, keep: Uint8Array, candidate: Candidate): Skeleton | undefined {
  const { setting, splits } = search;
  const { space } = setting;
  const { levelCount, dimensionCount } = space.tables;
  const chosen = splits.splits[split]!;
  if (chosen.units < space.limits.minUnits) return undefined;
  candidate.bounds.set(space.fixedBounds);
  candidate.keep.set(keep);
  applySplit(space, splits, chosen, candidate);
  const spread = Array.from({ length: dimensionCount }, (_, dimension) =>
    Array.from({ length: levelCount }, (_, level) => {
      const cell = level * dimensionCount + dimension;
      return candidate.spatialX[cell]! * candidate.spatialY[cell]!;
    }),
  );
  if (spread.some((bounds, dimension) => setting.chains.get(dimension, bounds).count === 0)) return undefined;
  return { spread, keep };
}

function scoreOf({ score }: Search, { least }: Bounder, abovePj: number): number {
  return score(least.energyPj + abovePj, least.latencyCycles);
}

/** Looks at all mappings of a branch that promise to be better than the best. */
function explore(search: Search, branch: Branch): void {
  const { setting, candidate } = search;
  const { levelCount, dimensionCount } = setting.space.tables;
  const skeleton = layBranch(search, branch.split, branch.keep, candidate)!;
  const order = dimensionOrder(setting);
  const bounder = createBounder(setting, skeleton, order);
  const orders = createOrderSearch(setting, bounder);
  orderFanouts(setting.space, candidate);
  const better = (abovePj: number): boolean => promises(search, scoreOf(search, bounder, abovePj));
  const visit = (): void => assess(search);

  const descend = (depth: number): void => {
    if (depth === order.length) {
      orders.each(candidate, better, visit);
      return;
    }
    const dimension = order[depth]!;
    const { count, bounds } = bounder.chains[dimension]!;
    for (let chain = 0; chain < count; chain++) {
      if (!bounder.deal(depth, chain)) continue;
      countNode(search);
      if (search.stopped) return;
      bounder.bound(depth + 1);
      if (!better(0)) continue;
      for (let level = 0; level < levelCount; level++) {
        candidate.temporal[level * dimensionCount + dimension] = bounds[chain * levelCount + level]!;
      }
      descend(depth + 1);
    }
    bounder.takeBack(depth);
  };
  descend(0);
}

function countNode(search: Search): void {
  const { options } = search;
  if (search.stopped) return;
  search.nodes++;
  if (search.nodes >= (options.nodes ?? Number.POSITIVE_INFINITY)) search.stopped = true;
  if (search.nodes % 1024 !== 0) return;
  options.signal?.throwIfAborted();
  if (options.shouldStop?.()) search.stopped = true;
}

function finishSearch(search: Search, openBound: number): ExactMapResult {
  const { trial, nodes, best, options, candidate } = search;
  if (!search.assessed) {
    // Nothing was worth a look: a mapping at random tells why.
    sampleMapping(trial.space, trial.random, candidate, createRepairScratch(trial.space));
    trial.assess(candidate);
  }
  const result: MapLayerResult = trial.finish();
  const closedBound = best / (1 + (options.tolerance ?? 0));
  return { ...result, lowerBound: Math.min(openBound, closedBound), proven: !search.stopped, nodes };
}

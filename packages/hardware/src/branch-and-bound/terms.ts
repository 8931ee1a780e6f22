import { boxVolume } from "../analysis/tables.js";
import type { Setting } from "./setting.js";
import type { TensorShape } from "./tensors.js";

// What is spread over the fan-outs and which memory keeps which tensor being fixed, energy and the bandwidths' demands
// are sums of words times constants: of the words X that one child takes in over all its time, per tensor and pair of
// memories that follow each other. Everything here is a lower bound of the plain counts (docs/models/mapping-search.md).

/** Fan-outs and keeping, fixed. */
export interface Skeleton {
  /** [dimension][level]: bounds over the fan-out, X times Y. */
  readonly spread: readonly (readonly number[])[];
  /** [level][data space]. */
  readonly keep: Uint8Array;
}

/** The words X between two memories that follow each other in keeping a tensor. */
export interface Term {
  readonly tensor: number;
  /** The loops outside the children of this level are walked over for X. */
  readonly boundary: number;
  /** Energy per word of X, no step being served by links. */
  readonly energyPj: number;
  /** The same at the least, whatever links serve. */
  readonly linkedEnergyPj: number;
  /** Levels between the two whose links may serve; none where they cannot. */
  readonly linkLevels: readonly number[];
}

/** A bandwidth: the layer takes at least `cycles` + Σ `perWord[term]` · X[term] cycles. */
export interface Demand {
  cycles: number;
  readonly perWord: Float64Array;
}

export interface Terms {
  readonly terms: readonly Term[];
  /** Energy that does not depend on what is left to choose. */
  readonly energyPj: number;
  /** Leakage of everything in use. */
  readonly leakagePjPerCycle: number;
  /** Cycles of the compute units. */
  readonly cycles: number;
  readonly units: number;
  readonly demands: readonly Demand[];
  /** Whether links of the innermost fan-out serve the units: then every order may matter. */
  readonly unitLinks: boolean;
  /** Levels whose links may serve a tensor that memories or units further inside take in: their walks see fewer loops. */
  readonly passedLinks: readonly PassedLink[];
}

/** Links of a level that a tensor passes on its way to a memory or the units further inside. */
export interface PassedLink {
  readonly tensor: number;
  readonly level: number;
}

/** Counts are rounded to whole words: each is at least its exact value less one. */
const ROUNDING = 1;

export function compileTerms(setting: Setting, skeleton: Skeleton): Terms {
  const { space, rates, shapes } = setting;
  const { levelCount, spaces, macs } = space.tables;
  const { used, instances, units } = countChildren(setting, skeleton);
  const cycles = macs / units;
  const flows: Flow[] = [];
  shapes.forEach((shape, tensor) => {
    flows.push(...flowsOf(setting, skeleton, shape, tensor, used, instances, cycles));
  });
  const moving = flows.filter((flow) => flow.boundary < levelCount - 1);
  const terms: Term[] = [];
  let energyPj = macs * rates.macPj;
  const demands = createDemands(setting, moving.length);
  for (const flow of flows) {
    const term = moving.indexOf(flow);
    const price = priceFlow(setting, flow, instances);
    energyPj += term < 0 ? price.linked * flow.words : 0;
    if (term >= 0) {
      const { tensor, boundary, linkLevels } = flow;
      terms.push({ tensor, boundary, linkLevels, energyPj: price.plain, linkedEnergyPj: price.linked });
    }
    addDemands(setting, flow, term, demands);
  }
  energyPj -= slackPj(setting, skeleton, instances);
  let leakagePjPerCycle = 0;
  if (setting.leakage) {
    leakagePjPerCycle = units * rates.unitLeakagePj;
    for (let level = 0; level < levelCount; level++) leakagePjPerCycle += instances[level]! * rates.leakagePj[level]!;
  }
  const innermost = levelCount - 1;
  return {
    terms,
    energyPj,
    leakagePjPerCycle,
    cycles,
    units,
    demands: finishDemands(setting, skeleton, demands, cycles, spaces.length),
    unitLinks: setting.links[innermost] === 1 && used[innermost]! > 1,
    passedLinks: flows.flatMap(({ tensor, boundary, linkLevels }) =>
      linkLevels.filter((level) => level < boundary).map((level) => ({ tensor, level })),
    ),
  };
}

function countChildren({ space }: Setting, { spread }: Skeleton) {
  const { levelCount } = space.tables;
  const used = Array.from({ length: levelCount }, (_, level) =>
    spread.reduce((product, bounds) => product * bounds[level]!, 1),
  );
  const instances: number[] = [];
  let units = 1;
  for (const children of used) {
    instances.push(units);
    units *= children;
  }
  return { used, instances, units };
}

/** Words between two memories, or between the innermost one and the units. */
interface Flow {
  readonly tensor: number;
  readonly readWrite: boolean;
  /** The memory outside, and the one inside (the level count for the units). */
  readonly outer: number;
  readonly inner: number;
  readonly boundary: number;
  readonly linkLevels: readonly number[];
  /** Words that the outer memory gives per word of X. */
  readonly accesses: number;
  readonly linkedAccesses: number;
  /** Words that the inner one takes per word of X. */
  readonly linkedFills: number;
  /** X where it is known (at the units). */
  readonly words: number;
}

function flowsOf(
  setting: Setting,
  skeleton: Skeleton,
  shape: TensorShape,
  tensor: number,
  used: readonly number[],
  instances: readonly number[],
  cycles: number,
): Flow[] {
  const { levelCount, spaces } = setting.space.tables;
  const kept = used.map((_, level) => level).filter((level) => skeleton.keep[level * spaces.length + tensor] === 1);
  return kept.map((outer, at) => {
    const inner = kept[at + 1] ?? levelCount;
    const between = used.map((_, level) => level).slice(outer, inner);
    const linkLevels = between.filter(
      (level) => level < levelCount - 1 && mayLink(setting, skeleton, shape, level, used[level]!),
    );
    let accesses = 1;
    let linkedAccesses = 1;
    for (const level of between) {
      const classes = leastClasses(skeleton, shape, level);
      accesses *= classes;
      linkedAccesses *= linkLevels.includes(level) ? singleClasses(skeleton, shape, level) : classes;
    }
    let words = cycles;
    const innermost = levelCount - 1;
    if (inner === levelCount && setting.links[innermost] === 1 && used[innermost]! > 1) {
      // Steps along a rank with one dimension are never served by links; others may all be.
      words = shape.singles.reduce((product, { dimension }) => product * stepsInTime(setting, skeleton, dimension), 1);
    }
    let linkedFills = 1;
    if (linkLevels.includes(inner - 1)) {
      const children = used[inner - 1]!;
      linkedFills = Math.max(
        Math.min(1, children / (instances[inner] ?? 1)),
        singleClasses(skeleton, shape, inner - 1) / children,
      );
    }
    const { readWrite } = shape.table;
    return {
      tensor,
      readWrite,
      outer,
      inner,
      boundary: inner - 1,
      linkLevels,
      accesses,
      linkedAccesses,
      linkedFills,
      words,
    };
  });
}

/** Bounds of a dimension's loops in time, all together. */
function stepsInTime({ space }: Setting, { spread }: Skeleton, dimension: number): number {
  return space.tables.sizes[dimension]! / spread[dimension]!.reduce((product, bound) => product * bound, 1);
}

/** Links serve steps along halos only, and only children that differ along one. */
function mayLink({ links }: Setting, { spread }: Skeleton, shape: TensorShape, level: number, used: number): boolean {
  if (links[level] !== 1 || used === 1) return false;
  if (shape.others.length > 0) return true;
  return shape.pairs.some(({ first, second }) => spread[first]![level]! > 1 || spread[second]![level]! > 1);
}

function singleClasses({ spread }: Skeleton, { singles }: TensorShape, level: number): number {
  return singles.reduce((product, { dimension }) => product * spread[dimension]![level]!, 1);
}

/** Different tiles among the children, at the least: m + n − 1 of m · n along a rank with two dimensions. */
function leastClasses(skeleton: Skeleton, shape: TensorShape, level: number): number {
  const { spread } = skeleton;
  return shape.pairs.reduce(
    (product, { first, second }) => product * (spread[first]![level]! + spread[second]![level]! - 1),
    singleClasses(skeleton, shape, level),
  );
}

function clustersOf({ rates }: Setting, level: number, instances: readonly number[]): number {
  return Math.min(instances[level]!, rates.clusters[level]!);
}

/** Accesses per word at a level, not rounded up. */
function accessesPerWord({ rates, space }: Setting, level: number, tensor: number): number {
  const cell = level * space.tables.spaces.length + tensor;
  const words = rates.wordsPerAccess[cell]!;
  return words > 1 ? 1 / words : rates.accessesPerWord[cell]!;
}

function priceFlow(setting: Setting, flow: Flow, instances: readonly number[]): { plain: number; linked: number } {
  const { rates, space } = setting;
  const { outer, inner, tensor, readWrite, accesses, linkedAccesses, linkedFills } = flow;
  const atOuter =
    clustersOf(setting, outer, instances) *
    accessesPerWord(setting, outer, tensor) *
    (rates.readPj[outer]! + (readWrite ? rates.updatePj[outer]! : 0));
  const atInner =
    inner < space.tables.levelCount
      ? clustersOf(setting, inner, instances) * accessesPerWord(setting, inner, tensor) * rates.writePj[inner]!
      : 0;
  return {
    plain: accesses * atOuter + atInner,
    linked: linkedAccesses * atOuter + linkedFills * atInner,
  };
}

/** [level][port]: read, write, both. */
function createDemands({ space }: Setting, terms: number): Demand[] {
  return Array.from({ length: 3 * space.tables.levelCount }, () => ({ cycles: 0, perWord: new Float64Array(terms) }));
}

function bitsPerWord({ rates, space }: Setting, level: number, tensor: number): number {
  return rates.wordBits[level * space.tables.spaces.length + tensor]!;
}

function addDemands(setting: Setting, flow: Flow, term: number, demands: readonly Demand[]): void {
  const { outer, inner, tensor, readWrite, linkedAccesses, linkedFills, words } = flow;
  const add = (level: number, port: number, perWord: number): void => {
    for (const kind of [port, 2]) {
      const demand = demands[3 * level + kind]!;
      if (term < 0) demand.cycles += perWord * words;
      else demand.perWord[term]! += perWord;
    }
  };
  const bits = bitsPerWord(setting, outer, tensor);
  add(outer, 0, linkedAccesses * bits);
  if (readWrite) add(outer, 1, linkedAccesses * bits);
  if (inner < setting.space.tables.levelCount) add(inner, 1, linkedFills * bitsPerWord(setting, inner, tensor));
}

/** From bits to cycles, less what is elided and rounded; demands that cannot hold anything up are left out. */
function finishDemands(
  setting: Setting,
  skeleton: Skeleton,
  demands: readonly Demand[],
  cycles: number,
  spaceCount: number,
): Demand[] {
  const { rates, shapes } = setting;
  return demands.flatMap((demand, index) => {
    const level = Math.floor(index / 3);
    const port = index % 3;
    const bandwidth = [rates.readBandwidth, rates.writeBandwidth, rates.sharedBandwidth][port]![level]!;
    if (bandwidth === Number.POSITIVE_INFINITY) return [];
    let bits = demand.cycles;
    shapes.forEach((_, tensor) => {
      if (skeleton.keep[level * spaceCount + tensor] !== 1) return;
      const counters = port === 0 ? 1 : port === 1 ? 2 : 3;
      const elided = elidedWords(setting, skeleton, tensor, level);
      const free = port === 2 ? 2 * elided : elided;
      bits -= (free + counters * ROUNDING) * bitsPerWord(setting, level, tensor);
    });
    const perWord = demand.perWord.map((value) => value / bandwidth);
    const constant = bits / bandwidth;
    return perWord.every((value) => value === 0) && constant <= cycles ? [] : [{ cycles: constant, perWord }];
  });
}

/** Energy that elision and rounding may take off, over all memories. */
function slackPj(setting: Setting, skeleton: Skeleton, instances: readonly number[]): number {
  const { space, rates, shapes } = setting;
  const { levelCount, spaces } = space.tables;
  let slack = 0;
  shapes.forEach(({ table }, tensor) => {
    let outermost = true;
    for (let level = 0; level < levelCount; level++) {
      if (skeleton.keep[level * spaces.length + tensor] !== 1) continue;
      const elided = elidedWords(setting, skeleton, tensor, level);
      const reads = (elided + ROUNDING) * rates.readPj[level]!;
      const fills = outermost ? 0 : (elided + ROUNDING) * rates.writePj[level]!;
      const updates = table.readWrite ? ROUNDING * rates.updatePj[level]! : 0;
      const perWord = clustersOf(setting, level, instances) * accessesPerWord(setting, level, tensor);
      slack += perWord * (reads + fills + updates);
      outermost = false;
    }
  });
  return slack;
}

/** Words that first-read elision takes off a counter, at the most: the part of the tensor that falls to one instance. */
function elidedWords(setting: Setting, skeleton: Skeleton, tensor: number, level: number): number {
  const { space, shapes, elideFirstReads } = setting;
  const { table, pairs, others, singles } = shapes[tensor]!;
  if (!table.readWrite || !elideFirstReads) return 0;
  const words = boxVolume(table, space.tables.sizes, 0);
  if (pairs.length > 0 || others.length > 0 || singles.some(({ coefficient }) => coefficient > 1)) return words;
  let parts = 1;
  for (let outer = 0; outer < level; outer++) parts *= singleClasses(skeleton, shapes[tensor]!, outer);
  return words / parts;
}

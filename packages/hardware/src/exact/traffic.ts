import type { Axes } from "./axes.js";
import { EVERY_STEP, type FamilyList, type Group } from "./families.js";
import { NONE } from "./network.js";
import { KEPT, NEAR, nextPattern, type RankScratch, READ, SPARED, sumPatterns, TAKEN } from "./rank-sums.js";
import type { Boundary, Traffic, Walker } from "./walker.js";
import { countWhole } from "./whole.js";

// The words between a level and its children, over all parents, children and steps.

/** The first step, at which all begin. */
export function firstStep(axes: Axes): number {
  return axes.temporalCount;
}

/** Adds what steps of one kind move: those at which temporal loop `advancing` goes on. */
export function addSteps(walker: Walker, boundary: Boundary, advancing: number, traffic: Traffic): void {
  const { axes, unrelated, finder, kind, ask, products, ranks } = walker;
  ask.multicast = boundary.multicast;
  ask.links = boundary.links;
  ask.before = advancing >= 0 && advancing < axes.temporalCount;
  kind.parent = boundary.parent;
  kind.child = boundary.child;
  kind.advancing = advancing;
  kind.tied = boundary.tied;
  let everyChild = 1;
  let leaders = 1;
  for (let index = 0; index < unrelated.length; index++) {
    everyChild *= finder.count(unrelated[index]!, kind, true);
    leaders *= finder.count(unrelated[index]!, kind, boundary.multicast === NONE);
  }
  products.fill(1);
  for (let rank = 0; rank < ranks.length; rank++) multiplyRank(walker, rank);
  if (!ask.before) {
    products[KEPT] = 0;
    products[SPARED] = 0;
    products[NEAR] = 0;
  }
  traffic.read += leaders * (products[READ]! - products[SPARED]!);
  traffic.taken += everyChild * (products[TAKEN]! - products[KEPT]!);
  if (boundary.links) traffic.passed += everyChild * (products[NEAR]! - products[KEPT]!);
}

/** The sums along one rank, over all families of its dimensions, into the products. */
function multiplyRank({ lists, dimensions, ranks, finder, kind, ask, products, axes }: Walker, rank: number): void {
  const terms = dimensions[rank]!;
  const families = lists[rank]!;
  const scratch = ranks[rank]!;
  for (let term = 0; term < terms.length; term++) finder.find(families[term]!, terms[term]!, kind);
  let [taken, kept, read, spared, near] = [0, 0, 0, 0, 0];
  let combinations = 1;
  for (let term = 0; term < terms.length; term++) combinations *= families[term]!.count;
  for (let combination = 0; combination < combinations; combination++) {
    const weight = layPatterns(scratch, families, combination, ask.before, axes.width);
    sumPatterns(scratch, ask);
    taken += weight * scratch.sums[TAKEN]!;
    kept += weight * scratch.sums[KEPT]!;
    read += weight * scratch.sums[READ]!;
    spared += weight * scratch.sums[SPARED]!;
    near += weight * scratch.sums[NEAR]!;
  }
  products[TAKEN]! *= taken;
  products[KEPT]! *= kept;
  products[READ]! *= read;
  products[SPARED]! *= spared;
  products[NEAR]! *= near;
}

/** A pattern for every choice of a group in each of the families chosen; returns how often the families meet. */
function layPatterns(
  scratch: RankScratch,
  lists: readonly FamilyList[],
  combination: number,
  before: boolean,
  width: number,
): number {
  scratch.patternCount = 0;
  let weight = 1;
  let choices = 1;
  let rest = combination;
  for (let term = 0; term < lists.length; term++) {
    const family = lists[term]!.families[rest % lists[term]!.count]!;
    rest = Math.floor(rest / lists[term]!.count);
    weight *= family.weight;
    choices *= family.count;
  }
  for (let choice = 0; choice < choices; choice++) {
    const pattern = nextPattern(scratch, width * lists.length);
    pattern.now = 0;
    pattern.before = 0;
    let families = combination;
    let groups = choice;
    for (let term = 0; term < lists.length; term++) {
      const family = lists[term]!.families[families % lists[term]!.count]!;
      families = Math.floor(families / lists[term]!.count);
      addTerm(scratch, choice, term, family.groups[groups % family.count]!, before);
      groups = Math.floor(groups / family.count);
    }
  }
  return weight;
}

function addTerm(
  { patterns, coefficients }: RankScratch,
  index: number,
  term: number,
  group: Group,
  before: boolean,
): void {
  const pattern = patterns[index]!;
  const coefficient = coefficients[term]!;
  pattern.now += coefficient * group.now;
  pattern.before += coefficient * (before ? group.before : group.now);
  pattern.lengths[term] = group.length;
  pattern.lengthsBefore[term] = before ? group.lengthBefore : group.length;
  for (let copy = 0; copy < group.copies; copy++) {
    pattern.strides[pattern.copies] = coefficient * group.strides[copy]!;
    pattern.bounds[pattern.copies] = group.bounds[copy]!;
    pattern.copies++;
  }
}

/** All words between a level and its children. */
export function countTraffic(walker: Walker, boundary: Boundary, traffic: Traffic): void {
  const { axes } = walker;
  if (axes.allPerfect && !walker.boxes) {
    countWhole(walker, boundary, traffic);
    return;
  }
  const alone = boundary.child === axes.tables.levelCount && !boundary.links;
  clearTraffic(traffic);
  if (!alone || boundary.timed) addSteps(walker, boundary, firstStep(axes), traffic);
  traffic.firstRead = traffic.read;
  traffic.firstTaken = traffic.taken;
  if (alone) {
    traffic.read = 0;
    traffic.taken = 0;
    addSteps(walker, boundary, EVERY_STEP, traffic);
    return;
  }
  for (let loop = firstMoving(walker, boundary.child); loop < axes.temporalCount; loop++) {
    addSteps(walker, boundary, loop, traffic);
  }
}

function clearTraffic(traffic: Traffic): void {
  traffic.read = 0;
  traffic.taken = 0;
  traffic.passed = 0;
}

/** The innermost temporal loop outside a level that moves its tile: those inside bring nothing. */
export function firstMoving({ axes, unrelated }: Walker, child: number): number {
  let loop = child === 0 ? axes.temporalCount : axes.firstTemporal[child - 1]!;
  while (loop < axes.temporalCount && unrelated.includes(axes.temporalDimension[loop]!)) loop++;
  return loop;
}

import { dataMoves } from "./accelerator.js";
import { irrelevant, relevant, tensorWords } from "./operands.js";
import type { PreparedLayer, PreparedOperand } from "./prepared.js";
import { roundHalfEven } from "./rounding.js";

// What moves where, how often, for loops in time that are cut into each operand's memory levels (cost-model.md §4.1 and
// 4.3). All figures of a mapping lie in flat arrays that are reused: a search evaluates many thousands.

const moves = dataMoves.length;

/** Loops in time by index, innermost first. */
export interface LoopOrder {
  readonly dimensions: Int32Array;
  readonly factors: Int32Array;
  /** Loops in use. */
  length: number;
}

/** Figures of a mapping, by slot (4 · level + move), by level, or by architectural level (level + operand + 1). */
export interface Traffic {
  /** By level: loops at or below it, after irrelevant loops at the bottom of a level have moved to the level below. */
  readonly cuts: Int32Array;
  /** By level: cycles that the loops at or below it take. */
  readonly cycles: Float64Array;
  /** By operand: cycles that the array holds one word of it. */
  readonly stationaryCycles: Float64Array;
  /** Cycles of all loops. */
  totalCycles: number;
  /** By level: the run of irrelevant loops, and of relevant ones, at its top. */
  readonly topIrrelevant: Float64Array;
  readonly topRelevant: Float64Array;
  /** By architectural level: words that one unit holds, with units in effect as fractions and in whole units. */
  readonly words: Float64Array;
  readonly wholeWords: Float64Array;
  /** By architectural level: bits of a word there. */
  readonly wordBits: Float64Array;
  /** By slot: bits moved in one period, likewise; the period's cycles, and how many periods there are. */
  readonly bits: Float64Array;
  readonly wholeBits: Float64Array;
  readonly period: Float64Array;
  readonly periods: Float64Array;
  /** By slot: bits a cycle on average, in whole bits. */
  readonly averageBits: Float64Array;
  /** Extents of a tile while it is measured. */
  readonly extents: Float64Array;
}

export function createTraffic({ levels, operands, dimensions }: PreparedLayer): Traffic {
  const perLevel = (): Float64Array => new Float64Array(levels.length);
  const perArchitecturalLevel = (): Float64Array => new Float64Array(levels.length + operands.length);
  const perSlot = (): Float64Array => new Float64Array(levels.length * moves);
  return {
    cuts: new Int32Array(levels.length),
    cycles: perLevel(),
    stationaryCycles: new Float64Array(operands.length),
    totalCycles: 0,
    topIrrelevant: perLevel(),
    topRelevant: perLevel(),
    words: perArchitecturalLevel(),
    wholeWords: perArchitecturalLevel(),
    wordBits: perArchitecturalLevel(),
    bits: perSlot(),
    wholeBits: perSlot(),
    period: perSlot(),
    periods: perSlot(),
    averageBits: perSlot(),
    extents: new Float64Array(dimensions.length),
  };
}

/** Counts the traffic of loops in time; `cuts` says, by level, how many loops lie at or below it. */
export function countTraffic(prepared: PreparedLayer, order: LoopOrder, cuts: Int32Array, traffic: Traffic): void {
  traffic.totalCycles = productOf(order, 0, order.length);
  for (let index = 0; index < prepared.operands.length; index++) {
    const operand = prepared.operands[index]!;
    placeLoops(operand, index, order, cuts, traffic);
    sizeTiles(operand, index, order, prepared.isExact, traffic);
    if (index === 0) moveOutput(operand, order, traffic);
    else moveInput(operand, index, traffic);
  }
}

function productOf({ factors }: LoopOrder, from: number, to: number): number {
  let product = 1;
  for (let at = from; at < to; at++) product *= factors[at]!;
  return product;
}

/** Moves irrelevant loops at the bottom of a level to the level below, and finds what runs lie at the top of levels. */
function placeLoops(operand: PreparedOperand, index: number, order: LoopOrder, cuts: Int32Array, t: Traffic): void {
  const { relevance, firstLevel, levels } = operand;
  const kind = (at: number): number => relevance[order.dimensions[at]!]!;
  let held = 0;
  while (held < order.length && kind(held) === irrelevant) held++;
  t.stationaryCycles[index] = index === 0 ? 1 : productOf(order, 0, held);
  let start = 0;
  let cycles = 1;
  for (let at = firstLevel; at < firstLevel + levels; at++) {
    let end = Math.max(start, cuts[at]!);
    while (end < order.length && kind(end) === irrelevant) end++;
    cycles *= productOf(order, start, end);
    t.cuts[at] = end;
    t.cycles[at] = cycles;
    t.topIrrelevant[at] = productOf(order, startOfRun(kind, irrelevant, start, end), end);
    t.topRelevant[at] = productOf(order, startOfRun(kind, relevant, start, end), end);
    start = end;
  }
}

/** First of the loops of a kind that end a level. */
function startOfRun(kind: (at: number) => number, wanted: number, start: number, end: number): number {
  let first = end;
  while (first > start && kind(first - 1) === wanted) first--;
  return first;
}

/** Words that each architectural level holds, and their bits: outputs are partial sums while a reduction is above. */
function sizeTiles(operand: PreparedOperand, index: number, order: LoopOrder, exact: boolean, t: Traffic): void {
  const base = operand.firstLevel + index;
  for (let level = 0; level <= operand.levels; level++) {
    const end = level === 0 ? 0 : t.cuts[operand.firstLevel + level - 1]!;
    const words = tileWords(operand, operand.fractional.below[level]!, order, end, t.extents);
    t.words[base + level] = words;
    t.wholeWords[base + level] = exact ? words : tileWords(operand, operand.whole.below[level]!, order, end, t.extents);
    t.wordBits[base + level] = isSummedAbove(operand, index, level, end, order) ? operand.bits : operand.finalBits;
  }
}

function tileWords(
  operand: PreparedOperand,
  units: Float64Array,
  { dimensions, factors }: LoopOrder,
  end: number,
  extents: Float64Array,
): number {
  extents.set(units);
  for (let at = 0; at < end; at++) extents[dimensions[at]!]! *= factors[at]!;
  return roundHalfEven(tensorWords(operand, extents));
}

/** Whether the output's words at an architectural level are partial sums: a reduction lies above it. */
function isSummedAbove(
  operand: PreparedOperand,
  index: number,
  level: number,
  start: number,
  { dimensions, length }: LoopOrder,
): boolean {
  if (index !== 0 || level >= operand.levels) return false;
  if (operand.fractional.irrelevantFrom[level + 1]!) return true;
  for (let at = start; at < length; at++) if (operand.relevance[dimensions[at]!] === irrelevant) return true;
  return false;
}

function moveInput(operand: PreparedOperand, index: number, t: Traffic): void {
  for (let level = 0; level < operand.levels; level++) {
    const slot = (operand.firstLevel + level) * moves;
    moveBelow(operand, index, level, slot, t);
    clearMove(slot + 1, t);
    clearMove(slot + 2, t);
    if (level === operand.levels - 1) clearMove(slot + 3, t);
    else moveAbove(operand, index, level, slot + 3, t);
  }
}

function moveOutput(operand: PreparedOperand, order: LoopOrder, t: Traffic): void {
  for (let level = 0; level < operand.levels; level++) {
    const slot = (operand.firstLevel + level) * moves;
    const held = t.cuts[operand.firstLevel + level]!;
    const below = level === 0 ? 0 : t.cuts[operand.firstLevel + level - 1]!;
    moveBelow(operand, 0, level, slot + 1, t);
    if (isSummedAbove(operand, 0, level, below, order)) copyMove(slot + 1, slot, t);
    else clearMove(slot, t);
    if (level === operand.levels - 1) clearMove(slot + 2, t);
    else moveAbove(operand, 0, level, slot + 2, t);
    if (level < operand.levels - 1 && isSummedAbove(operand, 0, level + 1, held, order)) {
      copyMove(slot + 2, slot + 3, t);
    } else clearMove(slot + 3, t);
  }
}

/** What passes between a level and what lies below it. */
function moveBelow(operand: PreparedOperand, index: number, level: number, slot: number, t: Traffic): void {
  const from = operand.firstLevel + index + level;
  const period = level === 0 ? t.stationaryCycles[index]! : t.cycles[operand.firstLevel + level - 1]!;
  setMove(slot, from, operand.fractional.boost[level]!, operand.whole.boost[level]!, period, t);
}

/** What passes between a level and what lies above it. */
function moveAbove(operand: PreparedOperand, index: number, level: number, slot: number, t: Traffic): void {
  const held = operand.firstLevel + index + level + 1;
  setMove(slot, held, 1, 1, t.cycles[operand.firstLevel + level]!, t);
}

function setMove(slot: number, from: number, boost: number, wholeBoost: number, period: number, t: Traffic): void {
  const wordBits = t.wordBits[from]!;
  t.bits[slot] = t.words[from]! * boost * wordBits;
  t.wholeBits[slot] = t.wholeWords[from]! * wholeBoost * wordBits;
  t.period[slot] = period;
  t.periods[slot] = Math.floor(t.totalCycles / period);
  t.averageBits[slot] = Math.trunc(((t.wholeWords[from]! * wordBits) / period) * wholeBoost);
}

function copyMove(from: number, to: number, t: Traffic): void {
  t.bits[to] = t.bits[from]!;
  t.wholeBits[to] = t.wholeBits[from]!;
  t.period[to] = t.period[from]!;
  t.periods[to] = t.periods[from]!;
  t.averageBits[to] = t.averageBits[from]!;
}

function clearMove(slot: number, t: Traffic): void {
  t.bits[slot] = 0;
  t.wholeBits[slot] = 0;
  t.period[slot] = 0;
  t.periods[slot] = 0;
  t.averageBits[slot] = 0;
}

import type { Axes } from "./axes.js";

// The children of one level along one dimension, at one kind of step.
//
// At a step one temporal loop (the advancing loop) goes on by one and the temporal loops inside it start over. Along a
// dimension a child's tile begins at the sum of its digits: those of the parent (its place, and the loops outside the
// advancing one), those of the child's place in the fan-out, and those of the loops that started over, which are 0 now
// and were at their last value before. Without remainders all steps of a kind look alike. With remainders they look
// alike until a digit is compared with that of the dimension's last element: below it everything inside is complete,
// above it nothing is there, at it the next digit decides. So there are a few families, each with the number of parents
// and steps that see it.
//
// A child without work keeps the tile that it had: before a step it held the last tile that it worked on.

/** Children whose tiles have equal lengths and moved alike: a block of the fan-out. Positions are relative. */
export interface Group {
  /** First element now and before, and how many. */
  now: number;
  before: number;
  length: number;
  lengthBefore: number;
  /** The children of the group: `bounds[i]` times, `strides[i]` apart. */
  readonly strides: Float64Array;
  readonly bounds: Float64Array;
  copies: number;
}

/** What one parent's children look like, and how often that occurs over all parents and steps of the kind. */
export interface Family {
  weight: number;
  readonly groups: Group[];
  count: number;
}

/** The families of one dimension at one kind of step. Reused. */
export interface FamilyList {
  readonly families: Family[];
  count: number;
}

/** Step and fan-out that families are made for. */
export interface StepKind {
  /** Level of the parents, and of the children (one past the innermost for the units). */
  parent: number;
  child: number;
  /** Order of the advancing loop; the number of loops for the first step, at which all begin; or one of the following. */
  advancing: number;
  /** [level]: 1 where a child gives up what it has when the instance of that outer level above it does. */
  tied: Uint8Array | undefined;
}

/** Every step at once, where children hold nothing from one to the next. */
export const EVERY_STEP = -1;
/** All that a parent sees in all its time, as if the steps were children. */
export const ALL_TIME = -2;

// Where a digit stands against that of the last element.
const ANY = 0;
const BELOW = 1;
const EQUAL = 2;
const ABOVE = 3;

/** Place of a tile that was given up: nothing of it is left. */
const gone = Number.POSITIVE_INFINITY;

// What a loop is at a step.
const OUTER = 0;
const ADVANCING = 1;
const STARTED_OVER = 2;
const FANNED = 3;

export interface FamilyFinder {
  find(list: FamilyList, dimension: number, kind: StepKind): void;
  /** Digits of one dimension over parents and steps of the kind: with the children of each, or only those that begin at the parent. */
  count(dimension: number, kind: StepKind, everyChild: boolean): number;
}

export function createFamilyList(): FamilyList {
  return { families: [], count: 0 };
}

/** The finder for the mapping that is laid out in the axes when it is called. */
export function createFamilyFinder(axes: Axes): FamilyFinder {
  const { width, level, bound, stride, digit, order, outside, tile, tables } = axes;
  const classes = new Uint8Array(width);
  const strides = new Float64Array(width);
  const bounds = new Float64Array(width);
  const suffix = new Float64Array(width + 1);
  const ties = new Uint8Array(width + 1);
  const roles = new Uint8Array(width);
  let start = 0;
  let count = 0;
  let list: FamilyList = createFamilyList();
  let family: Family | undefined;
  let tileLength = 1;
  let lastLength = 1;
  /** Steps and parents that see nothing but complete tiles, found in several places of the search. */
  let complete = 0;
  /** Elements that the advancing loop moves on; 0 when it runs over another dimension. */
  let advance = 0;

  const prepare = (dimension: number, { parent, child, advancing, tied }: StepKind): void => {
    const cell = child * tables.dimensionCount + dimension;
    start = dimension * width;
    count = outside[cell]!;
    tileLength = tile[cell]!;
    lastLength = ((tables.sizes[dimension]! - 1) % tileLength) + 1;
    advance = 0;
    suffix[count] = 0;
    ties.fill(0);
    if (tied !== undefined) {
      for (let outer = 0; outer < child; outer++) {
        if (tied[outer] === 1) ties[outside[outer * tables.dimensionCount + dimension]!] = 1;
      }
    }
    for (let at = count - 1; at >= 0; at--) {
      const loop = start + at;
      const place = order[loop]!;
      let role: number = OUTER;
      if (place < 0 || advancing === ALL_TIME) role = place >= 0 || level[loop]! >= parent ? FANNED : OUTER;
      else if (place === advancing) role = ADVANCING;
      else if (place < advancing) role = STARTED_OVER;
      roles[at] = role;
      if (role === ADVANCING) advance = stride[loop]!;
      suffix[at] = suffix[at + 1]! + (role === STARTED_OVER ? (bound[loop]! - 1) * stride[loop]! : 0);
    }
  };

  const nextFamily = (weight: number): Family => {
    if (list.families.length === list.count) list.families.push({ weight: 0, groups: [], count: 0 });
    const next = list.families[list.count]!;
    next.weight = weight;
    next.count = 0;
    return next;
  };

  const addGroup = (copies: number, offset: number, atEdge: boolean, rest: number, edgeBefore: boolean): void => {
    const { groups } = family!;
    if (groups.length === family!.count) {
      groups.push({
        now: 0,
        before: 0,
        length: 0,
        lengthBefore: 0,
        strides: new Float64Array(width),
        bounds: new Float64Array(width),
        copies: 0,
      });
    }
    const group = groups[family!.count++]!;
    group.now = offset + advance;
    group.before = offset + rest;
    group.length = atEdge ? lastLength : tileLength;
    group.lengthBefore = edgeBefore ? lastLength : tileLength;
    group.copies = copies;
    for (let copy = 0; copy < copies; copy++) {
      group.strides[copy] = strides[copy]!;
      group.bounds[copy] = bounds[copy]!;
    }
  };

  /**
   * The groups of a family, digit by digit. `edge`: all digits so far are those of the last element; `edgeBefore`: the
   * same before the step, the loops that start over having been as far as they come. `rest`: what those add before, and
   * `fallback` what they add when a later digit turns out to lie above: one step less, negative when there was none.
   */
  const walk = (
    at: number,
    copies: number,
    offset: number,
    edge: boolean,
    edgeBefore: boolean,
    rest: number,
    fallback: number,
  ): void => {
    // The outer instance has moved in the meantime when the loops so far have.
    if (ties[at] === 1 && rest < gone && (edgeBefore ? rest : rest - suffix[at]!) > 0) {
      walk(at, copies, offset, edge, edgeBefore, gone, gone);
      return;
    }
    if (at === count) {
      addGroup(copies, offset, edge, rest, edgeBefore);
      return;
    }
    const loop = start + at;
    const last = digit[loop]!;
    switch (roles[at]!) {
      case STARTED_OVER: {
        if (!edgeBefore) {
          walk(at + 1, copies, offset, edge && last === 0, false, rest, fallback);
          return;
        }
        const added = last * stride[loop]!;
        const less = last > 0 ? rest + added - stride[loop]! + suffix[at + 1]! : fallback;
        walk(at + 1, copies, offset, edge && last === 0, true, rest + added, less);
        return;
      }
      case FANNED: {
        if (!edge && !edgeBefore) {
          addCopies(copies, loop, bound[loop]!);
          walk(at + 1, copies + 1, offset, false, false, rest, fallback);
          return;
        }
        if (last > 0) {
          addCopies(copies, loop, last);
          walk(at + 1, copies + 1, offset, false, false, edgeBefore ? rest + suffix[at + 1]! : rest, -1);
        }
        walk(at + 1, copies, offset + last * stride[loop]!, edge, edgeBefore, rest, fallback);
        const above = bound[loop]! - 1 - last;
        if (above > 0 && !edge) {
          addCopies(copies, loop, above);
          walk(at + 1, copies + 1, offset + (last + 1) * stride[loop]!, false, false, fallback, -1);
        }
        return;
      }
      case ADVANCING:
        // Before, the loops inside had gone through all their iterations.
        if (edge && classes[at] === ABOVE) return;
        walk(at + 1, copies, offset, edge && classes[at] === EQUAL, false, suffix[at + 1]!, -1);
        return;
      default:
        if (classes[at] === EQUAL || !edgeBefore) {
          if (edge && classes[at] !== EQUAL) {
            if (classes[at] === ABOVE) return;
            walk(at + 1, copies, offset, false, false, rest, fallback);
            return;
          }
          walk(at + 1, copies, offset, edge, edgeBefore, rest, fallback);
        } else if (classes[at] === BELOW) {
          walk(at + 1, copies, offset, false, false, rest + suffix[at + 1]!, -1);
        } else if (!edge) {
          walk(at + 1, copies, offset, false, false, fallback, -1);
        }
    }
  };

  const addCopies = (copy: number, loop: number, times: number): void => {
    strides[copy] = stride[loop]!;
    bounds[copy] = times;
  };

  const finish = (weight: number, edge: boolean): void => {
    family = nextFamily(weight);
    walk(0, 0, 0, edge, edge, edge ? 0 : suffix[0]!, -1);
    if (family.count > 0) list.count++;
  };

  /** Steps and parents from loop `at` on when all are complete. */
  const completeFrom = (at: number): number => {
    let product = 1;
    for (let index = at; index < count; index++) {
      if (roles[index] === OUTER) product *= bound[start + index]!;
      else if (roles[index] === ADVANCING) product *= bound[start + index]! - 1;
    }
    return product;
  };

  /** `edge`: children may still stand at the last element. `alone`: all do, no child differs from another yet. */
  const branch = (at: number, weight: number, edge: boolean, alone: boolean): void => {
    if (weight === 0) return;
    if (at === count) {
      finish(weight, true);
      return;
    }
    const role = roles[at]!;
    const loop = start + at;
    const last = digit[loop]!;
    const first = role === ADVANCING ? 1 : 0;
    if (role === FANNED || role === STARTED_OVER) {
      branch(at + 1, weight, edge, false);
    } else if (!edge) {
      classes[at] = ANY;
      branch(at + 1, weight * (bound[loop]! - first), false, false);
    } else {
      const below = Math.max(0, last - first);
      if (alone) complete += weight * below * completeFrom(at + 1);
      else {
        classes[at] = BELOW;
        branch(at + 1, weight * below, false, false);
      }
      if (last >= first) {
        classes[at] = EQUAL;
        branch(at + 1, weight, true, alone);
      }
      if (!alone) {
        classes[at] = ABOVE;
        branch(at + 1, weight * (bound[loop]! - 1 - Math.max(last, first - 1)), false, false);
      }
    }
  };

  /** Digits that occur, those of loops that start over being 0, and the children's and the advancing loop's if told so. */
  const countDigits = (everyChild: boolean, standing: boolean): number => {
    let below = 0;
    let last = 1;
    for (let at = 0; at < count; at++) {
      const role = roles[at]!;
      const edge = digit[start + at]!;
      const fixed = role === STARTED_OVER || (role === FANNED && !everyChild) || (role === ADVANCING && standing);
      if (!fixed) below = below * bound[start + at]! + last * edge;
      else if (edge > 0) {
        below += last;
        last = 0;
      }
    }
    return below + last;
  };

  return {
    find(target, dimension, kind) {
      list = target;
      list.count = 0;
      prepare(dimension, kind);
      complete = 0;
      if (axes.perfect[dimension] === 1) complete = completeFrom(0);
      else branch(0, 1, true, true);
      if (complete > 0) finish(complete, false);
    },
    count(dimension, kind, everyChild) {
      prepare(dimension, kind);
      const all = countDigits(everyChild, false);
      return advance > 0 ? all - countDigits(everyChild, true) : all;
    },
  };
}

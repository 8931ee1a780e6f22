import { type RejectionRecord, reject } from "../analysis/check.js";
import type { MappingCode } from "../analysis/code.js";
import type { Tables } from "../analysis/tables.js";

// The loops over each dimension, outermost first, as the digits of a number: an element x of the dimension is the sum
// of digit · stride over its loops. The bounds may cover more than the dimension: then the element numbers beyond it do
// not occur, and the last iterations are shorter. All that follows counts digits against those of the last element.

/** A mapping laid out along the dimensions. Reused between mappings. */
export interface Axes {
  readonly tables: Tables;
  /** Most loops that a dimension can have: a temporal and two spatial ones a level. Row length of the loop arrays. */
  readonly width: number;
  /** [dimension]: loops with a bound above 1. */
  readonly loops: Int32Array;
  /** The following are [dimension][loop], outermost first. */
  readonly level: Int32Array;
  readonly bound: Float64Array;
  /** Elements that one iteration moves on. */
  readonly stride: Float64Array;
  /** Digit of the dimension's last element. */
  readonly digit: Float64Array;
  /** Place of a temporal loop among all temporal loops, innermost first; −1 for spatial ones. */
  readonly order: Int32Array;
  /** [level][dimension], one level more than there are (the units): loops of outer levels, at the front of the list. */
  readonly outside: Int32Array;
  /** The same shape: elements that an instance covers in all its time, where the dimension does not end before. */
  readonly tile: Float64Array;
  /** [dimension]: 1 where the bounds multiply to the size. */
  readonly perfect: Uint8Array;
  /** Whether all are. */
  allPerfect: boolean;
  /** Temporal loops, innermost first: their dimension, bound and stride. */
  readonly temporalDimension: Int32Array;
  readonly temporalBound: Float64Array;
  readonly temporalStride: Float64Array;
  readonly temporalLevel: Int32Array;
  temporalCount: number;
  /** [level], and one more (past the outermost, all): temporal loops at and inside the level. */
  readonly firstTemporal: Int32Array;
  /** [level]: columns, rows and children in use under an instance, were there no remainders. */
  readonly usedX: Float64Array;
  readonly usedY: Float64Array;
  readonly used: Float64Array;
  /** [level], and last the units: instances that ever have work. */
  readonly instances: Float64Array;
  /** Cycles of the units: iterations of the temporal loops of the first unit, which has most. */
  cycles: number;
}

export function createAxes(tables: Tables): Axes {
  const { levelCount, dimensionCount } = tables;
  const width = 3 * levelCount;
  const cells = dimensionCount * width;
  const rows = (levelCount + 1) * dimensionCount;
  return {
    tables,
    width,
    loops: new Int32Array(dimensionCount),
    level: new Int32Array(cells),
    bound: new Float64Array(cells),
    stride: new Float64Array(cells),
    digit: new Float64Array(cells),
    order: new Int32Array(cells),
    outside: new Int32Array(rows),
    tile: new Float64Array(rows),
    perfect: new Uint8Array(dimensionCount),
    allPerfect: true,
    temporalDimension: new Int32Array(levelCount * dimensionCount),
    temporalBound: new Float64Array(levelCount * dimensionCount),
    temporalStride: new Float64Array(levelCount * dimensionCount),
    temporalLevel: new Int32Array(levelCount * dimensionCount),
    temporalCount: 0,
    firstTemporal: new Int32Array(levelCount + 1),
    usedX: new Float64Array(levelCount),
    usedY: new Float64Array(levelCount),
    used: new Float64Array(levelCount),
    instances: new Float64Array(levelCount + 1),
    cycles: 1,
  };
}

/** Lays a mapping out; false, with the reason, when its loops do not cover the layer as they should. Allocates nothing. */
export function layOutAxes(axes: Axes, code: MappingCode, rejection: RejectionRecord): boolean {
  layTiles(axes, code);
  for (let dimension = 0; dimension < axes.tables.dimensionCount; dimension++) {
    listLoops(axes, code, dimension);
    if (!checkCover(axes, dimension, rejection)) return false;
  }
  axes.allPerfect = axes.perfect.indexOf(0) < 0;
  orderTemporal(axes, code);
  countInstances(axes);
  return true;
}

/** Sizes of tiles and use of the fan-outs. */
function layTiles({ tables, tile, usedX, usedY, used }: Axes, code: MappingCode): void {
  const { levelCount, dimensionCount } = tables;
  tile.fill(1, levelCount * dimensionCount);
  for (let level = levelCount - 1; level >= 0; level--) {
    let x = 1;
    let y = 1;
    for (let cell = level * dimensionCount; cell < (level + 1) * dimensionCount; cell++) {
      const spatialX = code.spatialX[cell]!;
      const spatialY = code.spatialY[cell]!;
      x *= spatialX;
      y *= spatialY;
      tile[cell] = tile[cell + dimensionCount]! * spatialX * spatialY * code.temporal[cell]!;
    }
    usedX[level] = x;
    usedY[level] = y;
    used[level] = x * y;
  }
}

function listLoops(axes: Axes, code: MappingCode, dimension: number): void {
  const { tables, width, outside } = axes;
  const { levelCount, dimensionCount } = tables;
  let at = dimension * width;
  let rest = tables.sizes[dimension]! - 1;
  for (let level = 0; level < levelCount; level++) {
    const cell = level * dimensionCount + dimension;
    outside[cell] = at - dimension * width;
    const child = axes.tile[cell + dimensionCount]!;
    const x = code.spatialX[cell]!;
    const y = code.spatialY[cell]!;
    for (let kind = 0; kind < 3; kind++) {
      const bound = kind === 0 ? code.temporal[cell]! : kind === 1 ? y : x;
      if (bound === 1) continue;
      const stride = kind === 0 ? child * x * y : kind === 1 ? child * x : child;
      const digit = Math.floor(rest / stride);
      rest -= digit * stride;
      axes.level[at] = level;
      axes.bound[at] = bound;
      axes.stride[at] = stride;
      axes.digit[at] = digit;
      // Temporal loops get their place when all are known.
      axes.order[at] = kind === 0 ? 0 : -1;
      at++;
    }
  }
  axes.loops[dimension] = at - dimension * width;
  outside[levelCount * dimensionCount + dimension] = axes.loops[dimension]!;
}

/** Every loop must reach its last iteration somewhere, and the loops together the last element. */
function checkCover(axes: Axes, dimension: number, rejection: RejectionRecord): boolean {
  const covered = axes.tile[dimension]!;
  const size = axes.tables.sizes[dimension]!;
  axes.perfect[dimension] = covered === size ? 1 : 0;
  if (covered === size) return true;
  let fits = covered > size;
  const start = dimension * axes.width;
  for (let at = start; at < start + axes.loops[dimension]!; at++) {
    if ((axes.bound[at]! - 1) * axes.stride[at]! >= size) fits = false;
  }
  return fits || reject(rejection, "factors", -1, -1, dimension, covered, size);
}

function orderTemporal(axes: Axes, code: MappingCode): void {
  const { tables, width, order, level: levels, outside } = axes;
  const { levelCount, dimensionCount } = tables;
  let count = 0;
  for (let level = levelCount - 1; level >= 0; level--) {
    axes.firstTemporal[level] = count;
    const start = level * dimensionCount;
    for (let position = dimensionCount - 1; position >= 0; position--) {
      const dimension = code.temporalOrder[start + position]!;
      const bound = code.temporal[start + dimension]!;
      if (bound === 1) continue;
      // The first of the level's loops over this dimension.
      const at = dimension * width + outside[start + dimension]!;
      order[at] = count;
      axes.temporalDimension[count] = dimension;
      axes.temporalBound[count] = bound;
      axes.temporalStride[count] = axes.stride[at]!;
      axes.temporalLevel[count] = levels[at]!;
      count++;
    }
  }
  axes.temporalCount = count;
}

/** Instances of each level that have work at the first iteration, and the iterations of the first unit. */
function countInstances(axes: Axes): void {
  const { tables, instances, loops, order, level: levels, bound, digit, width } = axes;
  const { levelCount, dimensionCount } = tables;
  if (axes.allPerfect) {
    let count = 1;
    for (let level = 0; level < levelCount; level++) {
      instances[level] = count;
      count *= axes.used[level]!;
    }
    instances[levelCount] = count;
    let cycles = 1;
    for (let loop = 0; loop < axes.temporalCount; loop++) cycles *= axes.temporalBound[loop]!;
    axes.cycles = cycles;
    return;
  }
  instances.fill(1);
  axes.cycles = 1;
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    const start = dimension * width;
    const end = start + loops[dimension]!;
    let below = 0;
    let last = 1;
    let cyclesBelow = 0;
    let cyclesLast = 1;
    let level = 0;
    for (let at = start; at <= end; at++) {
      const until = at === end ? levelCount : levels[at]!;
      // Loops of outer levels number the instances.
      for (; level < until; level++) instances[level + 1] = instances[level + 1]! * (below + last);
      if (at === end) break;
      const free = bound[at]!;
      const edge = digit[at]!;
      if (order[at]! >= 0) {
        cyclesBelow = cyclesBelow * free + cyclesLast * edge;
        if (edge > 0) {
          below += last;
          last = 0;
        }
      } else {
        below = below * free + last * edge;
        if (edge > 0) {
          cyclesBelow += cyclesLast;
          cyclesLast = 0;
        }
      }
    }
    axes.cycles *= cyclesBelow + cyclesLast;
  }
}

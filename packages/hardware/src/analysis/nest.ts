import type { MappingCode } from "./code.js";
import type { Tables } from "./tables.js";

/** A mapping laid out for counting: tile sizes at every level, and all temporal loops in one list. Reused between mappings. */
export interface Nest {
  /** [level][dimension]: what one child of the level covers. */
  readonly childSize: Float64Array;
  /** [level][dimension]: what all children of one instance cover together. */
  readonly unionSize: Float64Array;
  /** [level][dimension]: what one instance covers in all its time. */
  readonly tileSize: Float64Array;
  /** Children in use under one instance of each level. */
  readonly usedX: Float64Array;
  readonly usedY: Float64Array;
  readonly used: Float64Array;
  /** Instances of each level in use in the whole chip. */
  readonly instances: Float64Array;
  /** Temporal loops with a bound above 1, innermost first over all levels. */
  readonly loopDimension: Uint8Array;
  readonly loopBound: Float64Array;
  /** Elements of its dimension by which one iteration moves on. */
  readonly loopStride: Float64Array;
  /** First loop of each level in that list; the loops outside a level's children start here. */
  readonly firstLoop: Int32Array;
  loopCount: number;
  /** Temporal iterations of the whole nest. */
  iterations: number;
  /** Compute units in use. */
  units: number;
}

export function createNest(tables: Tables): Nest {
  const { levelCount, dimensionCount } = tables;
  const cells = levelCount * dimensionCount;
  return {
    childSize: new Float64Array(cells),
    unionSize: new Float64Array(cells),
    tileSize: new Float64Array(cells),
    usedX: new Float64Array(levelCount),
    usedY: new Float64Array(levelCount),
    used: new Float64Array(levelCount),
    instances: new Float64Array(levelCount),
    loopDimension: new Uint8Array(cells),
    loopBound: new Float64Array(cells),
    loopStride: new Float64Array(cells),
    firstLoop: new Int32Array(levelCount),
    loopCount: 0,
    iterations: 1,
    units: 1,
  };
}

/** Lays a mapping out. Allocates nothing. */
export function layOut(nest: Nest, tables: Tables, code: MappingCode): void {
  const { levelCount, dimensionCount } = tables;
  const { childSize, unionSize, tileSize, usedX, usedY, used, instances } = nest;
  let loopCount = 0;
  let iterations = 1;
  for (let level = levelCount - 1; level >= 0; level--) {
    const start = level * dimensionCount;
    let x = 1;
    let y = 1;
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      const cell = start + dimension;
      const child = level === levelCount - 1 ? 1 : tileSize[cell + dimensionCount]!;
      const spatialX = code.spatialX[cell]!;
      const spatialY = code.spatialY[cell]!;
      x *= spatialX;
      y *= spatialY;
      childSize[cell] = child;
      unionSize[cell] = child * spatialX * spatialY;
      tileSize[cell] = child * spatialX * spatialY * code.temporal[cell]!;
    }
    usedX[level] = x;
    usedY[level] = y;
    used[level] = x * y;
    nest.firstLoop[level] = loopCount;
    for (let position = dimensionCount - 1; position >= 0; position--) {
      const dimension = code.temporalOrder[start + position]!;
      const bound = code.temporal[start + dimension]!;
      if (bound === 1) continue;
      nest.loopDimension[loopCount] = dimension;
      nest.loopBound[loopCount] = bound;
      nest.loopStride[loopCount] = unionSize[start + dimension]!;
      iterations *= bound;
      loopCount++;
    }
  }
  let count = 1;
  for (let level = 0; level < levelCount; level++) {
    instances[level] = count;
    count *= used[level]!;
  }
  nest.loopCount = loopCount;
  nest.iterations = iterations;
  nest.units = count;
}

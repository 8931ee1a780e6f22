import type { Architecture } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";

// A mapped layer as a machine: where every instance of every level stands, and which temporal loops there are.
// Positions and sizes are vectors, one number a dimension of the problem. Level `levels` (one past the innermost) are
// the compute units.

/** One number per dimension. */
export type Vector = readonly number[];

/** A temporal loop; its iterations are `stride` elements of its dimension apart. */
export interface TemporalLoop {
  readonly level: number;
  readonly dimension: number;
  readonly bound: number;
  readonly stride: number;
}

export interface Machine {
  readonly sizes: Vector;
  readonly levelCount: number;
  /** Outermost first. */
  readonly temporal: readonly TemporalLoop[];
  /** [level]: positions of all instances relative to the first; those under one parent follow each other. */
  readonly instances: readonly (readonly Vector[])[];
  /** [level]: elements that one instance covers in all its time, where the layer does not end before. */
  readonly tile: readonly Vector[];
  /** [level]: instances of the next level under one of this. */
  readonly children: readonly number[];
}

/** The loops of a mapping document with their strides, and the instances that its spatial loops number. */
export function createMachine(problem: Problem, architecture: Architecture, mapping: Mapping): Machine {
  const names = Object.keys(problem.dimensions);
  const levelCount = architecture.levels.length;
  const covered = names.map(() => 1);
  const tile: Vector[] = [[...covered]];
  const temporal: TemporalLoop[] = [];
  const offsets: Vector[][] = [];
  for (let level = levelCount - 1; level >= 0; level--) {
    const { temporal: steps, spatialX, spatialY } = mapping.levels[level]!;
    // Slowest first in the document; a loop's stride is what the loops inside it cover.
    const spatial = [...spatialY, ...spatialX].reverse().map(({ dimension, bound }) => {
      const index = names.indexOf(dimension);
      const stride = covered[index]!;
      covered[index] = stride * bound;
      return { index, bound, stride };
    });
    offsets[level] = spatial.reduceRight<Vector[]>(
      (positions, { index, bound, stride }) =>
        positions.flatMap((position) =>
          Array.from({ length: bound }, (_, step) => position.with(index, position[index]! + step * stride)),
        ),
      [names.map(() => 0)],
    );
    for (const { dimension, bound } of [...steps].reverse()) {
      const index = names.indexOf(dimension);
      temporal.unshift({ level, dimension: index, bound, stride: covered[index]! });
      covered[index] = covered[index]! * bound;
    }
    tile.unshift([...covered]);
  }
  const instances: Vector[][] = [[names.map(() => 0)]];
  for (let level = 0; level < levelCount; level++) {
    instances.push(
      instances[level]!.flatMap((parent) =>
        offsets[level]!.map((offset) => parent.map((value, index) => value + offset[index]!)),
      ),
    );
  }
  return {
    sizes: Object.values(problem.dimensions),
    levelCount,
    temporal,
    instances,
    tile,
    children: offsets.map((list) => list.length),
  };
}

/** Number of the instance of `outer` above instance `index` of `inner`. */
export function ancestor(machine: Machine, inner: number, index: number, outer: number): number {
  let fanout = 1;
  for (let level = outer; level < inner; level++) fanout *= machine.children[level]!;
  return Math.floor(index / fanout);
}

/** The iterations of the temporal loops in order, those that lie beyond the layer left out: an index per loop. */
export function* iterate(machine: Machine): Generator<readonly number[]> {
  const { temporal, sizes } = machine;
  const indices = temporal.map(() => 0);
  const positions = sizes.map(() => 0);
  function* from(at: number): Generator<readonly number[]> {
    const loop = temporal[at];
    if (loop === undefined) {
      yield indices;
      return;
    }
    const start = positions[loop.dimension]!;
    for (let index = 0; index < loop.bound && start + index * loop.stride < sizes[loop.dimension]!; index++) {
      indices[at] = index;
      positions[loop.dimension] = start + index * loop.stride;
      yield* from(at + 1);
    }
    positions[loop.dimension] = start;
  }
  yield* from(0);
}

/** Where the loops outside a level stand: the position of its first instance. */
export function positionAt(machine: Machine, indices: readonly number[], level: number): number[] {
  const position = machine.sizes.map(() => 0);
  machine.temporal.forEach((loop, at) => {
    if (loop.level < level) position[loop.dimension] = position[loop.dimension]! + indices[at]! * loop.stride;
  });
  return position;
}

/** A box of elements: what an instance works on while the loops outside it stand still. Empty when a size is 0 or less. */
export interface Box {
  readonly low: Vector;
  readonly size: Vector;
}

/** The part of the layer that an instance covers at a position of the loops outside it. */
export function boxOf(machine: Machine, level: number, position: Vector, instance: Vector): Box {
  const low = position.map((value, index) => value + instance[index]!);
  const tile = machine.tile[level]!;
  return { low, size: low.map((value, index) => Math.min(tile[index]!, machine.sizes[index]! - value)) };
}

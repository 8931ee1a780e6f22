import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Architecture } from "../architecture/architecture.js";
import type { Loop, Mapping, MappingLevel } from "../mapping/mapping.js";
import { type DataSpace, macCount, type Problem } from "../workload/problem.js";
import { type AnalysisOptions, prepareAnalysis } from "./analysis.js";
import { encodeMapping } from "./code.js";
import type { AccessCounts } from "./counts.js";
import { deriveTraffic } from "./derivation.js";
import type { Halo } from "./walk.js";

// The closed forms against a walker that visits every step and compares sets of points, written from the rules alone.

const dimensions = ["N", "C", "M", "P", "R", "Q", "S"];

interface Sample {
  readonly problem: Problem;
  readonly architecture: Architecture;
  readonly mapping: Mapping;
}

/** Few dimensions make loops move along the same rank again and again; many make long nests. */
const choices = [dimensions, ["P", "R", "C"], ["P", "R"], ["M", "P", "C"]];

const loopList = (names: readonly string[], bounds: readonly number[], most: number) =>
  fc.uniqueArray(fc.record({ dimension: fc.constantFrom(...names), bound: fc.constantFrom(...bounds) }), {
    selector: (loop) => loop.dimension,
    maxLength: most,
  });

const levelArbitrary = (names: readonly string[]) =>
  fc.record({
    keep: fc.subarray(["Weights", "Inputs", "Outputs"]),
    temporal: loopList(names, [2, 2, 3, 4], 3),
    spatialY: loopList(names, [2, 3], 1),
    spatialX: loopList(names, [2, 3], 2),
    spareX: fc.nat({ max: 2 }),
  });

const samples: fc.Arbitrary<Sample> = fc
  .record({
    levels: fc
      .constantFrom(...choices)
      .chain((names) => fc.array(levelArbitrary(names), { minLength: 1, maxLength: 4, size: "max" })),
    coefficients: fc.record({ stride: fc.constantFrom(1, 1, 2, 3), dilation: fc.constantFrom(1, 1, 2) }),
  })
  .map(({ levels, coefficients }) => makeSample(levels, coefficients))
  .filter(({ problem }) => macCount(problem) <= 5000);

function makeSample(
  levels: readonly (Omit<MappingLevel, "level"> & { spareX: number })[],
  { stride, dilation }: { stride: number; dilation: number },
): Sample {
  const all = levels.flatMap((level) => [...level.temporal, ...level.spatialX, ...level.spatialY]);
  const sizes = dimensions.map((name) => product(all.filter((loop) => loop.dimension === name)));
  const rank = (...terms: [string, number][]) => terms.map(([dimension, coefficient]) => ({ dimension, coefficient }));
  const space = (name: string, projection: DataSpace["projection"]): DataSpace => ({
    name,
    readWrite: name === "Outputs",
    bitWidth: 8,
    projection,
  });
  return {
    problem: {
      name: "sample",
      dimensions: Object.fromEntries(dimensions.map((name, index) => [name, sizes[index]!])),
      dataSpaces: [
        space("Weights", [rank(["C", 1]), rank(["M", 1]), rank(["R", 1]), rank(["S", 1])]),
        space("Inputs", [
          rank(["N", 1]),
          rank(["C", 1]),
          rank(["R", dilation], ["P", stride]),
          rank(["S", 1], ["Q", 1]),
        ]),
        space("Outputs", [rank(["N", 1]), rank(["M", 1]), rank(["P", 1]), rank(["Q", 1])]),
      ],
    },
    architecture: {
      name: "sample",
      levels: levels.map((level, index) => ({
        name: `L${index}`,
        storage: { widthBits: 8, readPj: 1, writePj: 1 },
        fanout: { x: product(level.spatialX) + level.spareX, y: product(level.spatialY), neighbourLinks: true },
      })),
      compute: { name: "mac", energyPj: 1 },
    },
    mapping: {
      levels: levels.map(({ spareX: _, ...level }, index) => ({
        ...level,
        level: `L${index}`,
        keep: index === 0 ? ["Weights", "Inputs", "Outputs"] : level.keep,
      })),
    },
  };
}

function product(loops: readonly Loop[]): number {
  return loops.reduce((result, loop) => result * loop.bound, 1);
}

/** A loop with what one of its iterations moves in its dimension. */
interface Moving extends Loop {
  readonly stride: number;
}

/** All loops of the mapping with strides; temporal, spatial Y and spatial X of each level, outermost first. */
function strided(mapping: Mapping): { temporal: Moving[]; spatial: Moving[] }[] {
  const inside = new Map<string, number>();
  const take = (loops: readonly Loop[]): Moving[] =>
    loops
      .toReversed()
      .map((loop) => {
        const stride = inside.get(loop.dimension) ?? 1;
        inside.set(loop.dimension, stride * loop.bound);
        return { ...loop, stride };
      })
      .toReversed();
  return mapping.levels
    .toReversed()
    .map((level) => {
      const x = take(level.spatialX);
      const y = take(level.spatialY);
      return { spatial: [...y, ...x], temporal: take(level.temporal) };
    })
    .toReversed();
}

type Point = readonly number[];

/** Points of a box of the given extents at a position. */
function boxAt(position: Point, extents: Point): Set<string> {
  let points: number[][] = [[]];
  position.forEach((start, rank) => {
    points = points.flatMap((point) => Array.from({ length: extents[rank]! }, (_, index) => [...point, start + index]));
  });
  return new Set(points.map((point) => point.join()));
}

function extentsOf(space: DataSpace, loops: readonly Moving[]): number[] {
  return space.projection.map((rank) =>
    rank.reduce((extent, term) => {
      const size = product(loops.filter((loop) => loop.dimension === term.dimension));
      return extent + term.coefficient * (size - 1);
    }, 1),
  );
}

function motion(space: DataSpace, loop: Moving): number[] {
  return space.projection.map((rank) =>
    rank.reduce((sum, term) => sum + (term.dimension === loop.dimension ? term.coefficient * loop.stride : 0), 0),
  );
}

function plus(a: Point, b: Point, times = 1): number[] {
  return a.map((value, index) => value + times * b[index]!);
}

/** Offsets of the children, X fastest. */
function childOffsets(space: DataSpace, loops: readonly Moving[]): number[][] {
  let offsets = [space.projection.map(() => 0)];
  for (const loop of loops) {
    offsets = offsets.flatMap((offset) =>
      Array.from({ length: loop.bound }, (_, index) => plus(offset, motion(space, loop), index)),
    );
  }
  return offsets;
}

interface Traffic {
  accesses: number;
  deliveries: number;
  links: number;
}

/** Iterations of the loops in order: all with weight 1, or 0 and 1 of each, the latter standing for all later ones. */
function iterations(loops: readonly Moving[], halo: Halo): { indices: number[]; weight: number }[] {
  let list = [{ indices: [] as number[], weight: 1 }];
  for (const { bound } of loops) {
    const visited = halo === "timeloop-default" ? 2 : bound;
    list = list.flatMap(({ indices, weight }) =>
      Array.from({ length: visited }, (_, index) => ({
        indices: [...indices, index],
        weight: visited < bound && index === 1 ? weight * (bound - 1) : weight,
      })),
    );
  }
  return list;
}

/** Every step of the tile of one child and of its siblings, with sets of points. */
function walk(sample: Sample, space: DataSpace, level: number, useLinks: boolean, halo: Halo): Traffic {
  const nest = strided(sample.mapping);
  const innermost = level === nest.length - 1;
  const extents = extentsOf(
    space,
    nest.slice(level + 1).flatMap((entry) => [...entry.temporal, ...entry.spatial]),
  );
  const temporal = nest.slice(0, level + 1).flatMap((entry) => entry.temporal);
  const offsets = childOffsets(space, nest[level]!.spatial);
  const columns = sample.architecture.levels[level]!.fanout!.x;
  const traffic = { accesses: 0, deliveries: 0, links: 0 };
  let before: number[] | undefined;
  let direction: string | undefined;
  let deltasBefore: string[] = [];
  for (const { indices, weight } of iterations(temporal, halo)) {
    let position = space.projection.map(() => 0);
    indices.forEach((index, at) => {
      position = plus(position, motion(space, temporal[at]!), index);
    });
    const shift = before && plus(position, before, -1);
    const from = before;
    let reused: number[] | undefined;
    let empty = false;
    if (!innermost && shift) {
      if (shift.every((value) => value === 0)) empty = true;
      else if (halo === "exact" || direction === undefined || direction === shift.join()) {
        direction = shift.join();
        reused = from;
      } else direction = undefined;
    }
    before = position;
    const deltas = offsets.map((offset) => {
      if (empty) return [];
      const now = boxAt(plus(position, offset), extents);
      const had = reused ? boxAt(plus(reused, offset), extents) : new Set<string>();
      return [...now].filter((point) => !had.has(point));
    });
    const words = deltas[0]!.length;
    const keys = deltas.map((delta) => delta.toSorted().join(" "));
    const served = keys.map((key, child) => {
      if (!useLinks || key === "") return false;
      const column = child % columns;
      const neighbours = [child - columns, child + columns];
      if (column > 0) neighbours.push(child - 1);
      if (column < columns - 1) neighbours.push(child + 1);
      return neighbours.some((neighbour) => deltasBefore[neighbour] === key);
    });
    const classes = new Set(keys).size;
    const left = keys.filter((_, child) => !served[child]);
    const linked = offsets.length > 1 && new Set(left).size < classes;
    const alone = linked ? left : keys;
    if (words > 0) {
      traffic.accesses += words * weight * new Set(alone).size;
      traffic.deliveries += words * weight * alone.length;
      traffic.links += words * weight * (keys.length - alone.length);
    }
    deltasBefore = keys;
  }
  return traffic;
}

/** The counters from the traffic, as section 3.5 of the specification words them. */
function expectedCounts(sample: Sample, space: DataSpace, options: AnalysisOptions) {
  const { halo = "timeloop-default", neighbourLinks = true, elideFirstReads = true } = options;
  const { levels } = sample.mapping;
  const nest = strided(sample.mapping);
  const fanout = nest.map((entry) => product(entry.spatial));
  const instances = nest.map((_, level) => fanout.slice(0, level).reduce((a, b) => a * b, 1));
  const traffic = levels.map((_, level) => walk(sample, space, level, neighbourLinks, halo));
  const share = levels.map((_, level) => (level === 0 ? 0 : traffic[level - 1]!.deliveries / fanout[level - 1]!));
  const volume = (loops: readonly Moving[]): number => extentsOf(space, loops).reduce((a, b) => a * b, 1);
  const tile = nest.map((_, level) =>
    volume(nest.slice(level).flatMap((entry) => [...entry.temporal, ...entry.spatial])),
  );
  const partition: number[] = [];
  for (const [level, words] of tile.entries()) {
    if (level === 0) partition.push(words);
    else {
      const below = nest.slice(level).flatMap((entry) => [...entry.temporal, ...entry.spatial]);
      partition.push(Math.floor((partition[level - 1]! * words) / volume([...nest[level - 1]!.spatial, ...below])));
    }
  }
  for (let level = levels.length - 1; level > 0; level--) {
    if (levels[level]!.keep.includes(space.name)) continue;
    const outer = traffic[level - 1]!;
    const factor = (traffic[level]!.accesses * fanout[level - 1]!) / outer.deliveries;
    outer.accesses *= factor;
    outer.deliveries *= factor;
    outer.links = 0;
  }
  return levels.map((level, index) => {
    if (!level.keep.includes(space.name)) return { reads: 0, fills: 0, updates: 0 };
    const peer = index === 0 ? 0 : traffic[index - 1]!.links / instances[index]!;
    const elided = space.readWrite && elideFirstReads ? partition[index]! : 0;
    const { accesses } = traffic[index]!;
    const fills = index === 0 ? peer : share[index]! + peer - elided;
    return {
      reads: Math.round(Math.max(0, accesses + peer - elided)),
      fills: space.readWrite ? Math.round(Math.max(0, fills)) : Math.floor(fills + 1e-9),
      updates: space.readWrite ? Math.round(accesses) : 0,
    };
  });
}

function countsOf({ problem, architecture, mapping }: Sample, options: AnalysisOptions = {}): AccessCounts {
  const analysis = prepareAnalysis(problem, architecture, options);
  if (!analysis.run(encodeMapping(analysis.tables, mapping))) throw new Error(analysis.rejection.reason);
  return analysis.counts;
}

const runs = { numRuns: 150, endOnFailure: false };

describe("access counts", () => {
  it.each([
    { halo: "timeloop-default", neighbourLinks: false },
    { halo: "timeloop-default", neighbourLinks: true },
    { halo: "timeloop-full", neighbourLinks: true },
    { halo: "exact", neighbourLinks: true },
  ] as const)("agree with walking every step, halo $halo, links $neighbourLinks", (chosen) => {
    fc.assert(
      fc.property(samples, fc.boolean(), (sample, elideFirstReads) => {
        const options = { ...chosen, elideFirstReads };
        const counts = countsOf(sample, options);
        sample.problem.dataSpaces.forEach((space, index) => {
          const found = sample.mapping.levels.map((_, level) => {
            const cell = level * 3 + index;
            return { reads: counts.reads[cell], fills: counts.fills[cell], updates: counts.updates[cell] };
          });
          expect([space.name, found]).toEqual([space.name, expectedCounts(sample, space, options)]);
        });
      }),
      runs,
    );
  });

  it("are derived loop by loop", () => {
    fc.assert(
      fc.property(samples, fc.constantFrom("timeloop-default", "exact"), (sample, halo: Halo) => {
        const { problem, architecture, mapping } = sample;
        const counts = countsOf(sample, { neighbourLinks: false, halo });
        architecture.levels.forEach(({ name: level }, index) => {
          problem.dataSpaces.forEach(({ name: dataSpace }, space) => {
            const derivation = deriveTraffic(problem, architecture, mapping, { level, dataSpace, halo });
            const { wordsPerChild, children, classes, accesses } = derivation;
            const cell = index * 3 + space;
            expect(wordsPerChild * children).toBe(counts.deliveries[cell]);
            expect(accesses).toBe(wordsPerChild * classes);
            if (dataSpace === "Outputs")
              expect(counts.spatialReductions[cell]).toBe(wordsPerChild * children - accesses);
          });
        });
      }),
      runs,
    );
  });

  it("do not change when loops of bound 1 are added", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const padded = (loops: readonly Loop[]): Loop[] => [
          ...dimensions
            .filter((name) => !loops.some((loop) => loop.dimension === name))
            .map((dimension) => ({ dimension, bound: 1 })),
          ...loops,
        ];
        const levels = sample.mapping.levels.map((level) => ({
          ...level,
          temporal: padded(level.temporal),
          spatialX: padded(level.spatialX),
          spatialY: padded(level.spatialY),
        }));
        expect(countsOf({ ...sample, mapping: { levels } })).toEqual(countsOf(sample));
      }),
      runs,
    );
  });

  it("conserve multiply-accumulates", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const counts = countsOf(sample);
        expect(counts.computes).toBe(macCount(sample.problem));
        expect(counts.units * counts.computeCycles).toBe(counts.computes);
      }),
      runs,
    );
  });

  it("write every result and read it back once less at the outermost level", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const counts = countsOf(sample, { neighbourLinks: false });
        const outputs = 2;
        const words = counts.tile[outputs]!;
        expect(counts.updates[outputs]).toBeGreaterThanOrEqual(words);
        expect(counts.reads[outputs]).toBe(counts.updates[outputs]! - words);
        expect(counts.fills[outputs]).toBe(0);
        expect(counts.temporalReductions[outputs]).toBe(counts.reads[outputs]);
      }),
      runs,
    );
  });

  it("merge what is not delivered one by one", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const counts = countsOf(sample, { neighbourLinks: false });
        const outputs = 2;
        // Additions in the memories and on the way up make up all but the first of each sum.
        let additions = 0;
        sample.mapping.levels.forEach((_, level) => {
          const cell = level * 3 + outputs;
          additions += counts.instances[level]! * (counts.temporalReductions[cell]! + counts.spatialReductions[cell]!);
        });
        const kept = sample.mapping.levels.every((level) => level.keep.includes("Outputs"));
        const fills = sample.mapping.levels.reduce(
          (sum, _, level) => sum + counts.instances[level]! * counts.fills[level * 3 + outputs]!,
          0,
        );
        if (kept) expect(additions - fills).toBe(counts.computes - counts.tile[outputs]!);
      }),
      runs,
    );
  });
});

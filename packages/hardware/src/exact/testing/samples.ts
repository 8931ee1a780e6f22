import fc from "fast-check";
import type { Architecture, Multicast, Storage } from "../../architecture/architecture.js";
import type { Loop, Mapping } from "../../mapping/mapping.js";
import { type DataSpace, macCount, type Problem } from "../../workload/problem.js";

// Random small layers on random small machines under random mappings, remainders included.

export interface Sample {
  readonly problem: Problem;
  readonly architecture: Architecture;
  readonly mapping: Mapping;
}

const tensors = ["Weights", "Inputs", "Outputs"];

/** Which dimensions there are decides how often loops meet along one rank. */
const nests = [
  ["N", "C", "M", "P", "R", "Q", "S"],
  ["G", "N", "M", "C", "P", "R"],
  ["G", "M", "C", "P"],
  // Depth-wise.
  ["G", "P", "R", "Q", "S"],
  ["P", "R", "C"],
  ["P", "R"],
  ["M", "P", "C"],
];

export interface SampleOptions {
  readonly macLimit?: number | undefined;
  /** Whether bounds may cover more than a dimension. Default true. */
  readonly remainders?: boolean | undefined;
}

export function samples({ macLimit = 400, remainders = true }: SampleOptions = {}): fc.Arbitrary<Sample> {
  return fc.constantFrom(...nests).chain((names) =>
    fc
      .record({
        levels: fc.array(levels(names), { minLength: 1, maxLength: 4, size: "max" }),
        shortened: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        coefficients: fc.record({
          strideP: fc.constantFrom(1, 1, 2, 3, 4),
          strideQ: fc.constantFrom(1, 2, 3),
          dilationR: fc.constantFrom(1, 1, 2, 3),
          dilationS: fc.constantFrom(1, 2),
        }),
      })
      .map(({ levels: drawn, shortened, coefficients }) =>
        makeSample(names, drawn, remainders ? shortened : [], coefficients),
      )
      .filter(({ problem }) => macCount(problem) <= macLimit),
  );
}

const multicasts: readonly Multicast[] = ["none", "tiles", "fragments"];

type DrawnLevel = Parameters<typeof makeSample>[1][number];

const rate = (): fc.Arbitrary<number | undefined> => fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined });

const loopList = (names: readonly string[], bounds: readonly number[], most: number): fc.Arbitrary<Loop[]> =>
  fc.uniqueArray(fc.record({ dimension: fc.constantFrom(...names), bound: fc.constantFrom(...bounds) }), {
    selector: (loop) => loop.dimension,
    maxLength: most,
  });

const levels = (names: readonly string[]): fc.Arbitrary<DrawnLevel> =>
  fc.record({
    keep: fc.subarray(tensors),
    temporal: loopList(names, [2, 2, 3, 4], 3),
    spatialY: loopList(names, [2, 3], 1),
    spatialX: loopList(names, [2, 3, 4], 2),
    multicast: fc.constantFrom(undefined, ...multicasts),
    neighbourLinks: fc.boolean(),
    rates: fc.record({
      readBitsPerCycle: rate(),
      writeBitsPerCycle: rate(),
      sharedBitsPerCycle: rate(),
    }),
  });

function makeSample(
  names: readonly string[],
  drawn: readonly {
    readonly keep: readonly string[];
    readonly temporal: readonly Loop[];
    readonly spatialY: readonly Loop[];
    readonly spatialX: readonly Loop[];
    readonly multicast: Multicast | undefined;
    readonly neighbourLinks: boolean;
    readonly rates: Pick<Storage, "readBitsPerCycle" | "writeBitsPerCycle" | "sharedBitsPerCycle">;
  }[],
  shortened: readonly number[],
  { strideP, strideQ, dilationR, dilationS }: Record<"strideP" | "strideQ" | "dilationR" | "dilationS", number>,
): Sample {
  const all = drawn.flatMap((level) => [...level.temporal, ...level.spatialY, ...level.spatialX]);
  const dimensions = Object.fromEntries(
    names.map((name, index) => {
      const bounds = all.filter((loop) => loop.dimension === name).map(({ bound }) => bound);
      const covered = bounds.reduce((product, bound) => product * bound, 1);
      // The outermost loop must reach its last iteration.
      const fewest = covered - covered / (bounds[0] ?? 1) + 1;
      const part = shortened[index] ?? 1;
      return [name, part > 0.5 ? covered : fewest + Math.round((covered - fewest) * 2 * part)];
    }),
  );
  const rank = (...terms: (readonly [string, number])[]) =>
    terms.flatMap(([dimension, coefficient]) => (names.includes(dimension) ? [{ dimension, coefficient }] : []));
  const ranks = (...list: (readonly (readonly [string, number])[])[]) =>
    list.map((terms) => rank(...terms)).filter((terms) => terms.length > 0);
  const space = (name: string, projection: DataSpace["projection"]): DataSpace => ({
    name,
    readWrite: name === "Outputs",
    bitWidth: name === "Outputs" ? 16 : 8,
    projection,
  });
  return {
    problem: {
      name: "sample",
      dimensions,
      dataSpaces: [
        space("Weights", ranks([["G", 1]], [["M", 1]], [["C", 1]], [["R", 1]], [["S", 1]])),
        space(
          "Inputs",
          ranks(
            [["N", 1]],
            [["G", 1]],
            [["C", 1]],
            [
              ["P", strideP],
              ["R", dilationR],
            ],
            [
              ["Q", strideQ],
              ["S", dilationS],
            ],
          ),
        ),
        space("Outputs", ranks([["N", 1]], [["G", 1]], [["M", 1]], [["P", 1]], [["Q", 1]])),
      ],
    },
    architecture: {
      name: "sample",
      levels: drawn.map(({ multicast, neighbourLinks, rates, spatialX, spatialY }, index) => ({
        name: `L${index}`,
        storage: { widthBits: 8, readPj: 1, writePj: 1, ...rates },
        fanout: { x: product(spatialX), y: product(spatialY), neighbourLinks, multicast },
      })),
      compute: { name: "mac", energyPj: 1 },
    },
    mapping: {
      levels: drawn.map(({ keep, temporal, spatialY, spatialX }, index) => ({
        level: `L${index}`,
        keep: index === 0 ? [...new Set([...keep, ...missing(drawn)])] : keep,
        temporal,
        spatialY,
        spatialX,
      })),
    },
  };
}

/** Tensors that no level keeps. */
function missing(drawn: readonly { readonly keep: readonly string[] }[]): string[] {
  return tensors.filter((name) => !drawn.some(({ keep }) => keep.includes(name)));
}

function product(loops: readonly Loop[]): number {
  return loops.reduce((result, { bound }) => result * bound, 1);
}

/** Cases of a property test: few by default, as many as `DOVETAIL_CASES` says. */
export function caseCount(standard: number): number {
  return Number(process.env.DOVETAIL_CASES ?? standard);
}

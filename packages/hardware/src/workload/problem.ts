import * as z from "zod";
import { documentJsonSchema, type ReadOptions, readDocument, writeDocument } from "../documents/document.js";
import { dimensionNameSchema, nameSchema, positiveIntegerSchema } from "../documents/names.js";
import { type Density, densitySchema } from "../sparse/density.js";
import { formatRank, parseRank, type Rank } from "./projection.js";

// A problem is one layer as a loop nest: every point of the box of its dimensions is one multiply-accumulate.

/** A tensor that the loop nest reads, or reads and writes. */
export interface DataSpace {
  readonly name: string;
  /** True for the result, which is accumulated in place; false for what is only read. */
  readonly readWrite: boolean;
  /** How a point of the loop nest addresses the tensor; no rank at all is a scalar. */
  readonly projection: readonly Rank[];
  /** Bits of one word. */
  readonly bitWidth: number;
  /** How its non-zeros are spread; dense when absent. */
  readonly density?: Density | undefined;
}

/**
 * What a point of the loop nest does with its two operands before it accumulates:
 * - `multiply`: input · weight
 * - `shift`: the same where every weight is 0 or ±2^k, so that a shifter does it
 * - `add`: −|input − weight| (AdderNet)
 */
export const pointOperations = ["multiply", "shift", "add"] as const;
export type PointOperation = (typeof pointOperations)[number];

/** A layer: dimensions with their sizes, in order, and the tensors that they address. */
export interface Problem {
  readonly name: string;
  /** Of every point; `multiply` when absent. */
  readonly operation?: PointOperation | undefined;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly dataSpaces: readonly DataSpace[];
}

const rankSchema = z.codec(
  z.string(),
  z.array(z.object({ coefficient: positiveIntegerSchema, dimension: dimensionNameSchema })),
  {
    decode: (text, context) => {
      const rank = parseRank(text);
      if (rank !== undefined) return [...rank];
      context.issues.push({
        code: "custom",
        input: text,
        message: "expected a sum of dimensions with coefficients such as 2*P + R",
      });
      return z.NEVER;
    },
    encode: formatRank,
  },
);

const dataSpaceSchema = z.strictObject({
  name: nameSchema,
  readWrite: z.boolean().default(false),
  bitWidth: positiveIntegerSchema.default(8),
  projection: z.array(rankSchema),
  density: densitySchema.optional(),
});

/** Schema of the document; in the text a rank is written as `2*P + R`. */
export const problemSchema = z
  .strictObject({
    name: nameSchema,
    operation: z.enum(pointOperations).optional(),
    dimensions: z.record(dimensionNameSchema, positiveIntegerSchema),
    dataSpaces: z.array(dataSpaceSchema).min(1),
  })
  .superRefine((problem, context) => {
    const macs = macCount(problem);
    if (macs > Number.MAX_SAFE_INTEGER) {
      context.addIssue({
        code: "custom",
        path: ["dimensions"],
        message: "the layer is too large to be counted",
        params: { expected: `at most ${Number.MAX_SAFE_INTEGER} multiply-accumulates`, received: String(macs) },
      });
    }
    const seen = new Set<string>();
    problem.dataSpaces.forEach((dataSpace, index) => {
      if (seen.has(dataSpace.name)) {
        context.addIssue({
          code: "custom",
          path: ["dataSpaces", index, "name"],
          message: "this data space is declared twice",
          params: { received: dataSpace.name },
        });
      }
      seen.add(dataSpace.name);
      dataSpace.projection.forEach((rank, rankIndex) => {
        const names = rank.map((term) => term.dimension);
        const unknown = names.find((name) => !Object.hasOwn(problem.dimensions, name));
        const twice = names.find((name, at) => names.indexOf(name) !== at);
        if (unknown === undefined && twice === undefined) return;
        context.addIssue({
          code: "custom",
          path: ["dataSpaces", index, "projection", rankIndex],
          message: unknown === undefined ? "a dimension appears twice in one rank" : "unknown dimension",
          params:
            unknown === undefined
              ? { received: twice }
              : { expected: `one of ${Object.keys(problem.dimensions).join(", ")}`, received: unknown },
        });
      });
    });
  });

/**
 * Problem from YAML (or JSON) text.
 *
 * @throws DovetailError with line, column and field of everything that is wrong.
 */
export function readProblem(text: string, options: ReadOptions = {}): Problem {
  return readDocument<Problem>(problemSchema, text, options);
}

/** YAML text of a problem; `readProblem` gives the same problem back. */
export function writeProblem(problem: Problem): string {
  return writeDocument<Problem>(problemSchema, problem);
}

/** JSON Schema of the problem document. */
export function problemJsonSchema(): Record<string, unknown> {
  return documentJsonSchema(problemSchema, "Dovetail problem");
}

/** Multiply-accumulates of the whole layer: the product of all dimensions. */
export function macCount(problem: Problem): number {
  return Object.values(problem.dimensions).reduce((product, size) => product * size, 1);
}

/** Words of a data space: volume of the box that the whole loop nest addresses (with a stride beyond the kernel it counts the gaps). */
export function dataSpaceWords(problem: Problem, dataSpace: DataSpace): number {
  return dataSpace.projection.reduce((words, rank) => words * rankExtent(rank, problem.dimensions), 1);
}

/** Extent of a rank over a box of the given sizes: 1 + Σ coefficient·(size − 1). */
export function rankExtent(rank: Rank, sizes: Readonly<Record<string, number>>): number {
  return rank.reduce((extent, term) => extent + term.coefficient * (sizes[term.dimension]! - 1), 1);
}

/**
 * Key under which costs of a layer may be cached: equal for problems that cost the same under every mapping.
 * The name does not count, nor do dimensions of size 1 and what they contribute to the projections.
 */
export function shapeKey(problem: Problem): string {
  const dimensions = Object.entries(problem.dimensions).filter(([, size]) => size > 1);
  const spaces = problem.dataSpaces.map((dataSpace) => {
    const ranks = dataSpace.projection
      .map((rank) => formatRank(rank.filter((term) => problem.dimensions[term.dimension]! > 1)))
      .filter((rank) => rank !== "0");
    const density = dataSpace.density === undefined ? "" : JSON.stringify(dataSpace.density);
    return `${dataSpace.name}${dataSpace.readWrite ? "!" : ""}:${dataSpace.bitWidth}[${ranks.join(",")}]${density}`;
  });
  const { operation = "multiply" } = problem;
  const kind = operation === "multiply" ? "" : `;${operation}`;
  return `${dimensions.map(([name, size]) => `${name}${size}`).join("_")};${spaces.join(";")}${kind}`;
}

/** A few lines for people: the sizes, then every tensor with its projection, words and bits. */
export function printProblem(problem: Problem): string {
  const sizes = Object.entries(problem.dimensions).map(([name, size]) => `${name}=${size}`);
  const lines = problem.dataSpaces.map((dataSpace) => {
    const ranks = dataSpace.projection.map(formatRank).join(", ");
    const access = dataSpace.readWrite ? "read-write" : "read-only";
    return `  ${dataSpace.name}[${ranks}]  ${dataSpaceWords(problem, dataSpace)} words of ${dataSpace.bitWidth} bits, ${access}`;
  });
  const { operation = "multiply" } = problem;
  const points = { multiply: "MACs", shift: "shifts with addition", add: "additions of |x - w|" }[operation];
  return [`${problem.name}: ${sizes.join(" ")}  (${macCount(problem)} ${points})`, ...lines].join("\n");
}

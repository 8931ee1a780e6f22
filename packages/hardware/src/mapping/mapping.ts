import * as z from "zod";
import { documentJsonSchema, type ReadOptions, readDocument, writeDocument } from "../documents/document.js";
import { dimensionNameSchema, nameSchema, positiveIntegerSchema } from "../documents/names.js";

// A mapping says where each piece of the loop nest happens. Everything is written outermost first: levels, and the
// loops of a level (Timeloop's files list permutations innermost first; the importer turns them round).

/** `for dimension in 0..bound`. */
export interface Loop {
  readonly dimension: string;
  readonly bound: number;
}

/** The loops of one architecture level: temporal outside, then spatial over Y (rows), then spatial over X (columns). */
export interface MappingLevel {
  /** Name of the architecture level. */
  readonly level: string;
  /** Tensors that this level holds; the others pass by it. */
  readonly keep: readonly string[];
  /** Outermost first; a dimension at most once. */
  readonly temporal: readonly Loop[];
  /** Dealt over the rows of the level's fan-out, slowest first. */
  readonly spatialY: readonly Loop[];
  /** Dealt over the columns of the level's fan-out, slowest first. */
  readonly spatialX: readonly Loop[];
}

/**
 * A level for every level of the architecture, outermost first. A dimension's bounds multiply to its size, or beyond it:
 * then what lies beyond is not executed, and the last iterations are smaller (the model *exact* alone takes that). Every
 * loop must reach its last iteration somewhere.
 */
export interface Mapping {
  readonly levels: readonly MappingLevel[];
}

const loopPattern = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(\d+)\s*$/;

const loopSchema = z.codec(
  z.string().regex(loopPattern, "expected a loop such as P=8"),
  z.object({ dimension: dimensionNameSchema, bound: positiveIntegerSchema }),
  {
    decode: (text) => {
      const match = loopPattern.exec(text)!;
      return { dimension: match[1]!, bound: Number(match[2]) };
    },
    encode: (loop) => `${loop.dimension}=${loop.bound}`,
  },
);

const loopsSchema = z
  .array(loopSchema)
  .refine(
    (loops) => new Set(loops.map((loop) => loop.dimension)).size === loops.length,
    "a dimension has two loops in one list",
  )
  .default([]);

/** Schema of the document; in the text a loop is written as `P=8`. */
export const mappingSchema = z.strictObject({
  levels: z
    .array(
      z.strictObject({
        level: nameSchema,
        keep: z.array(nameSchema).default([]),
        temporal: loopsSchema,
        spatialY: loopsSchema,
        spatialX: loopsSchema,
      }),
    )
    .min(1)
    .superRefine((levels, context) => {
      levels.forEach((level, index) => {
        if (levels.findIndex((other) => other.level === level.level) === index) return;
        context.addIssue({
          code: "custom",
          path: [index, "level"],
          message: "this level appears twice",
          params: { received: level.level },
        });
      });
    }),
});

/**
 * Mapping from YAML (or JSON) text.
 *
 * @throws DovetailError with line, column and field of everything that is wrong.
 */
export function readMapping(text: string, options: ReadOptions = {}): Mapping {
  return readDocument<Mapping>(mappingSchema, text, options);
}

/** YAML text of a mapping; `readMapping` gives the same mapping back. */
export function writeMapping(mapping: Mapping): string {
  return writeDocument<Mapping>(mappingSchema, mapping);
}

/** JSON Schema of the mapping document. */
export function mappingJsonSchema(): Record<string, unknown> {
  return documentJsonSchema(mappingSchema, "Dovetail mapping");
}

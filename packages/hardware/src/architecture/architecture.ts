import * as z from "zod";
import { documentJsonSchema, type ReadOptions, readDocument, writeDocument } from "../documents/document.js";
import { nameSchema, nonNegativeSchema, positiveIntegerSchema, positiveSchema } from "../documents/names.js";
import {
  type ComputeSparsity,
  computeSparsitySchema,
  type LevelSparsity,
  levelSparsitySchema,
} from "../sparse/schema.js";
import { type Constraints, constraintsSchema } from "./constraints.js";

// An architecture is a chain of levels, outermost (DRAM) first, that ends in the multiply-accumulate units.
// A level has a memory, a fan-out to several instances of the next level, or both.

/** A memory. Sizes and bandwidths are per instance, energies per access of one row. */
export interface Storage {
  /** Rows; without it the memory is unbounded. Capacity in bits = entries · widthBits. */
  readonly entries?: number | undefined;
  /** Bits of one row, which one access reads or writes. */
  readonly widthBits: number;
  /** Width of a word in this memory whatever the tensor; without it a word is as wide as the tensor's words, and narrow words pack. */
  readonly wordBits?: number | undefined;
  /** Without a bandwidth the memory never holds anything up. */
  readonly readBitsPerCycle?: number | undefined;
  readonly writeBitsPerCycle?: number | undefined;
  /** Reads and writes together, for a memory with one port. */
  readonly sharedBitsPerCycle?: number | undefined;
  readonly readPj: number;
  readonly writePj: number;
  /** A write from below (of a partial sum); the same as `writePj` when absent. */
  readonly updatePj?: number | undefined;
  /** Leakage of one instance in one cycle. */
  readonly leakagePjPerCycle?: number | undefined;
  readonly areaUm2?: number | undefined;
  /** Instances that stand side by side and are served by one access (a wide memory seen as several narrow ones). */
  readonly clusterSize?: number | undefined;
}

/**
 * What the network of a fan-out does with words that several children want:
 * - `none`: each child is sent its own; the parent reads a word once for every child
 * - `tiles`: children that want the same tile are sent it together; tiles that overlap in part are read in full each
 * - `fragments`: every word is read once a step and sent to all children that want it
 *
 * Results are added up on their way to the parent in any case.
 */
export type Multicast = "none" | "tiles" | "fragments";

/** The array of instances of the next inner level (or of compute units) under one instance of this level. */
export interface Fanout {
  /** Columns. */
  readonly x: number;
  /** Rows. */
  readonly y: number;
  /** Whether neighbours in the array can pass words on to one another. */
  readonly neighbourLinks: boolean;
  /** Default `tiles`. The model *timeloop* knows no other. */
  readonly multicast?: Multicast | undefined;
}

export interface ArchitectureLevel {
  readonly name: string;
  /** Without storage the level is a mere fan-out and keeps nothing. */
  readonly storage?: Storage | undefined;
  /** Without a fan-out each instance has one child. */
  readonly fanout?: Fanout | undefined;
  /** How it represents tensors with zeros and which of their accesses it leaves out. */
  readonly sparse?: LevelSparsity | undefined;
}

/** The multiply-accumulate units, one at every leaf of the fan-outs. */
export interface Compute {
  readonly name: string;
  /** Of one multiply-accumulate. */
  readonly energyPj: number;
  /** Of a product with a power of two, accumulated (layers of the kind `shift`); a multiply-accumulate when absent. */
  readonly shiftPj?: number | undefined;
  /** Of −|input − weight|, accumulated (layers of the kind `add`); the units cannot do it when absent. */
  readonly addPj?: number | undefined;
  readonly leakagePjPerCycle?: number | undefined;
  readonly areaUm2?: number | undefined;
  /** What becomes of multiplications with zeros. */
  readonly sparse?: ComputeSparsity | undefined;
}

/**
 * An engine that rebuilds weights in SmartExchange's form (ISCA 2020) from coefficients and bases, one in every instance of
 * a memory. Weights come compressed through all levels outside of it. Of layers whose weights are not in the form it does
 * nothing.
 */
export interface WeightRebuild {
  /** The memory that holds rebuilt weights. It and those inside it must fix their word (`wordBits`) where they hold weights. */
  readonly into: string;
  /** Of a shift with addition: one for every coefficient that is not zero and every column. */
  readonly additionPj: number;
  /** Of one engine. */
  readonly additionsPerCycle: number;
  /** Memories that are not accessed for zero rows. */
  readonly skippingLevels: readonly string[];
}

export interface Architecture {
  readonly name: string;
  readonly technologyNm?: number | undefined;
  /** Turns cycles into time. */
  readonly clockMhz?: number | undefined;
  /** Outermost first. */
  readonly levels: readonly ArchitectureLevel[];
  readonly compute: Compute;
  /** `specialiseArchitecture` makes the architecture of a layer with compressed weights from it. */
  readonly rebuild?: WeightRebuild | undefined;
  /** What mappings may do here. */
  readonly constraints?: Constraints | undefined;
}

const storageSchema = z.strictObject({
  entries: positiveIntegerSchema.optional(),
  widthBits: positiveIntegerSchema,
  wordBits: positiveIntegerSchema.optional(),
  readBitsPerCycle: positiveSchema.optional(),
  writeBitsPerCycle: positiveSchema.optional(),
  sharedBitsPerCycle: positiveSchema.optional(),
  readPj: nonNegativeSchema,
  writePj: nonNegativeSchema,
  updatePj: nonNegativeSchema.optional(),
  leakagePjPerCycle: nonNegativeSchema.optional(),
  areaUm2: nonNegativeSchema.optional(),
  clusterSize: positiveIntegerSchema.optional(),
});

/** Of one instance: more than any chip has, and few enough to be told apart one by one. */
const MOST_CHILDREN = 2 ** 20;

/** A check of a schema: a fan-out may have so many children, and no more. */
export function limitFanout({ x, y }: Pick<Fanout, "x" | "y">, context: z.RefinementCtx): void {
  if (x * y <= MOST_CHILDREN) return;
  context.addIssue({
    code: "custom",
    message: "the fan-out is too large",
    params: { expected: `x · y at most ${MOST_CHILDREN}`, received: String(x * y) },
  });
}

const fanoutSchema = z
  .strictObject({
    x: positiveIntegerSchema.default(1),
    y: positiveIntegerSchema.default(1),
    neighbourLinks: z.boolean().default(true),
    multicast: z.enum(["none", "tiles", "fragments"]).optional(),
  })
  .superRefine(limitFanout);

const levelSchema = z.strictObject({
  name: nameSchema,
  storage: storageSchema.optional(),
  fanout: fanoutSchema.optional(),
  sparse: levelSparsitySchema.optional(),
});

const computeSchema = z.strictObject({
  name: nameSchema.default("mac"),
  energyPj: nonNegativeSchema,
  shiftPj: nonNegativeSchema.optional(),
  addPj: nonNegativeSchema.optional(),
  leakagePjPerCycle: nonNegativeSchema.optional(),
  areaUm2: nonNegativeSchema.optional(),
  sparse: computeSparsitySchema.optional(),
});

/** Schema of the document. */
export const architectureSchema = z
  .strictObject({
    name: nameSchema,
    technologyNm: positiveSchema.optional(),
    clockMhz: positiveSchema.optional(),
    levels: z.array(levelSchema).min(1),
    compute: computeSchema,
    rebuild: z
      .strictObject({
        into: nameSchema,
        additionPj: nonNegativeSchema,
        additionsPerCycle: positiveSchema,
        skippingLevels: z.array(nameSchema).default([]),
      })
      .optional(),
    constraints: constraintsSchema.optional(),
  })
  .superRefine((architecture, context) => {
    const names = architecture.levels.map((level) => level.name);
    names.forEach((name, index) => {
      if (names.indexOf(name) === index && name !== architecture.compute.name) return;
      context.addIssue({
        code: "custom",
        path: ["levels", index, "name"],
        message: "this name is taken",
        params: { received: name },
      });
    });
    if (architecture.levels[0]?.storage === undefined) {
      context.addIssue({
        code: "custom",
        path: ["levels", 0],
        message: "the outermost level must have storage: it holds the tensors",
      });
    }
    const { rebuild } = architecture;
    const memories = architecture.levels.filter(({ storage }) => storage !== undefined).map(({ name }) => name);
    const named =
      rebuild === undefined
        ? []
        : [["into", rebuild.into] as const, ...rebuild.skippingLevels.map((name) => ["skippingLevels", name] as const)];
    for (const [field, name] of named) {
      if (memories.includes(name)) continue;
      context.addIssue({
        code: "custom",
        path: ["rebuild", field],
        message: "unknown memory",
        params: { expected: `one of ${memories.join(", ")}`, received: name },
      });
    }
    (architecture.constraints?.levels ?? []).forEach((constraint, index) => {
      if (names.includes(constraint.level)) return;
      context.addIssue({
        code: "custom",
        path: ["constraints", "levels", index, "level"],
        message: "unknown level",
        params: { expected: `one of ${names.join(", ")}`, received: constraint.level },
      });
    });
  });

/**
 * Architecture from YAML (or JSON) text.
 *
 * @throws DovetailError with line, column and field of everything that is wrong.
 */
export function readArchitecture(text: string, options: ReadOptions = {}): Architecture {
  return readDocument<Architecture>(architectureSchema, text, options);
}

/** YAML text of an architecture; `readArchitecture` gives the same architecture back. */
export function writeArchitecture(architecture: Architecture): string {
  return writeDocument<Architecture>(architectureSchema, architecture);
}

/** JSON Schema of the architecture document. */
export function architectureJsonSchema(): Record<string, unknown> {
  return documentJsonSchema(architectureSchema, "Dovetail architecture");
}

/** Instances of each level in the whole chip, outermost first, and last those of the compute unit. */
export function instanceCounts(architecture: Architecture): number[] {
  const counts = [1];
  for (const level of architecture.levels) {
    counts.push(counts[counts.length - 1]! * (level.fanout?.x ?? 1) * (level.fanout?.y ?? 1));
  }
  return counts;
}

/** Area of all memories and compute units together; parts without an area count as 0. */
export function architectureAreaUm2(architecture: Architecture): number {
  const counts = instanceCounts(architecture);
  const memories = architecture.levels.map((level, index) => counts[index]! * (level.storage?.areaUm2 ?? 0));
  return memories.reduce((sum, area) => sum + area, counts[counts.length - 1]! * (architecture.compute.areaUm2 ?? 0));
}

/** One line a level for people, outermost first. */
export function printArchitecture(architecture: Architecture): string {
  const counts = instanceCounts(architecture);
  const lines = architecture.levels.map((level, index) => {
    const parts = [`${counts[index]} × ${level.name}`];
    if (level.storage) parts.push(printStorage(level.storage));
    if (level.fanout) {
      parts.push(`fan-out ${level.fanout.x} × ${level.fanout.y}${level.fanout.neighbourLinks ? "" : ", no links"}`);
    }
    return `  ${parts.join(": ")}`;
  });
  const { compute } = architecture;
  const { energyPj, shiftPj, addPj } = compute;
  const others = [
    ...(shiftPj === undefined ? [] : [`${shiftPj} per shift`]),
    ...(addPj === undefined ? [] : [`${addPj} per addition`]),
  ];
  lines.push(`  ${counts[counts.length - 1]} × ${compute.name}: ${[`${energyPj} pJ per MAC`, ...others].join(", ")}`);
  return [architecture.name, ...lines].join("\n");
}

function printStorage(storage: Storage): string {
  const size = storage.entries === undefined ? "unbounded, rows" : `${storage.entries} rows`;
  const words = storage.wordBits === undefined ? "" : ` of ${storage.wordBits}-bit words`;
  return `${size} of ${storage.widthBits} bits${words}, read ${storage.readPj} pJ, write ${storage.writePj} pJ`;
}

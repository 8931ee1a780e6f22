import * as z from "zod";
import { limitFanout } from "../architecture/architecture.js";
import { type Constraints, constraintsSchema } from "../architecture/constraints.js";
import { documentJsonSchema, type ReadOptions, readDocument, writeDocument } from "../documents/document.js";
import { nameSchema, nonNegativeSchema, positiveIntegerSchema, positiveSchema } from "../documents/names.js";

// A published accelerator as a document. It says what the machine is made of; energies and areas come from the tables of
// energy/, or stand in the document with their source. `specialise` makes the architecture of a layer from it.

/** A memory by what it is. Bandwidths are those of its ports: a row a cycle unless said. */
export type AcceleratorMemory =
  /** Off-chip, unbounded. */
  | {
      readonly kind: "dram";
      /** Of the table of off-chip memories. */
      readonly type: string;
      readonly widthBits: number;
      /** Reads and writes together. */
      readonly bitsPerCycle: number;
    }
  /** Banks of CACTI's table, one port each. */
  | {
      readonly kind: "sram";
      readonly bytes: number;
      /** Of a row, over all banks side by side. */
      readonly widthBits: number;
      /** Width of every word, whatever the tensor: of partial sums. */
      readonly wordBits?: number | undefined;
      readonly sideBySide: number;
      readonly stacked: number;
      /** Reads and writes together; default a row. */
      readonly bitsPerCycle?: number | undefined;
    }
  /** Small memory in a processing element: a word read and a word written in a cycle. */
  | { readonly kind: "registers"; readonly words: number; readonly wordBits: number }
  /** Figures that no table has, with where they are from. */
  | {
      readonly kind: "given";
      /** Unbounded when absent. */
      readonly bytes?: number | undefined;
      readonly widthBits: number;
      readonly wordBits?: number | undefined;
      readonly readPj: number;
      readonly writePj: number;
      readonly areaUm2?: number | undefined;
      /** Reads and writes together; no limit when absent. */
      readonly bitsPerCycle?: number | undefined;
      readonly source: string;
    };

export interface AcceleratorLevel {
  readonly name: string;
  readonly memory?: AcceleratorMemory | undefined;
  readonly fanout?: { readonly x: number; readonly y: number; readonly neighbourLinks: boolean } | undefined;
}

/** The operands that zeros can be in. */
export type SparseOperand = "Weights" | "Inputs";

export const unitKinds = ["fixed", "serial", "essentialBits", "tiledSerial", "composable", "shift", "add"] as const;

/** The units at the leaves of the fan-outs. */
export interface AcceleratorUnit {
  readonly kind: (typeof unitKinds)[number];
  /** Widest operands that go through in one pass; stored words of a `fixed` machine are at least this wide. */
  readonly weightBits: number;
  readonly inputBits: number;
  /** The operand that a serial unit takes a bit (or term) a cycle. */
  readonly serialOperand?: "weights" | "inputs" | undefined;
  /** What `essentialBits` skips over: zero bits, or zero digits of Booth recoding. Default bits. */
  readonly encoding?: "bits" | "booth" | undefined;
  /** Units that wait for the slowest of them, with `essentialBits`. Default 1. */
  readonly lockstep?: number | undefined;
  /** Units with one reduction tree and one accumulator: 1 or 16 have figures, 16 by default. Not of `fixed` units. */
  readonly sharing?: number | undefined;
  /** ShiftAddNet's units that stand beside the multiplier, for layers of these kinds: figures at 45 nm, up to 8 bit. */
  readonly beside?: readonly ("shift" | "add")[] | undefined;
  /** Figures that no table has: of a product, or of a term with `essentialBits`. */
  readonly given?:
    | { readonly energyPj: number; readonly areaUm2?: number | undefined; readonly source: string }
    | undefined;
}

/** How a tensor is stored outside of the processing elements. */
export interface CompressedStorage {
  /**
   * `bitmask`: a bit a word; `indexed`: `indexBits` a word that is not zero; `rowIndexed`: rows that are not all zero and a
   * bit a row; `structured`: SmartExchange's form.
   */
  readonly format: "bitmask" | "indexed" | "rowIndexed" | "structured";
  readonly indexBits?: number | undefined;
}

/** Engines that rebuild weights in SmartExchange's form, where they leave the innermost memory that stores them so. */
export interface RebuildEngines {
  /** For every instance of that memory. */
  readonly engines: number;
  /** Of one engine: a coefficient takes an addition for every column of its basis, all in one cycle. */
  readonly coefficientsPerCycle: number;
  /** Of one addition with its shift. */
  readonly additionPj: number;
  /** Cycles in which the engines wait for their next basis. Default 0: a second register takes it in meanwhile. */
  readonly basisLoadCycles?: number | undefined;
  readonly source: string;
}

/** What skips zeros in pairs of rows: of a kernel, and of a feature map. */
export interface RowSelector {
  /** Reading a bit of an index; every pair of rows takes two. */
  readonly indexBitPj: number;
  /** Outputs of a row that are worked on together: a pair's indices are read again for each such part of a row. */
  readonly outputsTogether: number;
  /** Filters that work in step: a row of theirs takes time unless it is zero in all of them. */
  readonly filtersInStep: number;
  /** Filters that share a pattern of zero rows. Patterns are independent of one another, unless they were counted. */
  readonly filtersPerPattern: number;
  /** Memories from which inputs go to all filters in step at once: read for the rows that take time. */
  readonly sharedLevels: readonly string[];
  readonly source: string;
}

export interface SparsityFeatures {
  /** Products with a zero in one of these take neither time nor energy. */
  readonly skips: readonly SparseOperand[];
  /** Products with a zero in one of these take time, but the unit does not switch. */
  readonly gates: readonly SparseOperand[];
  /** Memories that are accessed for products only that are not skipped. */
  readonly skippingLevels: readonly string[];
  /** What is skipped are pairs of rows, and not single products. */
  readonly rows?: RowSelector | undefined;
  /** Of weights stored `structured`. */
  readonly rebuild?: RebuildEngines | undefined;
  readonly stored: {
    readonly Weights?: CompressedStorage | undefined;
    readonly Inputs?: CompressedStorage | undefined;
    readonly Outputs?: CompressedStorage | undefined;
  };
}

export const publishedFacts = ["units", "peakMacsPerCycle", "peakGmacsPerSecond", "levelBytes", "areaMm2"] as const;

/** A figure that was published of the machine, which ours is held against. */
export interface PublishedFigure {
  readonly fact: (typeof publishedFacts)[number];
  /** The memory, for `levelBytes`: all its instances together. */
  readonly level?: string | undefined;
  /** Bits of both operands, for peaks; the unit's own when absent. */
  readonly bits?: number | undefined;
  readonly value: number;
  readonly toleranceFraction: number;
  readonly source: string;
}

/** An accelerator that runs layer after layer. */
export interface Accelerator {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly technologyNm: number;
  readonly clockMhz: number;
  readonly supplyVolts?: number | undefined;
  readonly levels: readonly AcceleratorLevel[];
  readonly unit: AcceleratorUnit;
  readonly sparsity?: SparsityFeatures | undefined;
  readonly constraints?: Constraints | undefined;
  readonly published: readonly PublishedFigure[];
  readonly notes: readonly string[];
}

const bitsSchema = positiveIntegerSchema.max(64);

const sparseOperandSchema = z.enum(["Weights", "Inputs"]);

const memorySchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("dram"),
    type: z.string(),
    widthBits: positiveIntegerSchema.default(64),
    bitsPerCycle: positiveSchema,
  }),
  z.strictObject({
    kind: z.literal("sram"),
    bytes: positiveIntegerSchema,
    widthBits: positiveIntegerSchema,
    wordBits: positiveIntegerSchema.optional(),
    sideBySide: positiveIntegerSchema.default(1),
    stacked: positiveIntegerSchema.default(1),
    bitsPerCycle: positiveSchema.optional(),
  }),
  z.strictObject({ kind: z.literal("registers"), words: positiveIntegerSchema, wordBits: positiveIntegerSchema }),
  z.strictObject({
    kind: z.literal("given"),
    bytes: positiveIntegerSchema.optional(),
    widthBits: positiveIntegerSchema,
    wordBits: positiveIntegerSchema.optional(),
    readPj: nonNegativeSchema,
    writePj: nonNegativeSchema,
    areaUm2: nonNegativeSchema.optional(),
    bitsPerCycle: positiveSchema.optional(),
    source: z.string().min(1),
  }),
]);

const unitSchema = z.strictObject({
  kind: z.enum(unitKinds),
  weightBits: bitsSchema,
  inputBits: bitsSchema,
  serialOperand: z.enum(["weights", "inputs"]).optional(),
  encoding: z.enum(["bits", "booth"]).optional(),
  lockstep: positiveIntegerSchema.optional(),
  sharing: positiveIntegerSchema.optional(),
  beside: z.array(z.enum(["shift", "add"])).optional(),
  given: z
    .strictObject({ energyPj: nonNegativeSchema, areaUm2: nonNegativeSchema.optional(), source: z.string().min(1) })
    .optional(),
});

const storedSchema = z.strictObject({
  format: z.enum(["bitmask", "indexed", "rowIndexed", "structured"]),
  indexBits: positiveIntegerSchema.optional(),
});

const sparsitySchema = z.strictObject({
  skips: z.array(sparseOperandSchema).default([]),
  gates: z.array(sparseOperandSchema).default([]),
  skippingLevels: z.array(nameSchema).default([]),
  rows: z
    .strictObject({
      indexBitPj: nonNegativeSchema,
      outputsTogether: positiveIntegerSchema,
      filtersInStep: positiveIntegerSchema,
      filtersPerPattern: positiveIntegerSchema,
      sharedLevels: z.array(nameSchema).default([]),
      source: z.string().min(1),
    })
    .optional(),
  rebuild: z
    .strictObject({
      engines: positiveIntegerSchema,
      coefficientsPerCycle: positiveSchema,
      additionPj: nonNegativeSchema,
      basisLoadCycles: nonNegativeSchema.optional(),
      source: z.string().min(1),
    })
    .optional(),
  stored: z
    .strictObject({
      Weights: storedSchema.optional(),
      Inputs: storedSchema.optional(),
      Outputs: storedSchema.optional(),
    })
    .default({}),
});

/** Schema of the document. */
export const acceleratorSchema = z
  .strictObject({
    name: nameSchema,
    title: z.string().min(1),
    source: z.string().min(1),
    technologyNm: positiveSchema,
    clockMhz: positiveSchema,
    supplyVolts: positiveSchema.optional(),
    levels: z
      .array(
        z.strictObject({
          name: nameSchema,
          memory: memorySchema.optional(),
          fanout: z
            .strictObject({
              x: positiveIntegerSchema.default(1),
              y: positiveIntegerSchema.default(1),
              neighbourLinks: z.boolean().default(false),
            })
            .superRefine(limitFanout)
            .optional(),
        }),
      )
      .min(1),
    unit: unitSchema,
    sparsity: sparsitySchema.optional(),
    constraints: constraintsSchema.optional(),
    published: z
      .array(
        z.strictObject({
          fact: z.enum(publishedFacts),
          level: nameSchema.optional(),
          bits: bitsSchema.optional(),
          value: positiveSchema,
          toleranceFraction: nonNegativeSchema.default(0),
          source: z.string().min(1),
        }),
      )
      .default([]),
    notes: z.array(z.string().min(1)).default([]),
  })
  .superRefine((accelerator, context) => {
    const memories = accelerator.levels.filter(({ memory }) => memory !== undefined).map(({ name }) => name);
    const named: (readonly [(string | number)[], string])[] = [
      ...(accelerator.sparsity?.skippingLevels ?? []).map(
        (name, index) => [["sparsity", "skippingLevels", index], name] as const,
      ),
      ...(accelerator.sparsity?.rows?.sharedLevels ?? []).map(
        (name, index) => [["sparsity", "rows", "sharedLevels", index], name] as const,
      ),
      ...accelerator.published.flatMap(({ level }, index) =>
        level === undefined ? [] : [[["published", index, "level"], level] as const],
      ),
    ].map(([path, name]) => [[...path], name]);
    for (const [path, name] of named) {
      if (memories.includes(name)) continue;
      context.addIssue({
        code: "custom",
        path,
        message: "unknown memory",
        params: { expected: `one of ${memories.join(", ")}`, received: name },
      });
    }
    accelerator.published.forEach(({ fact, level }, index) => {
      if ((fact === "levelBytes") === (level !== undefined)) return;
      const message = fact === "levelBytes" ? "levelBytes is of a level" : "only levelBytes is of a level";
      context.addIssue({ code: "custom", path: ["published", index], message });
    });
    const isStructured = accelerator.sparsity?.stored.Weights?.format === "structured";
    if (isStructured !== (accelerator.sparsity?.rebuild !== undefined)) {
      const message = "weights stored structured and engines that rebuild them go together";
      context.addIssue({ code: "custom", path: ["sparsity", "rebuild"], message });
    }
    if (accelerator.unit.kind === "serial" && accelerator.unit.serialOperand === undefined) {
      context.addIssue({ code: "custom", path: ["unit"], message: "a serial unit needs serialOperand" });
    }
  });

/**
 * Accelerator from YAML (or JSON) text.
 *
 * @throws DovetailError with line, column and field of everything that is wrong.
 */
export function readAccelerator(text: string, options: ReadOptions = {}): Accelerator {
  return readDocument<Accelerator>(acceleratorSchema, text, options);
}

/** YAML text of an accelerator; `readAccelerator` gives the same accelerator back. */
export function writeAccelerator(accelerator: Accelerator): string {
  return writeDocument<Accelerator>(acceleratorSchema, accelerator);
}

/** JSON Schema of the accelerator document. */
export function acceleratorJsonSchema(): Record<string, unknown> {
  return documentJsonSchema(acceleratorSchema, "Dovetail accelerator");
}

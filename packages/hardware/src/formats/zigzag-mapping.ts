import * as z from "zod";
import { checkDocument, type ReadOptions, readDocument } from "../documents/document.js";
import { memoryOperands } from "../zigzag/accelerator.js";
import type { OrderedLoop, Unrolling, ZigZagMappingEntry } from "../zigzag/mapping.js";

// ZigZag's mapping YAML: a list of entries, one a layer, an operator, or `default`.

const unrollingSchema = z.string().regex(/^[A-Z]+\d*, ?[1-9]\d*$/, "expected a dimension and a factor, such as K, 32");
const byArrayDimension = <T extends z.ZodType>(values: T) =>
  z.record(z.string().regex(/^D\d+$/, "expected a dimension of the array, such as D1"), values);
const factorSchema = z.union([z.int().positive(), z.literal("*")]);

const entrySchema = z.strictObject({
  name: z.string(),
  spatial_mapping: byArrayDimension(z.array(unrollingSchema)).nullish(),
  spatial_mapping_hint: byArrayDimension(z.array(z.string())).nullish(),
  memory_operand_links: z.record(z.string(), z.enum(memoryOperands)).default({ O: "O", W: "I2", I: "I1" }),
  temporal_ordering: z.array(z.tuple([z.string(), factorSchema])).nullish(),
});

const mappingSchema = z
  .array(entrySchema)
  .min(1)
  .superRefine((entries, context) => {
    if (entries.some(({ name }) => name === "default")) return;
    context.addIssue({ code: "custom", message: "there is no entry named default" });
  })
  .superRefine((entries, context) => {
    for (const [index, { memory_operand_links: links }] of entries.entries()) {
      if (new Set(Object.values(links)).size === Object.keys(links).length) continue;
      context.addIssue({
        code: "custom",
        path: [index, "memory_operand_links"],
        message: "two operands of the layer share a memory operand",
      });
    }
  });

/** Mappings as ZigZag writes them. Of `temporal_ordering` a line `["*", "*"]` divides what is inside from what is outside. */
export function readZigZagMapping(text: string, options: ReadOptions = {}): ZigZagMappingEntry[] {
  return readDocument(mappingSchema, text, { ...options, lastKeyCounts: true }).map(entryOf);
}

/** The same from an object that is already in memory; complaints carry the path only. */
export function zigzagMappingOf(value: unknown): ZigZagMappingEntry[] {
  return checkDocument(mappingSchema, value).map(entryOf);
}

function entryOf(entry: z.infer<typeof entrySchema>): ZigZagMappingEntry {
  const loops = (entry.temporal_ordering ?? []).map(
    ([dimension, factor]): OrderedLoop => (factor === "*" ? { dimension } : { dimension, factor }),
  );
  const gap = loops.findIndex(({ dimension }) => dimension === "*");
  return {
    name: entry.name,
    spatial: Object.fromEntries(
      Object.entries(entry.spatial_mapping ?? {}).map(([dimension, unrollings]) => [dimension, unrollings.map(unroll)]),
    ),
    spatialHints: entry.spatial_mapping_hint ?? {},
    order: {
      inner: gap < 0 ? loops : loops.slice(0, gap),
      outer: gap < 0 ? [] : loops.slice(gap + 1),
    },
    links: entry.memory_operand_links,
  };
}

function unroll(text: string): Unrolling[number] {
  const [dimension = "", factor = ""] = text.split(/, ?/);
  return { dimension, factor: Number(factor) };
}

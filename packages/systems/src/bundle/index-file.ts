// bundle.json: what lies in a bundle, with a hash of every file and of itself.
import { inputError, withPlace } from "@dovetail/core";
import { checkDocument, type Mapping, mappingSchema, readDocument, writeDocument } from "@dovetail/hardware";
import { digestOfBytes } from "@dovetail/train";
import { z } from "zod";

/** Name of the index in a bundle's folder. */
export const bundleIndexFile = "bundle.json";

const fileSchema = z.strictObject({
  file: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/, "expected a path inside the bundle")
    .describe("Inside the bundle's folder."),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const bitsSchema = z.number().int().min(1).max(32);
const figure = z.number().min(0);

const costSchema = z
  .strictObject({
    energyPj: figure.describe("Of one image."),
    latencyCycles: figure.describe("Of one image; layers run one after another."),
    latencyMs: figure,
    edpJouleSeconds: figure,
  })
  .describe("Of the mapped layers on the accelerator.");

const precisionSchema = z.strictObject({
  bits: bitsSchema.describe("Of weights and activations in the layers that switch."),
  model: fileSchema.describe("ONNX; takes raw pixels and gives logits."),
  form: z
    .enum(["qdq", "float"])
    .describe("qdq: integers between QuantizeLinear and DequantizeLinear; float: rounded values in float32."),
  accuracyFraction: z.number().min(0).max(1).describe("Of exactly this file in ONNX Runtime, on the test images."),
  mappings: fileSchema.optional().describe("A mapping for each layer."),
  cost: costSchema.optional(),
});

const contentSchema = z.strictObject({
  format: z.literal("dovetail bundle"),
  version: z.literal(1),
  name: z.string().min(1),
  classNames: z.array(z.string().min(1)).min(2),
  imageShape: z.array(z.number().int().positive()).length(3).describe("[channels, height, width]"),
  precisions: z.array(precisionSchema).min(1).describe("In rising order of bits."),
  defence: z
    .strictObject({
      kind: z.literal("rps").describe("The precision is drawn anew for every batch that is predicted."),
      set: z
        .array(bitsSchema)
        .min(1)
        .describe("What is drawn from, with equal probability, unless another set is chosen."),
    })
    .optional(),
  accelerator: fileSchema.optional().describe("What the mappings are for."),
});

export const bundleIndexSchema = contentSchema.extend({
  sha256: z.string().describe("Of everything else, as compact JSON."),
});

/** mappings.yaml of a precision. */
export const bundleMappingsSchema: z.ZodType<BundleMappings> = z.strictObject({
  format: z.literal("dovetail mappings"),
  version: z.literal(1),
  bits: bitsSchema,
  layers: z.array(z.strictObject({ name: z.string(), mapping: mappingSchema })),
});

export type BundleFile = z.output<typeof fileSchema>;
export type BundleCost = z.output<typeof costSchema>;
export type BundlePrecision = z.output<typeof precisionSchema>;
export type BundleContent = z.output<typeof contentSchema>;
export interface BundleMappings {
  readonly format: "dovetail mappings";
  readonly version: 1;
  readonly bits: number;
  readonly layers: readonly { readonly name: string; readonly mapping: Mapping }[];
}

/** Text of bundle.json. */
export function printBundleIndex(content: BundleContent): string {
  return `${JSON.stringify({ ...content, sha256: digestOf(content) }, null, 1)}\n`;
}

/**
 * Reads bundle.json. Throws input errors that name the file and the field, and `bundle_corrupt` where its contents have
 * changed since it was written.
 */
export function readBundleIndex(text: string, file: string): BundleContent {
  const { sha256, ...content } = parseJson(text, file, bundleIndexSchema);
  if (sha256 === digestOf(content)) return content;
  throw inputError("bundle_corrupt", "the index has changed since it was written", {
    file,
    path: ["sha256"],
    expected: digestOf(content),
    received: sha256,
  });
}

/** Text of a precision's mappings.yaml. */
export function printBundleMappings(mappings: BundleMappings): string {
  return writeDocument<BundleMappings>(bundleMappingsSchema, mappings);
}

/** Reads mappings.yaml. Throws input errors that name the file and the field. */
export function readBundleMappings(text: string, file: string): BundleMappings {
  return readDocument<BundleMappings>(bundleMappingsSchema, text, { file });
}

function parseJson<T>(text: string, file: string, schema: z.ZodType<T>): T {
  try {
    return checkDocument(schema, JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw withPlace(error, { file });
    throw inputError("json_syntax", `not JSON (${error.message})`, { file });
  }
}

function digestOf(content: BundleContent): string {
  return digestOfBytes(JSON.stringify(contentSchema.parse(content)));
}

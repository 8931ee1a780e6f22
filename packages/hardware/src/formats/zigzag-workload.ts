import * as z from "zod";
import { checkDocument, type ReadOptions, readDocument } from "../documents/document.js";
import { distinctPoints, type LayerOperand, type RankRelation, type ZigZagLayer } from "../zigzag/layer.js";

// ZigZag's workload YAML: a list of layers, each an equation over loops.

const equationPattern = /^\s*(\w+?)((?:\[\w+\])+)\s*\+?=\s*(\w+?)((?:\[\w+\])+)\s*[*+]{1,2}\s*(\w+?)((?:\[\w*\])+)\s*$/;
const relationPattern = /^\s*(\w+)\s*=\s*(?:(\d+)\s*\*\s*)?(\w+)\s*\+\s*(?:(\d+)\s*\*\s*)?(\w+)\s*$/;

const bitsSchema = z.int().nonnegative();

const layerSchema = z.strictObject({
  id: z.int().nonnegative(),
  name: z.string().nullish(),
  operator_type: z.string(),
  equation: z.string().regex(equationPattern, "expected an equation such as O[b][k]+=W[k][c]*I[b][c]"),
  dimension_relations: z
    .array(z.string().regex(relationPattern, "expected a relation such as ix=2*ox+1*fx"))
    .default([]),
  loop_dims: z.array(z.string().regex(/^[A-Za-z]\w*$/, "expected the name of a loop")).min(1),
  loop_sizes: z.array(z.int().positive()).min(1),
  operand_precision: z.record(z.string(), bitsSchema),
  operand_source: z.record(z.string(), z.int().nonnegative()).default({}),
  pr_loop_dims: z.array(z.string()).nullish(),
  pr_loop_sizes: z.array(z.int().positive()).nullish(),
  padding: z.array(z.array(z.int().nonnegative()).length(2)).nullish(),
});

type LayerDocument = z.infer<typeof layerSchema>;

const workloadSchema = z
  .array(layerSchema)
  .min(1)
  .superRefine((layers, context) => {
    // A field that is wrong in itself has nothing to say of another.
    if (context.issues.length > 0) return;
    for (const [index, layer] of layers.entries()) {
      for (const { path, message, expected, received } of complaints(layer)) {
        context.addIssue({
          code: "custom",
          path: [index, ...path],
          message,
          params: { ...(expected && { expected }), ...(received && { received }) },
        });
      }
    }
  });

/** Layers as ZigZag writes them. */
export function readZigZagWorkload(text: string, options: ReadOptions = {}): ZigZagLayer[] {
  return readDocument(workloadSchema, text, { ...options, lastKeyCounts: true }).map(layerOf);
}

/** The same from an object that is already in memory; complaints carry the path only. */
export function zigzagWorkloadOf(value: unknown): ZigZagLayer[] {
  return checkDocument(workloadSchema, value).map(layerOf);
}

interface Complaint {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
}

/** What the fields of a layer say of one another. */
function complaints(layer: LayerDocument): Complaint[] {
  const { loop_dims: names, loop_sizes: sizes, operand_precision: precision, equation } = layer;
  if (names.length !== sizes.length) {
    const expected = `${names.length} sizes`;
    return [{ path: ["loop_sizes"], message: "not a size a loop", expected, received: String(sizes.length) }];
  }
  const found: Complaint[] = [];
  const loops = names.map((name) => name.toUpperCase());
  const twice = loops.findIndex((name, index) => loops.indexOf(name) < index);
  if (twice >= 0) found.push({ path: ["loop_dims", twice], message: "the loop is given twice" });
  const ranks = layer.dimension_relations.map((text) => relationPattern.exec(text)!);
  for (const [index, [, , , a = "", , b = ""]] of ranks.entries()) {
    for (const name of [a, b]) {
      if (loops.includes(name.toUpperCase())) continue;
      const expected = `one of ${loops.join(", ")}`;
      found.push({ path: ["dimension_relations", index], message: "there is no such loop", expected, received: name });
    }
  }
  for (const text of found.length > 0 ? [] : layer.dimension_relations) {
    const { rank, size } = relationOf(layer, dimensionsOf(layer), text);
    if (size > 0) continue;
    found.push({
      path: ["padding"],
      message: `nothing of ${rank} is left without its padding`,
      received: String(size),
    });
  }
  const known = [...loops, ...ranks.map(([, rank = ""]) => rank.toUpperCase())];
  for (const operand of operandsOf(equation)) {
    if (precision[operand.name] === undefined) {
      found.push({ path: ["operand_precision", operand.name], message: "missing field", expected: "a number of bits" });
    }
    for (const rank of operand.ranks) {
      if (known.includes(rank)) continue;
      const expected = `one of ${known.join(", ")}`;
      found.push({ path: ["equation"], message: "an index is no loop", expected, received: rank.toLowerCase() });
    }
  }
  return found;
}

function operandsOf(equation: string): { readonly name: string; readonly ranks: string[] }[] {
  const [, ...parts] = equationPattern.exec(equation)!;
  return [0, 2, 4].map((at) => ({
    name: parts[at]!,
    ranks: [...parts[at + 1]!.matchAll(/\[(\w+)\]/g)].map(([, index]) => index!.toUpperCase()),
  }));
}

function dimensionsOf({ loop_dims: names, loop_sizes: sizes }: LayerDocument): Record<string, number> {
  return Object.fromEntries(names.map((name, index) => [name.toUpperCase(), sizes[index]!]));
}

function layerOf(layer: LayerDocument): ZigZagLayer {
  const dimensions = dimensionsOf(layer);
  const [output, ...inputs] = operandsOf(layer.equation).map(
    (operand): LayerOperand => ({ ...operand, bits: layer.operand_precision[operand.name]! }),
  );
  return {
    id: layer.id,
    name: layer.name ?? `Layer${layer.id}`,
    operator: layer.operator_type,
    dimensions,
    output: { ...output!, finalBits: layer.operand_precision[`${output!.name}_final`] ?? output!.bits },
    inputs,
    relations: layer.dimension_relations.map((text) => relationOf(layer, dimensions, text)),
    sources: layer.operand_source,
  };
}

function relationOf(layer: LayerDocument, dimensions: Readonly<Record<string, number>>, text: string): RankRelation {
  const [, rank = "", strideA = "1", a = "", strideB = "1", b = ""] = relationPattern.exec(text)!;
  const at = (layer.pr_loop_dims ?? []).findIndex((name) => name.toUpperCase() === rank.toUpperCase());
  const [first, second] = [a, b].map((name) => name.toUpperCase()) as [string, string];
  const points = distinctPoints(Number(strideA), dimensions[first]!, Number(strideB), dimensions[second]!);
  const padding = (layer.padding?.[at] ?? []).reduce((sum, side) => sum + side, 0);
  return {
    rank: rank.toUpperCase(),
    a: { dimension: first, coefficient: Number(strideA) },
    b: { dimension: second, coefficient: Number(strideB) },
    size: layer.pr_loop_sizes?.[at] ?? points - padding,
  };
}

import { readFileSync } from "node:fs";
import type { Graph } from "@dovetail/graph";
import { describe, expect, it } from "vitest";
import { type KnownSizes, loadTensor, type OperatorCase, operatorGraph, type StoredTensor } from "./testing/cases.js";
import { compileForTest, relativeError, type Tensors } from "./testing/execute.js";

// PyTorch's gradients (oracles/gradients.py), each with all sizes known when the graph is built and with fewer.

const cases: readonly OperatorCase[] = JSON.parse(
  readFileSync(new URL("operators.golden.json", import.meta.url), "utf8"),
);

const tolerance = 1e-4;

describe.each(cases.map((operatorCase) => [operatorCase.name, operatorCase] as const))("%s", (_, operatorCase) => {
  it.each<KnownSizes>(["all", "all but the batch", "channels", "none"])("with known sizes: %s", async (known) => {
    const refusal = expectedRefusal(operatorCase, known);
    if (refusal) expect(() => operatorGraph(operatorCase, known)).toThrow(refusal);
    else await agrees(operatorGraph(operatorCase, known), operatorCase);
  });
});

/** What says that a rule needs a size that is not known. */
function expectedRefusal({ operator, attributes }: OperatorCase, known: KnownSizes): RegExp | undefined {
  if (known === "all") return undefined;
  // The first axis is the sequence's.
  if (operator === "LSTM") return /the length of ".*" must be known/;
  if (known === "all but the batch") return undefined;
  if (operator === "Resize") return /the sizes along axis 2 must be known/;
  if (operator === "Conv" && String(attributes.auto_pad).startsWith("SAME")) {
    return /spatial sizes that are known|the kernel's sizes must be known/;
  }
  if (known === "channels") return undefined;
  if (operator === "Conv" || operator === "ConvTranspose") return /the kernel's sizes must be known/;
  if (operator === "GroupNormalization" || operator === "LRN" || attributes.mode === "CRD")
    return /the number of channels must be known/;
  return undefined;
}

async function agrees(graph: Graph, operatorCase: OperatorCase): Promise<void> {
  const run = await compileForTest(graph);
  const feeds: Record<string, Tensors[string]> = { dy: loadTensor(operatorCase.dy) };
  operatorCase.inputs.forEach((stored, index) => {
    if (stored) feeds[`x${index}`] = loadTensor(stored);
  });
  const results = await run(feeds);
  const compare = (name: string, stored: StoredTensor): void => {
    const expected = loadTensor(stored);
    const actual = results[name]!;
    expect(actual.dimensions, name).toEqual(expected.dimensions);
    expect(relativeError(actual.data as Float32Array, expected.data as Float32Array), name).toBeLessThan(tolerance);
  };
  compare("y", operatorCase.y);
  operatorCase.gradients.forEach((stored, index) => {
    if (stored) compare(`gradient${index}`, stored);
  });
}

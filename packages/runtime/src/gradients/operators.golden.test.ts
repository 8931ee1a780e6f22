import { readFileSync } from "node:fs";
import { DovetailError } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { type KnownSizes, loadTensor, type OperatorCase, operatorGraph } from "./testing/cases.js";
import { compileForTest, relativeError, type Tensors } from "./testing/execute.js";

const cases: readonly OperatorCase[] = JSON.parse(
  readFileSync(new URL("operators.golden.json", import.meta.url), "utf8"),
);

describe.each(cases.map((operatorCase) => [operatorCase.name, operatorCase] as const))("%s", (_, operatorCase) => {
  it.each<KnownSizes>(["all", "all but the batch", "none"])("%s", async (known) => {
    let graph: ReturnType<typeof operatorGraph>;
    try {
      graph = operatorGraph(operatorCase, known);
    } catch (error) {
      if (known !== "all" && error instanceof DovetailError) {
        console.log(`${operatorCase.name} ${known}: ${error.message}`);
        return;
      }
      throw error;
    }
    const run = await compileForTest(graph);
    const feeds: Record<string, ReturnType<typeof loadTensor>> = { dy: loadTensor(operatorCase.dy) };
    operatorCase.inputs.forEach((stored, index) => {
      if (stored) feeds[`x${index}`] = loadTensor(stored);
    });
    const results: Tensors = await run(feeds);
    const compare = (name: string, stored: OperatorCase["y"], tolerance: number): void => {
      const expected = loadTensor(stored);
      expect(results[name]!.dimensions, name).toEqual(expected.dimensions);
      expect(relativeError(results[name]!.data as Float32Array, expected.data as Float32Array), name).toBeLessThan(
        tolerance,
      );
    };
    compare("y", operatorCase.y, 1e-4);
    operatorCase.gradients.forEach((stored, index) => {
      if (stored) compare(`gradient${index}`, stored, 1e-4);
    });
  });
});

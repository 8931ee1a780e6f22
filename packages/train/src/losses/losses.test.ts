import { differentiate, GraphBuilder, tensor, tensorNumbers } from "@dovetail/graph";
import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { softmaxCrossEntropy } from "./cross-entropy.js";
import type { Loss } from "./loss.js";
import { meanSquaredError } from "./mean-squared-error.js";

const logits = [2, -1, 0.5, 0, 0, 3];

async function lossAndGradient(loss: Loss, target: number[]): Promise<{ loss: number; gradient: number[] }> {
  const g = new GraphBuilder("loss");
  const output = g.input("output", "float32", [2, 3]);
  const { elementType, shape } = loss.target([2, 3]);
  const value = loss.build(g, output, g.input("target", elementType, shape));
  expect(value.type).toEqual({ elementType: "float32", shape: [] });
  g.output(value, "loss");
  g.output(differentiate(g, { loss: value, withRespectTo: [output] })[0]!, "gradient");
  const runtime = await createRuntime({ threads: 1 });
  const segment = await runtime.compile(g.build());
  const results = await segment.run({
    output: tensor("float32", [2, 3], logits),
    target: tensor(elementType, shape as number[], target),
  });
  await runtime.release();
  return { loss: tensorNumbers(results.loss!)[0]!, gradient: tensorNumbers(results.gradient!) };
}

function softmax(row: readonly number[]): number[] {
  const sum = row.reduce((total, value) => total + Math.exp(value), 0);
  return row.map((value) => Math.exp(value) / sum);
}

it.each([0, 0.1])(
  "cross-entropy with label smoothing %d is −Σ target · log softmax, its gradient softmax − target",
  async (labelSmoothing) => {
    const rows = [softmax(logits.slice(0, 3)), softmax(logits.slice(3))];
    const labels = [1, 2];
    const targets = labels.map((label) =>
      [0, 1, 2].map((index) => (index === label ? 1 - labelSmoothing : 0) + labelSmoothing / 3),
    );
    const expected = rows.flatMap((row, index) =>
      row.map((share, column) => -targets[index]![column]! * Math.log(share)),
    );
    const result = await lossAndGradient(softmaxCrossEntropy({ labelSmoothing }), labels);
    expect(result.loss).toBeCloseTo(expected.reduce((sum, value) => sum + value, 0) / 2, 5);
    rows.flat().forEach((share, index) => {
      expect(result.gradient[index]).toBeCloseTo((share - targets.flat()[index]!) / 2, 5);
    });
  },
);

it("mean squared error is the mean over all values, its gradient twice the difference over their number", async () => {
  const target = [1, 0, 0, -2, 0.5, 1];
  const differences = logits.map((value, index) => value - target[index]!);
  const result = await lossAndGradient(meanSquaredError(), target);
  expect(result.loss).toBeCloseTo(differences.reduce((sum, value) => sum + value ** 2, 0) / 6, 5);
  differences.forEach((difference, index) => {
    expect(result.gradient[index]).toBeCloseTo((2 * difference) / 6, 5);
  });
});

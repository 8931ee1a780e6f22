import { GraphBuilder, tensor, tensorNumbers } from "@dovetail/graph";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AttackLoss } from "./loss.js";
import { crossEntropyLoss, differenceLoss, dlrLoss, marginLoss, targetedDlrLoss } from "./losses.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const first = [2, 1, 0.5, -1];
const second = [0.3, 1.7, 0.2, 0.9];

async function lossOf(loss: AttackLoss, logits: readonly number[], label: number, target: number): Promise<number> {
  const g = new GraphBuilder("loss");
  const z = g.input("z", "float32", [1, logits.length]);
  const maskOf = (place: number) =>
    g.constant(
      tensor(
        "bool",
        [1, logits.length],
        logits.map((_, index) => (index === place ? 1 : 0)),
      ),
    );
  g.output(loss.build(g, z, maskOf(label), maskOf(target)), "loss");
  const segment = await runtime.compile(g.build());
  const results = await segment.run({ z: tensor("float32", [1, logits.length], logits) });
  return tensorNumbers(results.loss!)[0]!;
}

// The ratios are AutoAttack's figures for these logits; the others follow from their definitions.
it.each([
  [dlrLoss, first, 0, -2 / 3],
  [dlrLoss, second, 0, 1],
  [targetedDlrLoss, first, 0, -4 / 9],
  [targetedDlrLoss, second, 0, 0.9655173],
  [marginLoss, first, 0, -1],
  [marginLoss, second, 3, 0.8],
  [differenceLoss, second, 0, 1.4],
  [crossEntropyLoss, first, 0, Math.log(1 + Math.exp(-1) + Math.exp(-1.5) + Math.exp(-3))],
])("$name of golden logits", async (loss, logits, label, expected) => {
  expect(await lossOf(loss, logits, label, 1)).toBeCloseTo(expected, 6);
});

it.each([dlrLoss, targetedDlrLoss])("$name does not change with shift and positive scale", async (loss) => {
  const scaled = second.map((value) => 7 * value - 3);
  expect(await lossOf(loss, scaled, 2, 0)).toBeCloseTo(await lossOf(loss, second, 2, 0), 5);
});

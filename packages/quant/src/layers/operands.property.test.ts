import { type Tensor, tensorNumbers } from "@dovetail/graph";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { smallNetwork } from "../testing/levels.js";
import { keyOf, mostDistinct, operandKinds, scalarFeeds, trainingGraph } from "../testing/operands.js";
import { quantizerFamilies } from "./plan.js";
import { quantizeLayers } from "./quantize-layers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

type Family = keyof typeof quantizerFamilies;

/** Large enough for the integer kernels that the runtime has. */
const batchSize = 16;
const bits = fc.integer({ min: 2, max: 9 });
const draws = fc.record({ weightBits: bits, activationBits: bits, errorBits: bits, weightGradientBits: bits });

describe.each(Object.keys(quantizerFamilies) as Family[])("%s", (quantizer) => {
  it("has no operand of more values than its bits allow, at any bits of one compiled graph", async () => {
    const gradients = ["lsq", "pact", "apot"].includes(quantizer) ? "minMax" : undefined;
    const network = quantizeLayers(smallNetwork(), {
      quantizer,
      gradients,
      fullPrecision: ({ role }) => role === "classifier",
    });
    const { graph, feeds } = trainingGraph(network, {}, batchSize);
    const nodes = graph.nodes.filter((node) => keyOf(node) in operandKinds);
    expect(nodes.length).toBe(17);
    const names = [...new Set(nodes.flatMap(({ inputs }) => inputs.slice(0, 2)))];
    const outputs = names.map((name) => ({ name, type: graph.types.get(name)! }));
    const segment = await runtime.compile({ ...graph, outputs });
    await fc.assert(
      fc.asyncProperty(draws, async (drawn) => {
        const values = await segment.run({ ...feeds, ...scalarFeeds(network, drawn) });
        for (const node of nodes) {
          operandKinds[keyOf(node)]!.forEach((kind, operand) => {
            const found = values[node.inputs[operand]!]!;
            const place = `${node.name}: ${kind} ${drawn[kind]}`;
            if (quantizer === "wageubn" && kind !== "weightBits") expectFixedPoint(found, kind, drawn[kind], place);
            else
              expect(mostDistinct(found, axisOf(kind, node.attributes.group?.value !== 1)), place).toBeLessThanOrEqual(
                2 ** drawn[kind],
              );
          });
        }
      }),
      { numRuns: 6 },
    );
  });

  /** What has a grid of its own: a weight's output channels, a depth-wise input's channels, a sample of a DoReFa gradient. */
  function axisOf(kind: string, isDepthwise: boolean): number | undefined {
    if (kind === "weightBits") return 0;
    if (kind === "activationBits") return isDepthwise ? 1 : undefined;
    return quantizer === "dorefa" ? 0 : undefined;
  }
});

/** WAGEUBN's activations are on the grid but not bounded; its errors have two scales of 2^bits values each. */
function expectFixedPoint(found: Tensor, kind: string, width: number, place: string): void {
  const half = 2 ** (width - 1);
  if (kind !== "activationBits") {
    expect(mostDistinct(found, undefined), place).toBeLessThanOrEqual(4 * half);
    return;
  }
  expect(
    tensorNumbers(found).every((value) => Number.isInteger(value * half)),
    place,
  ).toBe(true);
}

import { bakeShiftWeights } from "@dovetail/compress";
import { createRandomStream } from "@dovetail/core";
import { type Tensor, tensorNumbers } from "@dovetail/graph";
import { initializeParameters, type Network } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createBatchStream, sgd, train } from "@dovetail/train";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import { blockActivations, integersOf } from "./block-activations.js";
import { fixedPointNetwork } from "./fixed-point.js";
import { blockWidths, codesOf, type IntegerBlock, integerBlocks } from "./integer-block.js";
import { shiftAddNetwork } from "./networks.js";
import { runBlockOnUnits, runIntegerBlock } from "./run-integer-block.js";

let runtime: Runtime;
let network: Network;
let weights: ReadonlyMap<string, Tensor>;
let blocks: readonly IntegerBlock[];
const dataset = stripes({ train: 96, validation: 8, test: 8 });
const [, height, width] = dataset.imageShape;

/** A network of which every second block has stride 2, trained for some steps, in fixed point. */
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  const plain = shiftAddNetwork("shiftAdd", {
    depth: 8,
    widths: [4, 4, 6],
    classCount: dataset.classNames.length,
    pixels: { height, width },
  });
  const fixed = fixedPointNetwork(plain);
  const trained = await train({
    runtime,
    network: fixed,
    weights: initializeParameters(fixed, createRandomStream(1)),
    batches: (start) =>
      createBatchStream({ dataset, part: "train", batchSize: 8, random: createRandomStream(2), start }),
    batchSize: 8,
    epochs: 10,
    // So many that the running statistics have settled.
    steps: 60,
    optimizer: sgd({ weightDecay: 1e-4 }),
    learningRate: 0.05,
    random: createRandomStream(3),
  });
  ({ network, weights } = await bakeShiftWeights({ runtime, network: fixed, weights: trained.weights }));
  blocks = integerBlocks(network, weights);
});
afterAll(() => runtime.release());

/** Of the first test image. */
const activations = () =>
  blockActivations({
    runtime,
    network,
    weights,
    blocks,
    pixels: dataset.images("test").subarray(0, 3 * height * width),
  });

it("finds the blocks that end in a ReLU, with weights of their widths", () => {
  expect(blocks.map(({ name }) => name)).toEqual(["stage1.0.first", "stage2.0.first", "stage3.0.first"]);
  for (const { shift, add, normalization, toAdd } of blocks) {
    expect(Math.max(...shift.shifts)).toBeLessThanOrEqual(14);
    expect(shift.shape.slice(0, 1)).toEqual(add.shape.slice(0, 1));
    expect(Math.max(...normalization.factors.map(Math.abs))).toBeLessThan(2 ** (blockWidths.factor - 1));
    expect(Number.isInteger(toAdd)).toBe(true);
  }
});

it("gives the same bits on the units' models as in integer arithmetic, for a trained network's activations", async () => {
  const values = await activations();
  blocks.forEach((block, index) => {
    const image = integersOf(values[index]!.input, block.inputUnit);
    const expected = runIntegerBlock(block, image);
    const found = runBlockOnUnits(block, image);
    expect(found).toEqual(expected);
    expect(new Set(found.values).size).toBeGreaterThan(4);
  });
});

it("gives the same bits for inputs at the ends of their range, where registers are fullest", () => {
  const draw = createRandomStream(5);
  const limit = 2 ** (blockWidths.shiftInput - 1) - 1;
  for (const block of blocks) {
    const channels = block.shift.shape[1];
    const values = Int32Array.from({ length: channels * 25 }, () => [limit, -limit, 0, 1, -1][draw.integer(5)]!);
    const image = { channels, height: 5, width: 5, values };
    expect(runBlockOnUnits(block, image)).toEqual(runIntegerBlock(block, image));
  }
});

it("is the network in float32 but for its rounding", async () => {
  const values = await activations();
  let off = 0;
  let all = 0;
  blocks.forEach((block, index) => {
    const { input, output } = values[index]!;
    const found = runIntegerBlock(block, integersOf(input, block.inputUnit));
    const expected = codesOf(output, block.outputUnit, blockWidths.output);
    const most = Math.max(...expected);
    found.values.forEach((value, place) => {
      all += 1;
      // A hundredth of a percent of the largest value, or three steps of the 16 bits.
      if (Math.abs(value - expected[place]!) > Math.max(3, 1e-4 * most)) off += 1;
      // Where float32 rounds a sum to the other side of a half, an 8-bit operand is one step off.
      expect(Math.abs(value - expected[place]!)).toBeLessThanOrEqual(0.02 * most);
    });
  });
  expect(off / all).toBeLessThan(0.05);
  expect(tensorNumbers(values[0]!.output).length).toBeGreaterThan(0);
});

// A trained network's blocks in integers against the models of their units, for ShiftAddNet's reproduction.

import { bakeShiftWeights } from "@dovetail/compress";
import type { PieceContext } from "../reproduction/reproduction.js";
import { blockInputs } from "./block-activations.js";
import { type Experiment, type NetworkChoice, networkFor } from "./experiment.js";
import { type IntegerFigures, keptName } from "./figures.js";
import { integerBlocks } from "./integer-block.js";
import { precisions } from "./precision.js";
import { runBlockOnUnits, runIntegerBlock } from "./run-integer-block.js";
import { atPrecision } from "./training.js";

/** Every block of the network trained in `fixed16` takes the activations of training images; outputs are compared. */
export async function runIntegers(
  experiment: Experiment,
  choice: NetworkChoice,
  { runtime, dataset: load, kept, watch }: PieceContext,
): Promise<IntegerFigures> {
  const dataset = await load(experiment.data);
  const fixed = atPrecision(networkFor(experiment, choice, dataset), precisions.fixed16);
  const { tensors } = await kept(keptName.fixed(choice.name));
  const { network, weights } = await bakeShiftWeights({ runtime, network: fixed, weights: tensors });
  const blocks = integerBlocks(network, weights);
  const [channels, height, width] = dataset.imageShape;
  const size = channels * height * width;
  let [values, differing] = [0, 0];
  for (let image = 0; image < experiment.integerImages; image++) {
    watch.signal?.throwIfAborted();
    const pixels = dataset.images("train").subarray(image * size, (image + 1) * size);
    const inputs = await blockInputs({ runtime, network, weights, blocks, pixels });
    blocks.forEach((block, index) => {
      const expected = runIntegerBlock(block, inputs[index]!).values;
      const found = runBlockOnUnits(block, inputs[index]!).values;
      values += expected.length;
      expected.forEach((value, place) => {
        if (value !== found[place]) differing += 1;
      });
    });
    watch.onProgress?.({
      task: `integers ${choice.name}`,
      done: image + 1,
      total: experiment.integerImages,
      unit: "images",
    });
  }
  return { blocks: blocks.length, images: experiment.integerImages, values, differing };
}

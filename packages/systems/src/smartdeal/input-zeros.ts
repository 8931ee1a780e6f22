// How many zeros the layers' inputs have, measured: what inference saves on the side of activations.

import { GraphBuilder, scalar, type Tensor, tensorNumbers } from "@dovetail/graph";
import { type Network, predictionGraph } from "@dovetail/models";
import { layersOf } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import { type ImageDataset, iterateBatches } from "@dovetail/train";

const imagesSeen = 200;

/** Share of zeros in the input of each layer, by the name of its node, over the first 200 training images or all. */
export async function inputZeros(options: {
  readonly runtime: Runtime;
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly dataset: ImageDataset;
}): Promise<Record<string, number>> {
  const { runtime, network, weights, dataset } = options;
  const layers = layersOf(network);
  const g = GraphBuilder.from({ ...predictionGraph(network), outputs: [] });
  layers.forEach(({ input }, index) => {
    const value = g.value(input);
    const axes = value.type.shape!.map((_, axis) => axis);
    g.output(g.reduceMean(g.cast(g.equal(value, g.scalar(0)), "float32"), axes), `zeros${index}`);
  });
  const segment = await runtime.compile(g.build(), { state: runtime.createState(weights) });
  const count = Math.min(imagesSeen, dataset.parts.train.count);
  const batch = iterateBatches(dataset, "train", count).next().value!;
  const image: Tensor = { elementType: "float32", dimensions: [count, ...dataset.imageShape], data: batch.images };
  const scalars = Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(value)]));
  const outputs = await segment.run({ ...scalars, [network.image]: image });
  await segment.release();
  return Object.fromEntries(layers.map(({ node }, index) => [node.name, tensorNumbers(outputs[`zeros${index}`]!)[0]!]));
}

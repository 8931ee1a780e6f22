import { type Graph, scalar, type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import { type DatasetPart, type ImageDataset, iterateBatches, parametersOf } from "@dovetail/train";

export interface CalibrateOptions {
  readonly runtime: Runtime;
  /** In float32. */
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly dataset: ImageDataset;
  /** `train` by default. */
  readonly part?: DatasetPart | undefined;
  /** The first images of the part; 1,000 by default. */
  readonly images?: number | undefined;
}

const batchSize = 100;

/** From raw pixels to what the network takes. */
function toRange(images: Float32Array, { imageRange: [low, high] }: Network): Float32Array {
  return low === 0 && high === 255 ? images : images.map((value) => low + (value * (high - low)) / 255);
}

/** Means of a graph's outputs over batches of 100 images; its inputs are the network's. */
export async function averageOverBatches(options: CalibrateOptions, graph: Graph): Promise<Map<string, Tensor>> {
  const { runtime, network, weights, dataset, part = "train", images = 1000 } = options;
  const state = runtime.createState(parametersOf(network, weights));
  const segment = await runtime.compile(graph, { state });
  const scalars = Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(value)] as const));
  const sums = new Map<string, { readonly sum: Float64Array; readonly shape: readonly number[] }>();
  let batches = 0;
  for (const batch of iterateBatches(dataset, part, Math.min(batchSize, dataset.parts[part].count))) {
    if (batches * batchSize >= images) break;
    const image = tensorFromData("float32", [batch.count, ...dataset.imageShape], toRange(batch.images, network));
    const outputs = await segment.run({ ...scalars, [network.image]: image });
    for (const [name, output] of Object.entries(outputs)) {
      const values = tensorNumbers(output);
      const entry = sums.get(name) ?? { sum: new Float64Array(values.length), shape: output.dimensions };
      values.forEach((value, index) => {
        entry.sum[index]! += value;
      });
      sums.set(name, entry);
    }
    batches += 1;
  }
  await segment.release();
  return new Map(
    [...sums].map(([name, { sum, shape }]) => [
      name,
      tensorFromData(
        "float32",
        shape,
        Float32Array.from(sum, (total) => total / batches),
      ),
    ]),
  );
}

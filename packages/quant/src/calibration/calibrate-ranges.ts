import {
  eliminateDeadCode,
  type Graph,
  GraphBuilder,
  scalar,
  type Tensor,
  tensorFromData,
  tensorNumbers,
} from "@dovetail/graph";
import { type Network, predictionGraph } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import { type DatasetPart, type ImageDataset, iterateBatches, parametersOf } from "@dovetail/train";
import { rangeName } from "../quantizers/fake-quantize.js";
import { quantizationPoints } from "../quantizers/points.js";

export interface CalibrateOptions {
  readonly runtime: Runtime;
  /** In float32: the network that will be given to `fakeQuantize`. */
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly dataset: ImageDataset;
  /** `train` by default. */
  readonly part?: DatasetPart | undefined;
  /** The first images of the part; 1,000 by default. */
  readonly images?: number | undefined;
}

const batchSize = 100;

/**
 * Ranges of the stored activations, as the parameters that `fakeQuantize` declares: the largest magnitude in a batch of
 * 100 images, averaged over the batches (which a single outlier moves less than it would the overall maximum).
 */
export async function calibrateRanges(options: CalibrateOptions): Promise<Map<string, Tensor>> {
  const { runtime, network, weights, dataset, part = "train", images = 1000 } = options;
  const state = runtime.createState(parametersOf(network, weights));
  const segment = await runtime.compile(magnitudeGraph(network), { state });
  const scalars = Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(value)] as const));
  const sums = new Map<string, number>();
  let batches = 0;
  for (const batch of iterateBatches(dataset, part, Math.min(batchSize, dataset.parts[part].count))) {
    if (batches * batchSize >= images) break;
    const image = tensorFromData("float32", [batch.count, ...dataset.imageShape], batch.images);
    const outputs = await segment.run({ ...scalars, [network.image]: image });
    for (const [name, magnitude] of Object.entries(outputs)) {
      sums.set(name, (sums.get(name) ?? 0) + tensorNumbers(magnitude)[0]!);
    }
    batches += 1;
  }
  await segment.release();
  return new Map([...sums].map(([name, sum]) => [name, scalar(sum / batches)]));
}

/** The network with the magnitudes of its stored activations as the only outputs, under their ranges' names. */
function magnitudeGraph(network: Network): Graph {
  const g = GraphBuilder.from({ ...predictionGraph(network), outputs: [] });
  for (const { value } of quantizationPoints(network).activations) {
    const magnitude = g.op("ReduceMax", [g.abs(g.value(value))], { keepdims: 0 });
    g.output(magnitude, rangeName(value));
  }
  return eliminateDeadCode(g.build());
}

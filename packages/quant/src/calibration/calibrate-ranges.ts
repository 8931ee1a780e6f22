import { eliminateDeadCode, type Graph, GraphBuilder, type Tensor } from "@dovetail/graph";
import { predictionGraph } from "@dovetail/models";
import { rangeName } from "../quantizers/fake-quantize.js";
import { quantizationPoints } from "../quantizers/points.js";
import { averageOverBatches, type CalibrateOptions } from "./average-over-batches.js";

/**
 * Ranges of the stored activations, as the parameters that `fakeQuantize` declares: the largest magnitude in a batch of
 * 100 images, averaged over the batches (which a single outlier moves less than it would the overall maximum).
 * `network` is the one that will be given to `fakeQuantize`.
 */
export function calibrateRanges(options: CalibrateOptions): Promise<Map<string, Tensor>> {
  return averageOverBatches(options, magnitudeGraph(options.network));
}

/** The network with the magnitudes of its stored activations as the only outputs, under their ranges' names. */
function magnitudeGraph(network: CalibrateOptions["network"]): Graph {
  const g = GraphBuilder.from({ ...predictionGraph(network), outputs: [] });
  for (const { value } of quantizationPoints(network).activations) {
    const magnitude = g.op("ReduceMax", [g.abs(g.value(value))], { keepdims: 0 });
    g.output(magnitude, rangeName(value));
  }
  return eliminateDeadCode(g.build());
}

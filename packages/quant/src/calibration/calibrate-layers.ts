import { eliminateDeadCode, GraphBuilder, type Tensor } from "@dovetail/graph";
import { predictionGraph } from "@dovetail/models";
import { type PlanOptions, planLayers } from "../layers/plan.js";
import { averageOverBatches, type CalibrateOptions } from "./average-over-batches.js";

export interface CalibrateLayersOptions extends CalibrateOptions, PlanOptions {
  /** Bits that learnt steps start for; 8 by default. */
  readonly weightBits?: number | undefined;
  readonly activationBits?: number | undefined;
}

/**
 * First values of the parameters that `quantizeLayers` adds to this network with the same options, from a trained network:
 * ranges of activations; LSQ's steps, 2 · mean|v| / √Q_P, of weights and of activations. Those of activations are means over
 * batches of 100 images. Parameters that start at a published constant (PACT's clipping values) are left out.
 */
export async function calibrateLayers(options: CalibrateLayersOptions): Promise<Map<string, Tensor>> {
  const { network, weightBits = 8, activationBits = 8 } = options;
  const g = GraphBuilder.from({ ...predictionGraph(network), outputs: [] });
  const plans = planLayers(network, options);
  const sites = new Map(
    plans.flatMap(({ input, weight }) => [[input, activationBits] as const, [weight, weightBits] as const]),
  );
  for (const [{ key, value, quantizer }, bits] of sites) {
    const start = g.scope(`start/${key}`, () => quantizer.start?.(g, g.value(value), g.scalar(bits)) ?? {});
    for (const [name, first] of Object.entries(start)) g.output(first, `${key}:${name}`);
  }
  if (g.outputs.length === 0) return new Map();
  return averageOverBatches(options, eliminateDeadCode(g.build()));
}

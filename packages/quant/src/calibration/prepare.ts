import type { Tensor } from "@dovetail/graph";
import { foldBatchNorms, type Network } from "@dovetail/models";
import { type FakeQuantizeOptions, fakeQuantize } from "../quantizers/fake-quantize.js";
import type { CalibrateOptions } from "./average-over-batches.js";
import { calibrateRanges } from "./calibrate-ranges.js";

export interface PrepareOptions extends CalibrateOptions, FakeQuantizeOptions {}

/** A network made ready for quantization-aware training, and for integer export. */
export interface PreparedNetwork {
  /** In float32, batch normalizations folded: what `exportQdqModel` and `withBitWidths` take. */
  readonly folded: Network;
  /** The same with quantizers: what is trained and evaluated. */
  readonly quantized: Network;
  /** Parameters of both, ranges included. */
  readonly weights: Map<string, Tensor>;
}

/**
 * Folds a trained network's batch normalizations, measures the ranges of its activations and adds quantizers. The
 * result is quantized after training; `train` on `quantized` fine-tunes it.
 */
export async function prepareQuantization(options: PrepareOptions): Promise<PreparedNetwork> {
  const { network: folded, weights } = foldBatchNorms(options.network, options.weights);
  const ranges = await calibrateRanges({ ...options, network: folded, weights });
  return { folded, quantized: fakeQuantize(folded, options), weights: new Map([...weights, ...ranges]) };
}

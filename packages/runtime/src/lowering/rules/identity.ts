import type { ImageShape, OpenConvolution } from "../forms.js";
import type { LoweringContext } from "../rule.js";

/** A 1×1 depthwise convolution that changes nothing. */
export function identityConvolution(
  { emitter }: LoweringContext,
  x: string,
  { paddedChannels }: ImageShape,
): OpenConvolution {
  const ones = emitter.floats([paddedChannels, 1, 1, 1], new Array<number>(paddedChannels).fill(1));
  return { inputs: [x, ones, ""], attributes: { kernel_shape: [1, 1], group: paddedChannels } };
}

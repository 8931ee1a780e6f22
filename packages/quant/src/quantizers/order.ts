import { inputError } from "@dovetail/core";
import type { Network } from "@dovetail/models";

/** Ends of the names of the scalar inputs that quantizers add. */
const quantizerInputs = /(^|\.)(weightBits|activationBits|errorBits|weightGradientBits)$/;

/** Throws when a network has quantizers already: those that are put in front of others later would not be seen by them. */
export function requireUnquantized(network: Network): void {
  const scalar = network.scalars.find(({ name }) => quantizerInputs.test(name));
  if (!scalar) return;
  throw inputError("quantization_order", `network "${network.name}" is quantized already`, {
    expected: "weights and activations quantized first and once, gradients then",
    received: `a network with the scalar input "${scalar.name}"`,
  });
}

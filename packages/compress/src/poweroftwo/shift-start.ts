import { type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import type { Network } from "@dovetail/models";

const startOf: Readonly<Record<string, (weight: number) => number>> = {
  exponent: (weight) => Math.log2(Math.max(Math.abs(weight), 2 ** -126)),
  sign: Math.sign,
  latent: (weight) => weight,
};

/**
 * First values of a shift network's parameters from the weights of the network that it was made of (DeepShift's conversion
 * of a trained network): exponent log₂|w| inside the parameter's bounds, sign −1, 0 or 1. Parameters of other kinds are
 * taken over.
 */
export function shiftStart(network: Network, plain: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const { name, shape, bounds: [low, high] = [-Infinity, Infinity] } of network.parameters) {
    const [, weightName, suffix] = /^(.*):(exponent|sign|latent)$/.exec(name) ?? [];
    const given = plain.get(weightName ?? name);
    if (!given) continue;
    const start = suffix === undefined ? undefined : startOf[suffix];
    const numbers = start && tensorNumbers(given).map((weight) => Math.min(high, Math.max(low, start(weight))));
    values.set(name, numbers ? tensorFromData("float32", [...shape], Float32Array.from(numbers)) : given);
  }
  return values;
}

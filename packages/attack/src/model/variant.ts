import { inputError } from "@dovetail/core";
import type { Network } from "@dovetail/models";

/**
 * One form that a defence may take: values of the network's scalar inputs (bit-widths, a precision's index), and how
 * probable the defender's draw of it is. A network that draws nothing has one variant, of probability 1.
 */
export interface Variant {
  readonly name: string;
  /** The network's own values where nothing is said. */
  readonly scalars: Readonly<Record<string, number>>;
  readonly probability: number;
}

/** Variants that are drawn with equal probability. */
export function uniformVariants(settings: readonly Omit<Variant, "probability">[]): readonly Variant[] {
  return settings.map((setting) => ({ ...setting, probability: 1 / settings.length }));
}

/** The one variant of a network that draws nothing. */
export const deterministic: readonly Variant[] = [{ name: "network", scalars: {}, probability: 1 }];

/** Throws an input error unless names differ, and probabilities are positive and add up to 1. */
export function requireDistribution(variants: readonly Variant[]): void {
  const sum = variants.reduce((total, { probability }) => total + probability, 0);
  if (variants.some(({ probability }) => !(probability > 0)) || Math.abs(sum - 1) > 1e-9) {
    throw inputError("variant_probabilities", "variants of a defence", {
      expected: "positive probabilities that add up to 1",
      received: variants.map(({ name, probability }) => `${name}: ${probability}`).join(", ") || "no variants",
    });
  }
  const names = variants.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw inputError("variant_names", "variants of a defence", {
    expected: "names that differ",
    received: `"${twice}" twice`,
  });
}

/** Throws an input error unless each scalar of the variants is one of the network's. */
export function requireScalars(network: Network, variants: readonly Variant[]): void {
  const known = network.scalars.map(({ name }) => name);
  for (const { name, scalars } of variants) {
    const foreign = Object.keys(scalars).find((scalar) => !known.includes(scalar));
    if (foreign === undefined) continue;
    throw inputError("unknown_scalar", `variant "${name}" of network "${network.name}"`, {
      expected: known.join(", ") || "no scalars",
      received: foreign,
    });
  }
}

import { internalError } from "@dovetail/core";
import type { Network } from "@dovetail/models";
import { createExpectation, type Expectation } from "./expectation.js";
import { createLossRunner, type LossRunnerOptions } from "./loss-runner.js";
import type { Oracle, Passes } from "./oracle.js";
import { deterministic, requireVariants, type Variant } from "./variant.js";

export interface DefenceOptions extends LossRunnerOptions {
  /** What the defender draws from; by default it draws nothing. */
  readonly variants?: readonly Variant[] | undefined;
}

/** A network with its weights and the set of forms that the defender draws from. */
export interface Defence {
  readonly network: Network;
  readonly variants: readonly Variant[];
  readonly classCount: number;
  /** [channels, height, width]. */
  readonly imageShape: readonly [number, number, number];
  readonly imageSize: number;
  /** The defence as an attacker sees it who knows its variants but not its draw. */
  readonly oracle: Oracle;
  /** As `oracle`, over some of the variants, their probabilities in proportion. Throws on an unknown name. */
  over(names: readonly string[], expectation?: Expectation): Oracle;
  /** Work done so far by all of its oracles. */
  passes(): Passes;
  release(): Promise<void>;
}

/**
 * Opens a network for attacks. Each loss is compiled once, for all variants. Throws input errors when the variants do
 * not fit the network, or its images have sizes that are not known.
 */
export function openDefence(options: DefenceOptions): Defence {
  const { network, variants = deterministic } = options;
  requireVariants(network, variants);
  const runner = createLossRunner(options);
  return {
    network,
    variants,
    classCount: network.classCount,
    imageShape: runner.imageShape,
    imageSize: runner.imageSize,
    oracle: createExpectation(runner, variants),
    over: (names, expectation) => createExpectation(runner, chooseVariants(variants, names), expectation),
    passes: runner.passes,
    release: runner.release,
  };
}

function chooseVariants(variants: readonly Variant[], names: readonly string[]): readonly Variant[] {
  const chosen = names.map((name) => {
    const variant = variants.find((candidate) => candidate.name === name);
    if (variant) return variant;
    throw internalError("unknown_variant", `no variant "${name}"`, {
      expected: variants.map((candidate) => candidate.name).join(", "),
    });
  });
  const sum = chosen.reduce((total, { probability }) => total + probability, 0);
  return chosen.map((variant) => ({ ...variant, probability: variant.probability / sum }));
}

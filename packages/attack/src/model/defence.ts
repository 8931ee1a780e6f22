import { inputError, internalError } from "@dovetail/core";
import type { Network } from "@dovetail/models";
import { createExpectation, type Expectation, type Member } from "./expectation.js";
import { createLossRunner, type LossRunner, type LossRunnerOptions } from "./loss-runner.js";
import type { Oracle, Passes } from "./oracle.js";
import { deterministic, requireDistribution, requireScalars, type Variant } from "./variant.js";

export interface DefenceOptions extends LossRunnerOptions {
  /** What the defender draws from; by default it draws nothing. */
  readonly variants?: readonly Variant[] | undefined;
}

/** A network with some of a defence's variants. */
export type DefenceMember = Pick<DefenceOptions, "network" | "weights" | "variants">;

/** Networks with their weights, and the set of forms that the defender draws from. */
export interface Defence {
  /** One for each file or set of weights; one alone where variants differ by scalars. Images are in [0, 1]. */
  readonly networks: readonly Network[];
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
export function openDefence({ runtime, batchSize, ...member }: DefenceOptions): Defence {
  return openDefenceOfNetworks({ runtime, batchSize, members: [member] });
}

/**
 * Opens several networks as one defence, which draws from the variants of all: a file for each precision, say. The
 * probabilities of all of them add up to 1. Throws as `openDefence`, and when images or classes differ.
 */
export function openDefenceOfNetworks(
  options: Pick<DefenceOptions, "runtime" | "batchSize"> & { readonly members: readonly DefenceMember[] },
): Defence {
  const members = options.members.flatMap(({ network, weights, variants = deterministic }): Member[] => {
    requireScalars(network, variants);
    const { runtime, batchSize } = options;
    const runner = createLossRunner({ runtime, batchSize, network, weights });
    return variants.map((variant) => ({ runner, variant }));
  });
  requireDistribution(members.map(({ variant }) => variant));
  const runners = [...new Set(members.map(({ runner }) => runner))];
  const first = runners[0]!;
  for (const runner of runners) requireSame(first, runner);
  return {
    networks: runners.map(({ network }) => network),
    variants: members.map(({ variant }) => variant),
    classCount: first.network.classCount,
    imageShape: first.imageShape,
    imageSize: first.imageSize,
    oracle: createExpectation(members),
    over: (names, expectation) => createExpectation(chooseMembers(members, names), expectation),
    passes: () => sumOf(runners.map((runner) => runner.passes())),
    release: async () => {
      for (const runner of runners) await runner.release();
    },
  };
}

function requireSame(first: LossRunner, other: LossRunner): void {
  const describe = ({ imageShape, network }: LossRunner): string =>
    `images of ${imageShape.join("×")}, ${network.classCount} classes`;
  if (describe(first) === describe(other)) return;
  throw inputError("networks_differ", `networks of a defence: "${other.network.name}"`, {
    expected: describe(first),
    received: describe(other),
  });
}

function chooseMembers(members: readonly Member[], names: readonly string[]): readonly Member[] {
  const chosen = names.map((name) => {
    const member = members.find(({ variant }) => variant.name === name);
    if (member) return member;
    throw internalError("unknown_variant", `no variant "${name}"`, {
      expected: members.map(({ variant }) => variant.name).join(", "),
    });
  });
  const sum = chosen.reduce((total, { variant }) => total + variant.probability, 0);
  return chosen.map(({ runner, variant }) => ({
    runner,
    variant: { ...variant, probability: variant.probability / sum },
  }));
}

function sumOf(passes: readonly Passes[]): Passes {
  return passes.reduce((sum, { forward, forwardAndBackward }) => ({
    forward: sum.forward + forward,
    forwardAndBackward: sum.forwardAndBackward + forwardAndBackward,
  }));
}

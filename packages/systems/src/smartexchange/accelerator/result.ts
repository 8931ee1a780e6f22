import { z } from "zod";
import { type BaselineName, baselineNames, type MachineName, machineNames, unstructuredNames } from "./machines.js";
import { type StudyNetwork, studyNetworks } from "./statistics.js";
import { type VariantName, variantNames, variants } from "./variants.js";

const costFields = {
  energyPj: z.number(),
  latencyCycles: z.number(),
  macs: z.number(),
  /** By part: the units, then memories by name. */
  partsPj: z.record(z.string(), z.number()),
  /** Cycles of layers that wait for a port, by memory. */
  waitingCycles: z.record(z.string(), z.number()),
};

/** An image through a network on a machine, each layer with the best mapping that was found for it. */
export const resultSchema = z.object({
  machine: z.enum(machineNames),
  /** Of the machine that it is one of. */
  variant: z.enum(variantNames).optional(),
  network: z.enum(studyNetworks),
  seed: z.number(),
  ...costFields,
});

/** A network that was compressed here, with what was measured of it: means of the layers. */
export const ownResultSchema = z.object({
  network: z.string(),
  costs: z.record(z.enum(machineNames), z.object(costFields)),
  weightZeroFraction: z.number(),
  /** Zero in a filter, and in all filters that work in step. */
  zeroRowsOfWeights: z.number(),
  zeroRowsInStep: z.number(),
  activationZeroFraction: z.number(),
  zeroRowsOfActivations: z.number(),
  /** The machines for zeros anywhere, with the network pruned to the same storage. */
  pruned: z
    .object({
      costs: z.record(z.enum(unstructuredNames), z.object(costFields)),
      weightZeroFraction: z.number(),
      activationZeroFraction: z.number(),
    })
    .optional(),
});

export type OwnResult = z.output<typeof ownResultSchema>;

export type StudyResult = z.output<typeof resultSchema>;
export type Figure = "energyPj" | "latencyCycles";

/** Results by what they are of. */
export interface Results {
  readonly networks: readonly StudyNetwork[];
  readonly seeds: readonly number[];
  at(machine: MachineName, network: StudyNetwork, seed: number): StudyResult;
  /** With the first seed. */
  variant(name: VariantName, network: StudyNetwork): StudyResult;
  readonly variants: readonly VariantName[];
}

export function resultsOf(all: readonly StudyResult[]): Results {
  const key = (machine: string, network: string, seed: number, variant = ""): string =>
    [machine, variant, network, seed].join("|");
  const byKey = new Map(all.map((each) => [key(each.machine, each.network, each.seed, each.variant), each]));
  const found = (name: string): StudyResult => {
    const result = byKey.get(name);
    if (result === undefined) throw new Error(`no result of ${name}`);
    return result;
  };
  const networks = studyNetworks.filter((name) => all.some(({ network }) => network === name));
  const seeds = [...new Set(all.map(({ seed }) => seed))].sort((a, b) => a - b);
  return {
    networks,
    seeds,
    at: (machine, network, seed) => found(key(machine, network, seed)),
    variant: (name, network) => found(key(variants[name].of, network, seeds[0]!, name)),
    variants: [...new Set(all.flatMap(({ variant }) => (variant === undefined ? [] : [variant])))],
  };
}

/** A baseline's figure over SmartExchange's: above 1, SmartExchange is ahead. */
export function ratio(
  results: Results,
  baseline: BaselineName,
  network: StudyNetwork,
  figure: Figure,
  seed = results.seeds[0]!,
): number {
  return results.at(baseline, network, seed)[figure] / results.at("SmartExchange", network, seed)[figure];
}

/** Over all networks and baselines. */
export function ratios(results: Results, figure: Figure, seed = results.seeds[0]!): number[] {
  return results.networks.flatMap((network) =>
    baselineNames.map((baseline) => ratio(results, baseline, network, figure, seed)),
  );
}

/** The same with a variant in place of the machine that it is of. */
export function variantRatios(results: Results, variant: VariantName, figure: Figure): number[] {
  return results.networks.flatMap((network) => {
    const of = (machine: MachineName): number =>
      (variants[variant].of === machine
        ? results.variant(variant, network)
        : results.at(machine, network, results.seeds[0]!))[figure];
    return baselineNames.map((baseline) => of(baseline) / of("SmartExchange"));
  });
}

/** Networks on which SmartExchange is at least as good as every baseline. */
export function networksAhead(results: Results, figure: Figure, seed: number): number {
  return results.networks.filter((network) =>
    baselineNames.every((baseline) => ratio(results, baseline, network, figure, seed) >= 1),
  ).length;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

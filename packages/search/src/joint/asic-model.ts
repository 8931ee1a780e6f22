// An ASIC of a parametrised family: energy-delay product of the layers' mappings, under an area limit.

import { DovetailError, inputError, type RandomStream } from "@dovetail/core";
import {
  type Architecture,
  architectureAreaUm2,
  createMappingCache,
  type EyerissLikeParameters,
  extractWorkloads,
  eyerissLike,
  eyerissLikeChoices,
  eyerissLikeDefaults,
  type Layer,
  type MapNetworkResult,
  mapNetworkOnArchitecture,
} from "@dovetail/hardware";
import {
  considerDesigns,
  createDesignSearch,
  type DesignCost,
  type DesignSearchState,
  type DesignSpace,
  refineDesign,
  searchDesign,
} from "../differentiable/design-search.js";
import type { HardwareModel, Redesign, RedesignOptions, SpaceLayers } from "./hardware-model.js";

export type AsicParameter = keyof typeof eyerissLikeChoices;

/** One accelerator of the family. */
export interface AsicDesign {
  readonly parameters: Readonly<Record<AsicParameter, number>>;
  readonly architecture: Architecture;
  readonly areaMm2: number;
}

export interface AsicModelOptions {
  readonly clockHz: number;
  /** Upper bounds. */
  readonly limits: {
    readonly areaMm2?: number | undefined;
    readonly latencyCycles?: number | undefined;
    readonly energyPj?: number | undefined;
  };
  /** Mappings evaluated per layer shape and design. */
  readonly mapperEvaluations: number;
  readonly learningRate: number;
  /** For the mapper; only its identity counts. */
  readonly random: RandomStream;
}

const parameterNames = Object.keys(eyerissLikeChoices) as AsicParameter[];

/** The family's discrete space, as the design search sees it. */
export const asicDesignSpace: DesignSpace = {
  parameters: parameterNames.map((name) => ({ name, options: eyerissLikeChoices[name].length })),
};

/** What a processing element has beside its multiplier. */
export type AsicUnits = Pick<EyerissLikeParameters, "operations" | "rebuildsWeights">;

/**
 * What the layers of a network need beside a multiplier: units for its shift and add layers, and engines where it has
 * weights in SmartExchange's form.
 */
export function asicUnitsFor(layers: readonly Layer[]): AsicUnits {
  const kinds = new Set(layers.map(({ problem }) => problem.operation ?? "multiply"));
  return {
    operations: (["shift", "add"] as const).filter((kind) => kinds.has(kind)),
    rebuildsWeights: layers.some(({ weights }) => weights.annotation?.structured !== undefined),
  };
}

const noUnits: AsicUnits = { operations: [], rebuildsWeights: false };

/** The accelerator with these parameters. */
export function asicDesign(
  parameters: Readonly<Record<AsicParameter, number>>,
  clockHz: number,
  units: AsicUnits = noUnits,
): AsicDesign {
  const architecture = eyerissLike({ ...parameters, clockHz, ...units });
  return { parameters, architecture, areaMm2: architectureAreaUm2(architecture) * 1e-6 };
}

/** The family's default accelerator. */
export function referenceAsicDesign(clockHz: number, units: AsicUnits = noUnits): AsicDesign {
  const parameters = Object.fromEntries(parameterNames.map((name) => [name, eyerissLikeDefaults[name]]));
  return asicDesign(parameters as Record<AsicParameter, number>, clockHz, units);
}

function designOf(indices: readonly number[], clockHz: number, units: AsicUnits): AsicDesign {
  const parameters = Object.fromEntries(
    parameterNames.map((name, index) => [name, (eyerissLikeChoices[name] as readonly number[])[indices[index]!]!]),
  );
  return asicDesign(parameters as Record<AsicParameter, number>, clockHz, units);
}

/** The design with the units that layers need which it was not made for: an operator's price is that of a machine that has it. */
function equipped(design: AsicDesign, layers: readonly Layer[], clockHz: number): AsicDesign {
  const { compute, rebuild } = design.architecture;
  const needed = asicUnitsFor(layers);
  const has = { shift: compute.shiftPj !== undefined, add: compute.addPj !== undefined };
  const isWhole = needed.operations.every((kind) => has[kind]) && (rebuild !== undefined || !needed.rebuildsWeights);
  if (isWhole) return design;
  const operations = (["shift", "add"] as const).filter((kind) => has[kind] || needed.operations.includes(kind));
  const rebuildsWeights = rebuild !== undefined || needed.rebuildsWeights;
  return asicDesign(design.parameters, clockHz, { operations, rebuildsWeights });
}

/** The course of a redesign: what each design cost, null where it did not fit, and the best before it. */
export type DesignTrace = readonly {
  readonly evaluation: number;
  readonly logCost: number | null;
  readonly bestLogCost: number | null;
}[];

export interface AsicModel extends HardwareModel<Layer, AsicDesign, DesignSearchState> {
  redesign(
    layers: readonly Layer[],
    state: DesignSearchState | undefined,
    options: RedesignOptions,
  ): Promise<Redesign<AsicDesign, DesignSearchState> & { readonly trace: DesignTrace }>;
  /** Mappings of a network's layers on a design, with an effort of the caller's choice. Throws when a layer has none. */
  map(layers: readonly Layer[], design: AsicDesign, evaluations: number): MapNetworkResult;
}

/** The family's default and its smallest accelerator: whatever the limit, the search has something to start from. */
const knownDesigns: readonly (readonly number[])[] = [
  parameterNames.map((name) => (eyerissLikeChoices[name] as readonly number[]).indexOf(eyerissLikeDefaults[name])),
  parameterNames.map(() => 0),
];

export function createAsicModel(options: AsicModelOptions): AsicModel {
  const { clockHz, limits, mapperEvaluations, learningRate } = options;
  const cache = createMappingCache();
  const mapping = (layers: readonly Layer[], design: AsicDesign, evaluations: number): MapNetworkResult =>
    mapNetworkOnArchitecture(layers, equipped(design, layers, clockHz).architecture, {
      objective: "edp",
      evaluations,
      random: options.random,
      cache,
    });
  const totals = (layers: readonly Layer[], design: AsicDesign): readonly [number, number] => {
    const result = mapping(layers, design, mapperEvaluations);
    return result.ok ? [result.energyPj, result.latencyCycles] : [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  };
  const logCost = (layers: readonly Layer[], design: AsicDesign): number => {
    const [energyPj, latencyCycles] = totals(layers, design);
    return Math.log(energyPj) + Math.log(latencyCycles);
  };
  const evaluate = (layers: readonly Layer[], indices: readonly number[]): DesignCost => {
    const design = designOf(indices, clockHz, asicUnitsFor(layers));
    const [energyPj, latencyCycles] = totals(layers, design);
    if (!Number.isFinite(energyPj)) return { ok: false, reason: "a layer has no mapping" };
    const usage = [
      design.areaMm2 / (limits.areaMm2 ?? Number.POSITIVE_INFINITY),
      latencyCycles / (limits.latencyCycles ?? Number.POSITIVE_INFINITY),
      energyPj / (limits.energyPj ?? Number.POSITIVE_INFINITY),
    ];
    return { ok: true, logCost: Math.log(energyPj) + Math.log(latencyCycles), usage };
  };

  return {
    layersOf: (graph) => extractWorkloads(graph, { batchSize: 1 }).layers,
    referenceDesign: referenceAsicDesign(clockHz),
    logCost,
    map: mapping,
    operatorPrices: (space, distributions, design) =>
      expectedPrices(space, distributions, (layers) => totals(layers, design)),
    async redesign(layers, previous, { evaluations, random, watch }) {
      // What was best for another network is no measure for this one.
      const state: DesignSearchState = previous
        ? { ...structuredClone(previous), best: undefined, baseline: undefined }
        : createDesignSearch(asicDesignSpace, 3);
      const before = state.evaluations;
      const trace: DesignTrace[number][] = [];
      let nearest: readonly number[] = [Number.POSITIVE_INFINITY];
      const evaluateHere = (indices: readonly number[]): DesignCost => {
        watch?.signal?.throwIfAborted();
        watch?.onProgress?.({
          task: "search accelerator",
          done: state.evaluations - before,
          total: evaluations + knownDesigns.length,
          unit: "designs",
        });
        const cost = evaluate(layers, indices);
        if (cost.ok && Math.max(...cost.usage) < Math.max(...nearest)) nearest = cost.usage;
        const logCostFound = cost.ok ? cost.logCost : null;
        trace.push({ evaluation: trace.length, logCost: logCostFound, bestLogCost: state.best?.logCost ?? null });
        return cost;
      };
      await considerDesigns(state, knownDesigns, evaluateHere);
      const bySampling = Math.ceil((2 * evaluations) / 3);
      await searchDesign(state, evaluateHere, { evaluations: bySampling, learningRate }, random.split("sample"));
      await refineDesign(state, asicDesignSpace, evaluateHere, { evaluations: evaluations - bySampling });
      if (!state.best) throw noDesign(options, nearest);
      return {
        design: designOf(state.best.design, clockHz, asicUnitsFor(layers)),
        state,
        evaluations: state.evaluations - before,
        trace,
      };
    },
  };
}

/** Says for each bound that the nearest design breaks what that design has. `nearest` is its use of each limit. */
function noDesign({ limits, clockHz }: AsicModelOptions, nearest: readonly number[]): DovetailError {
  const bounds = [
    { name: "areaMm2", unit: "mm²", limit: limits.areaMm2 },
    { name: "latencyMs", unit: "ms", limit: limits.latencyCycles && (limits.latencyCycles * 1000) / clockHz },
    { name: "energyPj", unit: "pJ", limit: limits.energyPj },
  ];
  const broken = bounds.flatMap(({ name, unit, limit }, index) => {
    const use = nearest[index];
    if (limit === undefined || use === undefined || use <= 1) return [];
    return [
      {
        code: "constraint_infeasible",
        kind: "input" as const,
        message: "no accelerator of the family that was tried keeps this bound",
        path: ["constraints", name],
        expected: `at least ${(limit * use).toPrecision(4)} ${unit}, the nearest that was found`,
        received: `${limit.toPrecision(4)} ${unit}`,
      },
    ];
  });
  if (broken.length > 0) return new DovetailError(broken);
  return inputError("layer_unmapped", "no accelerator that was tried can run all layers of the network");
}

/**
 * Prices at the expected network (FBNet, arXiv 1812.03443, eq. 6): with E = Σ p·energy and L = Σ p·latency,
 * log(E·L) has the slope energy/E + latency/L.
 */
function expectedPrices(
  space: SpaceLayers<Layer>,
  distributions: readonly (readonly number[])[],
  totalsOf: (layers: readonly Layer[]) => readonly [number, number],
): { logCost: number; prices: number[][] } {
  let [energyPj, latencyCycles] = totalsOf(space.fixed);
  const costs = space.positions.map((operators) => operators.map(totalsOf));
  costs.forEach((operators, position) => {
    operators.forEach(([energy, latency], operator) => {
      const p = distributions[position]![operator]!;
      energyPj += p * energy;
      latencyCycles += p * latency;
    });
  });
  return {
    logCost: Math.log(energyPj) + Math.log(latencyCycles),
    prices: costs.map((operators) => operators.map(([energy, latency]) => energy / energyPj + latency / latencyCycles)),
  };
}

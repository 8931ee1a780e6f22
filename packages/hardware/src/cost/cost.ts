import type { AnalysisOptions } from "../analysis/analysis.js";
import type { MappingRejection } from "../analysis/check.js";

/**
 * - `timeloop`: counts as Timeloop does (`docs/models/access-counts.md`)
 * - `exact`: counts what a machine moves that works through the mapping (`docs/models/exact.md`); takes remainders
 */
export type CostModel = "timeloop" | "exact";

export const costModels: readonly CostModel[] = ["timeloop", "exact"];

export interface CostOptions extends AnalysisOptions {
  /** Default `exact`. `halo` is a matter of the model *timeloop* alone. */
  readonly model?: CostModel | undefined;
  /** Whether memories and compute units in use leak all the time. Default true. */
  readonly leakage?: boolean | undefined;
}

/** Cost of one data space at one level. Counts are words per instance in use, energies of all instances together. */
export interface DataSpaceCost {
  readonly dataSpace: string;
  readonly tileWords: number;
  readonly partitionWords: number;
  readonly reads: number;
  /** Words written from above or by neighbours. */
  readonly fills: number;
  /** Words written from below. */
  readonly updates: number;
  readonly temporalReductions: number;
  /** Words that one access moves. */
  readonly wordsPerAccess: number;
  readonly readAccesses: number;
  readonly fillAccesses: number;
  readonly updateAccesses: number;
  readonly energyPerInstancePj: number;
  readonly energyPj: number;
}

export interface LevelCost {
  readonly level: string;
  /** In use. */
  readonly instances: number;
  /** Groups of instances in use that one access serves together; the same as `instances` without clusters. */
  readonly clusters: number;
  /** The data spaces that the level keeps. */
  readonly dataSpaces: readonly DataSpaceCost[];
  /** What its bandwidths leave of full speed, at most 1. */
  readonly slowdown: number;
  /** Cycles that the level needs for its share of the layer. */
  readonly cycles: number;
  /** Accesses of all data spaces. */
  readonly accessEnergyPj: number;
  readonly leakagePj: number;
}

export interface ComputeCost {
  readonly name: string;
  /** In use. */
  readonly units: number;
  readonly macs: number;
  /** Multiply-accumulates of one unit (of the busiest): cycles when nothing holds it up. */
  readonly cycles: number;
  readonly energyPj: number;
  readonly leakagePj: number;
}

/** What the latency is due to: the compute units, or one port of one level. */
export type LimitingResource =
  | { readonly resource: "compute" }
  | { readonly resource: "bandwidth"; readonly level: string; readonly port: "read" | "write" | "shared" };

/** Cycles in the model *exact*: where they come from, and between which bounds a machine's cycles lie. */
export interface ExactCycles {
  /** Before the units can begin: the first tiles come in. Not whole. */
  readonly fillCycles: number;
  /** After the units have ended: the last results go out. Not whole. */
  readonly drainCycles: number;
  /** The simulator is never faster: each port is busy for so long, and the units with their first tiles before them. */
  readonly least: number;
  /** It is never slower: all units and ports one after another. */
  readonly most: number;
}

/** Cost of a layer under a mapping, with where it comes from. */
export interface MappingCost {
  readonly ok: true;
  readonly energyPj: number;
  readonly latencyCycles: number;
  /** When the architecture says its clock. */
  readonly latencyMs?: number | undefined;
  /** Energy in joules times latency in cycles, the figure that Timeloop prints. */
  readonly edpJouleCycles: number;
  /** Cycles with all compute units busy, over latency. */
  readonly utilization: number;
  readonly macs: number;
  readonly areaUm2: number;
  /** Outermost first. */
  readonly levels: readonly LevelCost[];
  readonly compute: ComputeCost;
  readonly limitedBy: LimitingResource;
  /** Of the model *exact* only. */
  readonly exactCycles?: ExactCycles | undefined;
  /** The model that made these figures, and what it was checked against. */
  readonly model: string;
}

export type CostResult = MappingCost | MappingRejection;

/** The cost model that options ask for. */
export function costModelOf({ model = "exact" }: Pick<CostOptions, "model">): CostModel {
  return model;
}

/** Stamped into results, so that figures of different models are never mixed up. */
export function costModelName(options: CostOptions): string {
  const { halo = "timeloop-default" } = options;
  const model = costModelOf(options);
  const { neighbourLinks = true, elideFirstReads = true, leakage = true } = options;
  const departures = [
    ...(model === "exact" || halo === "timeloop-default" ? [] : [`halo ${halo}`]),
    ...(neighbourLinks ? [] : ["no neighbour links"]),
    ...(elideFirstReads ? [] : ["first reads counted"]),
    ...(leakage ? [] : ["no leakage"]),
  ];
  return [modelNames[model], ...departures].join(", ");
}

const modelNames: Readonly<Record<CostModel, string>> = {
  timeloop: "loop nest, as Timeloop 4cf6d4c (2025-03-31)",
  exact: "exact loop nest, version 1",
};

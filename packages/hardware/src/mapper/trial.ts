import { internalError, type ProgressListener, type RandomStream } from "@dovetail/core";
import { describeRejection, type MappingRejection, type RejectionRecord } from "../analysis/check.js";
import { decodeMapping } from "../analysis/code.js";
import type { Architecture } from "../architecture/architecture.js";
import type { CostOptions, MappingCost } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import type { Mapping } from "../mapping/mapping.js";
import { type Candidate, copyCandidate, createCandidate } from "../mapspace/candidate.js";
import { createMapspace, type Mapspace } from "../mapspace/mapspace.js";
import { dropUnitDimensions } from "../mapspace/unit-dimensions.js";
import type { Problem } from "../workload/problem.js";
import { prepareLeanCost } from "./lean-cost.js";
import { type Objective, objectives } from "./objective.js";

/** Effort when none is asked for. */
export const DEFAULT_EVALUATIONS = 300;

export interface MapperOptions extends CostOptions {
  readonly random: RandomStream;
  /** Default `edp`. */
  readonly objective?: Objective | undefined;
  /** Most calls of the cost model. Default 300. */
  readonly evaluations?: number | undefined;
  /** Mappings to begin with, e.g. of a similar accelerator; those that do not fit are repaired or left out. */
  readonly seeds?: readonly Mapping[] | undefined;
  /**
   * Whether bounds may cover more than the layer, with sizes that fill the array better. The effort is then shared between
   * the layer and its enlarged versions. In the model *timeloop* the layer is padded; in the model *exact* the last
   * iterations are smaller, which is the default there. Otherwise, by default, all bounds multiply to the layer's sizes.
   */
  readonly padding?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** The best value so far and the evaluation that found it: pJ · cycles, pJ, or cycles with a fraction that grows with energy. */
export interface TracePoint {
  readonly evaluation: number;
  readonly value: number;
}

/** The best mapping that a search found. */
export interface MappedLayer {
  readonly ok: true;
  readonly mapping: Mapping;
  /** Of the padded problem where there is one: what is computed in vain is charged, and counts as use of the units. */
  readonly cost: MappingCost;
  /** The enlarged layer that the mapping belongs to; absent when the layer is mapped as it is, or with remainders. */
  readonly paddedProblem?: Problem | undefined;
  /** Calls of the cost model; fewer than allowed when the search ran out of new mappings. */
  readonly evaluations: number;
  /** Every improvement; values only fall. */
  readonly trace: readonly TracePoint[];
}

/** No mapping fitted; the rejection is that of the candidate which came nearest. */
export interface UnmappedLayer {
  readonly ok: false;
  readonly rejection: MappingRejection;
  readonly evaluations: number;
}

export type MapLayerResult = MappedLayer | UnmappedLayer;

/** One search in progress: judges candidates and remembers the best. */
export interface Trial {
  readonly space: Mapspace;
  readonly random: RandomStream;
  readonly evaluationLimit: number;
  evaluations: number;
  /** Value of a candidate; infinite when it does not fit. Throws the signal's reason when cancelled. */
  assess(candidate: Candidate): number;
  /** The best mapping with its cost, or the nearest rejection. */
  finish(): MapLayerResult;
}

/**
 * Compiles what a search needs. Its mapspace is that of the layer without the dimensions of size 1. `executed`: the layer
 * that is costed, where the model takes remainders and the mapspace is of an enlarged layer.
 */
export function startTrial(
  problem: Problem,
  architecture: Architecture,
  options: MapperOptions,
  executed: Problem = problem,
): Trial {
  const { objective = "edp", evaluations: evaluationLimit = DEFAULT_EVALUATIONS, random, signal, onProgress } = options;
  const reduced = dropUnitDimensions(problem);
  const space = createMapspace(reduced, architecture);
  const costed = executed === problem ? reduced : dropUnitDimensions(executed);
  const evaluator = prepareLeanCost(costed, architecture, options);
  const { rejection } = evaluator;
  const score = objectives[objective];
  const best = createCandidate(space.tables);
  let bestValue = Number.POSITIVE_INFINITY;
  let nearest: RejectionRecord | undefined;
  const trace: TracePoint[] = [];
  const trial: Trial = {
    space,
    random,
    evaluationLimit,
    evaluations: 0,
    assess(candidate) {
      trial.evaluations++;
      if (trial.evaluations % 256 === 0) {
        signal?.throwIfAborted();
        onProgress?.({ task: "map layer", done: trial.evaluations, total: evaluationLimit, unit: "evaluations" });
      }
      const { valid, energyPj, latencyCycles } = evaluator.evaluate(candidate);
      if (!valid) {
        if (nearest === undefined || excess(rejection) < excess(nearest)) nearest = { ...rejection };
        return Number.POSITIVE_INFINITY;
      }
      const value = score(energyPj, latencyCycles);
      if (value < bestValue) {
        bestValue = value;
        copyCandidate(candidate, best);
        trace.push({ evaluation: trial.evaluations, value });
      }
      return value;
    },
    finish() {
      const { evaluations } = trial;
      if (trace.length === 0) return { ok: false, rejection: whyNone(space, nearest), evaluations };
      const mapping = decodeMapping(space.tables, best);
      const cost = evaluateCost(costed, architecture, mapping, options);
      if (!cost.ok) throw internalError("best_mapping_rejected", "the best mapping no longer fits");
      return { ok: true, mapping, cost, evaluations, trace };
    },
  };
  signal?.throwIfAborted();
  return trial;
}

/** By what factor a rejected candidate asks for too much. */
function excess({ needed, available }: RejectionRecord): number {
  return available > 0 ? needed / available : Number.POSITIVE_INFINITY;
}

function whyNone(space: Mapspace, nearest: RejectionRecord | undefined): MappingRejection {
  if (space.obstacle !== undefined) return space.obstacle;
  if (nearest !== undefined) return describeRejection(space.tables, nearest);
  throw internalError("nothing_assessed", "a search must assess a candidate before it gives up");
}

import { restoreRandomStream } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import { type ExactMapperOptions, mapLayerExactly, type Proof } from "../branch-and-bound/map-exactly.js";
import type { Problem } from "../workload/problem.js";
import { mapLayer } from "./evolutionary.js";
import { mapLayerExhaustively } from "./exhaustive.js";
import { mapLayerByGradient } from "./gradient.js";
import { mapLayerRandomly } from "./random.js";
import type { MapLayerResult, MapperOptions } from "./trial.js";

// All mappers by name: they search one mapspace with one cost model.

export const mapperNames = ["evolutionary", "exact", "gradient", "random", "exhaustive"] as const;

/**
 * - `evolutionary`: builds mappings by plan, then breeds (`mapLayer`)
 * - `exact`: branch and bound with a proof (`mapLayerExactly`)
 * - `gradient`: descent over relaxed bounds (`mapLayerByGradient`)
 * - `random`: independent draws, uniform over the mapspace (`mapLayerRandomly`)
 * - `exhaustive`: one after another (`mapLayerExhaustively`)
 */
export type MapperName = (typeof mapperNames)[number];

/** Of all mappers; each takes what concerns it. */
export interface AnyMapperOptions extends MapperOptions, Pick<ExactMapperOptions, "nodes" | "tolerance"> {
  /** Default `evolutionary`. */
  readonly mapper?: MapperName | undefined;
}

/** A proof comes from the exact mapper alone. */
export type AnyMapResult = MapLayerResult & Partial<Proof>;

type Mapper = (problem: Problem, architecture: Architecture, options: AnyMapperOptions) => AnyMapResult;

const mappers: Readonly<Record<MapperName, Mapper>> = {
  evolutionary: mapLayer,
  exact: mapLayerExactly,
  gradient: mapLayerByGradient,
  random: mapLayerRandomly,
  exhaustive: mapLayerExhaustively,
};

/**
 * Maps a layer with the mapper that the options name.
 *
 * @throws what that mapper throws.
 */
export function mapLayerWith(problem: Problem, architecture: Architecture, options: AnyMapperOptions): AnyMapResult {
  return mappers[options.mapper ?? "evolutionary"](problem, architecture, options);
}

/**
 * A search as plain data, to be sent to a thread or a web worker: the caller starts the workers and deals out jobs, this
 * package starts none.
 */
export interface MapJob {
  readonly problem: Problem;
  readonly architecture: Architecture;
  /** State of the job's random stream, for instance of `random.split(index)`. */
  readonly random: ReturnType<MapperOptions["random"]["state"]>;
  readonly options: Omit<AnyMapperOptions, "random" | "signal" | "onProgress">;
}

/** Does a job: a pure function of it, whose result is plain data too. `watch` is for the thread that does it. */
export function runMapJob(job: MapJob, watch: Pick<MapperOptions, "signal" | "onProgress"> = {}): AnyMapResult {
  const { problem, architecture, random, options } = job;
  return mapLayerWith(problem, architecture, { ...options, ...watch, random: restoreRandomStream(random) });
}

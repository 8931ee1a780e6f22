import type { Architecture } from "../architecture/architecture.js";
import type { Problem } from "../workload/problem.js";
import { shapeKey } from "../workload/problem.js";
import { architectureKey, type MappingCache, mappingKey } from "./cache.js";
import { type AnyMapperOptions, type AnyMapResult, type MapJob, runMapJob } from "./mappers.js";

export interface NetworkLayer {
  readonly problem: Problem;
  /** Times that the network runs this layer. Default 1. */
  readonly count?: number | undefined;
}

export interface NetworkMapperOptions extends Omit<AnyMapperOptions, "seeds"> {
  /** Results of earlier searches, also of other networks and architectures. */
  readonly cache?: MappingCache | undefined;
}

/** A network with every layer mapped; layers run one after another. */
export interface MappedNetwork {
  readonly ok: true;
  /** One per layer, in their order; layers of one shape share the result. */
  readonly layers: readonly Extract<AnyMapResult, { ok: true }>[];
  readonly energyPj: number;
  readonly latencyCycles: number;
  /** Energy in joules times latency in cycles, of the network as a whole. */
  readonly edpJouleCycles: number;
  /** Calls of the cost model; what the cache knew cost none. */
  readonly evaluations: number;
}

/** A network of which some layers have no mapping. */
export interface UnmappedNetwork {
  readonly ok: false;
  readonly layers: readonly AnyMapResult[];
  /** Indices of the layers without a mapping. */
  readonly unmapped: readonly number[];
  readonly evaluations: number;
}

export type MapNetworkResult = MappedNetwork | UnmappedNetwork;

/**
 * Maps every distinct shape (`shapeKey`) of a network once. `evaluations` is the effort per shape. Each shape draws from
 * a stream of its own, split off by its key: its result does not depend on the order or company of the layers.
 *
 * @throws the signal's reason when cancelled.
 */
export function mapNetwork(
  layers: readonly NetworkLayer[],
  architecture: Architecture,
  options: NetworkMapperOptions,
): MapNetworkResult {
  const { cache, signal, onProgress } = options;
  const jobs = networkJobs(layers, architecture, options);
  const results = new Map<string, AnyMapResult>();
  let evaluations = 0;
  for (const { key, job } of jobs) {
    const known = cache?.get(key);
    const result = known ?? runMapJob(job, { signal });
    if (known === undefined) {
      cache?.set(key, result);
      evaluations += result.evaluations;
    }
    results.set(shapeKey(job.problem), result);
    onProgress?.({ task: "map network", done: results.size, total: jobs.length, unit: "shapes" });
  }
  const mapped = layers.map(({ problem }) => results.get(shapeKey(problem))!);
  const unmapped = mapped.flatMap((result, index) => (result.ok ? [] : [index]));
  if (unmapped.length > 0) return { ok: false, layers: mapped, unmapped, evaluations };
  const found = mapped.filter((result) => result.ok);
  const sum = (value: (layer: (typeof found)[number]) => number): number =>
    found.reduce((total, layer, index) => total + value(layer) * (layers[index]!.count ?? 1), 0);
  const energyPj = sum(({ cost }) => cost.energyPj);
  const latencyCycles = sum(({ cost }) => cost.latencyCycles);
  return {
    ok: true,
    layers: found,
    energyPj,
    latencyCycles,
    edpJouleCycles: energyPj * 1e-12 * latencyCycles,
    evaluations,
  };
}

/** One search of `mapNetwork`: a job for a thread, and the key under which its result belongs in the cache. */
export interface NetworkJob {
  readonly key: string;
  readonly job: MapJob;
}

/**
 * The searches that `mapNetwork` would make, one for every distinct shape. With their results in the cache that it is
 * given (`cache.set(key, runMapJob(job))`, wherever the jobs are done), it searches nothing and returns what it returns
 * without them.
 */
export function networkJobs(
  layers: readonly NetworkLayer[],
  architecture: Architecture,
  options: NetworkMapperOptions,
): NetworkJob[] {
  const { cache: _, random, onProgress: __, signal: ___, ...rest } = options;
  const shapes = new Map(layers.map(({ problem }) => [shapeKey(problem), problem]));
  const platform = architectureKey(architecture);
  return [...shapes].map(([shape, problem]) => {
    const own = random.split(shape);
    const key = mappingKey(platform, problem, { ...rest, random: own });
    return { key, job: { problem, architecture, random: own.state(), options: rest } };
  });
}

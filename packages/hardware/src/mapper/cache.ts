import type { Architecture } from "../architecture/architecture.js";
import type { Problem } from "../workload/problem.js";
import { shapeKey } from "../workload/problem.js";
import type { AnyMapperOptions, AnyMapResult } from "./mappers.js";

/** Results of searches, so that a shape is searched once per architecture, mapper, effort, objective, cost model and stream. */
export interface MappingCache {
  get(key: string): AnyMapResult | undefined;
  set(key: string, result: AnyMapResult): void;
  readonly size: number;
}

export interface MappingCacheOptions {
  /** Most results held; the least recently used goes first. Default 4096 (a few KiB each). */
  readonly capacity?: number | undefined;
}

export function createMappingCache({ capacity = 4096 }: MappingCacheOptions = {}): MappingCache {
  const results = new Map<string, AnyMapResult>();
  return {
    get(key) {
      const result = results.get(key);
      if (result === undefined) return undefined;
      results.delete(key);
      results.set(key, result);
      return result;
    },
    set(key, result) {
      results.delete(key);
      results.set(key, result);
      if (results.size > capacity) results.delete(results.keys().next().value!);
    },
    get size() {
      return results.size;
    },
  };
}

/** Key of an architecture in caches: equal for architectures that differ in nothing but their own name. */
export function architectureKey(architecture: Architecture): string {
  return JSON.stringify({ ...architecture, name: undefined });
}

/** Key of a layer's result on an architecture (by its key). The random stream counts by its identity, not by its draws. */
export function mappingKey(architectureKey: string, problem: Problem, options: AnyMapperOptions): string {
  const { random, signal: _, onProgress: __, ...settings } = options;
  return [shapeKey(problem), JSON.stringify(sorted(settings)), random.state().identity.join(), architectureKey].join(
    "\n",
  );
}

/** The same record whatever the order in which its fields were written. */
function sorted(record: object): object {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

import { Worker } from "node:worker_threads";
import { type Diagnostic, DovetailError, internalError, workerUrl } from "@dovetail/core";
import type { AnyMapResult, MapJob, MappingCache, NetworkJob } from "@dovetail/hardware";
import type { CommandWatch } from "../terminal/command-io.js";

/** What a thread answers. */
export type MapReply = { readonly result: AnyMapResult } | { readonly diagnostics: readonly Diagnostic[] };

/**
 * Does jobs on worker threads and puts their results into the cache. Which thread does which job changes no result.
 *
 * @throws the signal's reason when cancelled, and what a job throws.
 */
export async function fillCache(
  jobs: readonly NetworkJob[],
  threads: number,
  cache: MappingCache,
  { signal, onProgress }: CommandWatch,
): Promise<void> {
  const distinct = [...new Map(jobs.map((job) => [job.key, job])).values()];
  let next = 0;
  let done = 0;
  const workers = Array.from({ length: Math.min(threads, distinct.length) }, () => {
    return new Worker(workerUrl(import.meta.url, "./map-worker.js"), { execArgv: [] });
  });
  const serve = async (worker: Worker): Promise<void> => {
    while (next < distinct.length) {
      signal.throwIfAborted();
      const { key, job } = distinct[next++]!;
      const reply = await ask(worker, job, signal);
      if ("diagnostics" in reply) throw new DovetailError(reply.diagnostics);
      cache.set(key, reply.result);
      onProgress({ task: "map", done: ++done, total: distinct.length, unit: "shapes" });
    }
  };
  try {
    await Promise.all(workers.map(serve));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, job: MapJob, signal: AbortSignal): Promise<MapReply> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off("message", answered).off("error", failed).off("exit", ended);
      signal.removeEventListener("abort", cancelled);
    };
    const answered = (reply: MapReply): void => {
      settle();
      resolve(reply);
    };
    const failed = (error: unknown): void => {
      settle();
      reject(error);
    };
    const ended = (code: number): void =>
      failed(internalError("map_thread_ended", `a mapping thread ended with ${code}`));
    const cancelled = (): void => failed(signal.reason);
    worker.on("message", answered).on("error", failed).on("exit", ended);
    signal.addEventListener("abort", cancelled);
    worker.postMessage(job);
  });
}

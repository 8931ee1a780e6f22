import { parentPort } from "node:worker_threads";
import { DovetailError } from "@dovetail/core";
import { type MapJob, runMapJob } from "@dovetail/hardware";
import type { MapReply } from "./map-threads.js";

// A thread that does mapping jobs, one after another (`map-threads.ts`).

function reply(job: MapJob): MapReply {
  try {
    return { result: runMapJob(job) };
  } catch (error) {
    // Errors lose their diagnostics on the way between threads.
    if (error instanceof DovetailError) return { diagnostics: error.diagnostics };
    throw error;
  }
}

parentPort!.on("message", (job: MapJob) => parentPort!.postMessage(reply(job)));

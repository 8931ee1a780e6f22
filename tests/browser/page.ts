import { edgeTpuFront, type MappingJob } from "./jobs.js";

// Bundlers see a worker's file only where the URL is written out inside `new Worker`.
function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}

/** Maps in a worker while this thread goes on: `frames` counts what it drew meanwhile. */
function mapInWorker(job: MappingJob): Promise<unknown> {
  const worker = startWorker();
  let frames = 0;
  let reports = 0;
  const timer = setInterval(() => frames++, 16);
  return new Promise((resolve, reject) => {
    worker.addEventListener("error", (event) => reject(new Error(event.message)));
    worker.addEventListener("message", ({ data }) => {
      if (data.progress) {
        reports++;
        return;
      }
      clearInterval(timer);
      worker.terminate();
      resolve({ layers: data.layers, frames, reports });
    });
    worker.postMessage(job);
  });
}

async function front(): Promise<unknown> {
  const fetched = async (name: string) => new Uint8Array(await (await fetch(name)).arrayBuffer());
  return edgeTpuFront({ cells: await fetched("cells"), fbnet: await fetched("fbnet") });
}

Object.assign(globalThis, { dovetail: { mapInWorker, front } });

import { parentPort, workerData } from "node:worker_threads";
import { controlWords, jobAddress, type KernelWorkerData, openKernels } from "./thread-pool.js";

// Sleeps until there is a job, works on it, says when it is done.

const { module, memory, index } = workerData as KernelWorkerData;
const kernels = await openKernels(module, memory);
const control = new Int32Array(memory.buffer);
let turn = Atomics.load(control, controlWords.turn);
parentPort?.postMessage("ready");

for (;;) {
  Atomics.wait(control, controlWords.turn, turn);
  turn += 1;
  if (Atomics.load(control, controlWords.isClosed) !== 0) break;
  try {
    kernels.work(jobAddress, control[controlWords.scratch]! + index * control[controlWords.scratchBytes]!);
  } catch {
    Atomics.store(control, controlWords.failed, 1);
  }
  Atomics.sub(control, controlWords.pending, 1);
  Atomics.notify(control, controlWords.pending);
}

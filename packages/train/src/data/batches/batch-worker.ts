import { parentPort, workerData } from "node:worker_threads";
import { restoreRandomStream } from "@dovetail/core";
import { type BatchMemory, type BatchPosition, createBatchFiller } from "./batch-plan.js";
import type { BatchWorkerData, BatchWorkerReply } from "./batch-stream.js";

// Fills one batch after the other, in the order in which they are asked for. The memory travels back and forth.

const { plan, random } = workerData as BatchWorkerData;
const fill = createBatchFiller(plan, restoreRandomStream(random));

parentPort?.on("message", ({ position, memory }: { position: BatchPosition; memory: BatchMemory }) => {
  const count = fill(position, memory);
  const reply: BatchWorkerReply = { position, memory, count };
  parentPort?.postMessage(reply, [memory.images.buffer as ArrayBuffer, memory.labels.buffer as ArrayBuffer]);
});

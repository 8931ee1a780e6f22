import { Worker } from "node:worker_threads";
import { inputError, internalError, type RandomStream, type RandomStreamState, workerUrl } from "@dovetail/core";
import type { DatasetPart, ImageDataset } from "../dataset.js";
import { type Augmentation, noAugmentation } from "./augmentation.js";
import { allocateBatch, type BatchMemory, type BatchPlan, type BatchPosition, stepsPerEpoch } from "./batch-plan.js";

/** Some images and labels, ready for a training step. */
export interface Batch extends BatchPosition {
  readonly count: number;
  /** [count, C, H, W], 0–255, in unshared memory. Valid until the next batch is asked for. */
  readonly images: Float32Array;
  /** Class of each image. Valid until the next batch is asked for. */
  readonly labels: BigInt64Array;
}

export interface BatchStreamOptions {
  readonly dataset: ImageDataset;
  readonly part: DatasetPart;
  readonly batchSize: number;
  /** Only its identity counts, not what was drawn from it. */
  readonly random: RandomStream;
  readonly augmentation?: Augmentation | undefined;
  /** Default: true. */
  readonly shuffle?: boolean | undefined;
  /** Leave out a last batch that is not full. Default: true. */
  readonly dropLast?: boolean | undefined;
  /** Number of the epoch before which the stream ends. Default: never. */
  readonly epochs?: number | undefined;
  /** The first batch to give. Default: the very first. */
  readonly start?: BatchPosition | undefined;
  /** Batches made ready ahead of time. Default: 3. */
  readonly ahead?: number | undefined;
}

/** Batches, made by a worker thread ahead of time. */
export interface BatchStream extends AsyncIterable<Batch> {
  readonly stepsPerEpoch: number;
  /** Place of the batch that `next` gives next: what a checkpoint has to keep. */
  readonly position: BatchPosition;
  /** The next batch, or undefined behind the last epoch. The batch given before becomes invalid. */
  next(): Promise<Batch | undefined>;
  /** Ends the worker. */
  close(): Promise<void>;
}

/** What the worker is started with. */
export interface BatchWorkerData {
  readonly plan: BatchPlan;
  readonly random: RandomStreamState;
}

/** What the worker sends back for each batch. */
export interface BatchWorkerReply {
  readonly position: BatchPosition;
  readonly memory: BatchMemory;
  readonly count: number;
}

/**
 * Starts a stream of batches. The bits of each batch depend on data set, options, the stream's identity and the batch's
 * position only, not on the worker's timing; a stream that starts at a later position gives the same batches from there.
 * An idle stream does not keep the process alive. One
 * consumer at a time. Throws input errors `batch_size` and `batch_position`.
 */
export function createBatchStream(options: BatchStreamOptions): BatchStream {
  const plan = createBatchPlan(options);
  const steps = stepsPerEpoch(plan.labels.length, plan.batchSize, plan.dropLast);
  const epochs = options.epochs ?? Number.POSITIVE_INFINITY;
  let position = checkStart(options.start ?? { epoch: 0, step: 0 }, steps);
  const supply = startSupply(plan, options.random);
  let asked = position;
  let given: BatchMemory | undefined;

  const ask = (memory: BatchMemory): void => {
    if (asked.epoch >= epochs) return;
    supply.ask(asked, memory);
    asked = following(asked, steps);
  };
  for (let slot = 0; slot < (options.ahead ?? 3); slot++) ask(allocateBatch(plan.batchSize, plan.imageShape));

  const next = async (): Promise<Batch | undefined> => {
    if (position.epoch >= epochs) return undefined;
    if (given) ask(given);
    given = undefined;
    const { memory, count, position: place } = await supply.take();
    given = memory;
    position = following(place, steps);
    const values = (memory.images.length / plan.batchSize) * count;
    return { ...place, count, images: memory.images.subarray(0, values), labels: memory.labels.subarray(0, count) };
  };
  return {
    stepsPerEpoch: steps,
    get position() {
      return position;
    },
    next,
    close: supply.close,
    async *[Symbol.asyncIterator]() {
      for (let batch = await next(); batch; batch = await next()) yield batch;
    },
  };
}

function createBatchPlan({ dataset, part, ...options }: BatchStreamOptions): BatchPlan {
  return {
    images: dataset.images(part),
    labels: dataset.labels(part),
    imageShape: dataset.imageShape,
    batchSize: options.batchSize,
    dropLast: options.dropLast ?? true,
    shuffle: options.shuffle ?? true,
    augmentation: options.augmentation ?? noAugmentation,
    fill: dataset.channelMean,
  };
}

function checkStart(start: BatchPosition, steps: number): BatchPosition {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  if (isCount(start.epoch) && isCount(start.step) && start.step < steps) return start;
  throw inputError("batch_position", "no such place in the stream of batches", {
    path: ["start"],
    expected: `an epoch from 0 and a step from 0 to ${steps - 1}`,
    received: `epoch ${start.epoch}, step ${start.step}`,
  });
}

function following({ epoch, step }: BatchPosition, steps: number): BatchPosition {
  return step + 1 < steps ? { epoch, step: step + 1 } : { epoch: epoch + 1, step: 0 };
}

interface Supply {
  ask(position: BatchPosition, memory: BatchMemory): void;
  /** The oldest batch that was asked for and not taken. */
  take(): Promise<BatchWorkerReply>;
  close(): Promise<void>;
}

/** A worker and its replies, which come in the order of the questions. */
function startSupply(plan: BatchPlan, random: RandomStream): Supply {
  const workerData: BatchWorkerData = { plan, random: random.state() };
  const worker = new Worker(workerUrl(import.meta.url, "./batch-worker.js"), { workerData, execArgv: [] });
  const ready: BatchWorkerReply[] = [];
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const fail = (message: string): void => {
    failure ??= internalError("batch_worker", message);
    wake?.();
  };
  worker.on("message", (reply: BatchWorkerReply) => {
    ready.push(reply);
    wake?.();
  });
  worker.on("error", (error) => fail(`the worker that makes batches failed: ${(error as Error).message}`));
  worker.on("exit", () => fail("the stream of batches has been closed"));
  worker.unref();

  return {
    ask({ epoch, step }, memory) {
      const transfer = [memory.images.buffer as ArrayBuffer, memory.labels.buffer as ArrayBuffer];
      if (!failure) worker.postMessage({ position: { epoch, step }, memory }, transfer);
    },
    async take() {
      // Only while somebody waits for a batch may the worker keep the process alive.
      worker.ref();
      while (ready.length === 0 && !failure) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      worker.unref();
      const reply = ready.shift();
      if (failure || !reply) throw failure ?? internalError("batch_worker", "no batch was made");
      return reply;
    },
    async close() {
      await worker.terminate();
    },
  };
}

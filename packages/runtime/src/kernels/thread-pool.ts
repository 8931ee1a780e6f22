// Threads that run kernels over one shared WebAssembly memory.

import { Worker } from "node:worker_threads";
import { internalError, workerUrl } from "@dovetail/core";
import { adderWasm } from "./generated/adder-wasm.js";

/** What the module exports. */
export interface KernelExports {
  /** Does tasks of the job at this address until none is left; `scratch` is the calling thread's own memory. */
  readonly work: (job: number, scratch: number) => void;
  /** 14 · `rounds` independent vector operations in registers. */
  readonly peakForward: (rounds: number) => number;
}

/** What a thread is started with. */
export interface KernelWorkerData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** 1, 2, …; the calling thread is 0. */
  readonly index: number;
}

/** Words of the memory through which threads are told what to do. */
export const controlWords = { turn: 256, pending: 257, failed: 258, isClosed: 259, scratch: 260, scratchBytes: 261 };
/** Where a job's fields lie. */
export const jobAddress = 4 * 264;
/** What lies behind belongs to the job that runs. */
const freeAddress = 4096;
const pageBytes = 65_536;

/** A job's memory: taken piece by piece, and free again at the next job. */
export interface JobMemory {
  /** Address of `bytes` bytes, a multiple of 16. */
  take(bytes: number): number;
  /** Copies values into memory of their own and returns its address. */
  put(values: Int32Array | Float32Array): number;
  /** Views of memory that was taken; they hold until more is taken. */
  floats(address: number, count: number): Float32Array;
  words(address: number, count: number): Int32Array;
}

export interface KernelThreads {
  readonly threads: number;
  /**
   * Runs one job on all threads, the calling one among them, and waits. `prepare` fills the memory and returns the job's
   * fields and how many bytes of scratch each thread needs.
   */
  run(prepare: (memory: JobMemory) => { readonly fields: Int32Array; readonly scratchBytes: number }): void;
  /** Views of results; they hold until the next job. */
  readonly memory: JobMemory;
  release(): Promise<void>;
}

/** Compiles the kernels. */
export function compileKernels(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(Buffer.from(adderWasm, "base64"));
}

/** Memory that threads share. It grows as jobs need it. */
export function createKernelMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
}

/** The kernels over a memory. */
export async function openKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<KernelExports> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as unknown as KernelExports;
}

/** Starts `threads` − 1 workers. They do not keep the process alive. */
export async function startKernelThreads(threads: number): Promise<KernelThreads> {
  const module = await compileKernels();
  const memory = createKernelMemory();
  const kernels = await openKernels(module, memory);
  const workers = Array.from({ length: threads - 1 }, (_, index) => startWorker({ module, memory, index: index + 1 }));
  await Promise.all(workers.map(({ isReady }) => isReady));
  const control = new Int32Array(memory.buffer);
  const jobMemory = createJobMemory(memory);
  return {
    threads,
    memory: jobMemory,
    run: (prepare) => {
      jobMemory.clear();
      const { fields, scratchBytes } = prepare(jobMemory);
      const scratch = jobMemory.take(threads * aligned(scratchBytes));
      jobMemory.words(jobAddress, fields.length).set(fields);
      control[controlWords.scratch] = scratch;
      control[controlWords.scratchBytes] = aligned(scratchBytes);
      Atomics.store(control, controlWords.pending, workers.length);
      Atomics.add(control, controlWords.turn, 1);
      Atomics.notify(control, controlWords.turn);
      kernels.work(jobAddress, scratch);
      for (;;) {
        const pending = Atomics.load(control, controlWords.pending);
        if (pending === 0) break;
        Atomics.wait(control, controlWords.pending, pending);
      }
      if (Atomics.load(control, controlWords.failed) !== 0) {
        throw internalError("kernel_failed", "a thread of the add layer's kernels has failed");
      }
    },
    release: async () => {
      Atomics.store(control, controlWords.isClosed, 1);
      Atomics.add(control, controlWords.turn, 1);
      Atomics.notify(control, controlWords.turn);
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}

function startWorker(workerData: KernelWorkerData): { readonly worker: Worker; readonly isReady: Promise<void> } {
  const worker = new Worker(workerUrl(import.meta.url, "./kernel-worker.js"), { workerData, execArgv: [] });
  const isReady = new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  return { worker, isReady: isReady.then(() => worker.unref()) };
}

const aligned = (bytes: number): number => Math.ceil(bytes / 16) * 16;

function createJobMemory(memory: WebAssembly.Memory): JobMemory & { clear(): void } {
  let next = freeAddress;
  const own: JobMemory & { clear(): void } = {
    clear: () => {
      next = freeAddress;
    },
    take: (bytes) => {
      const address = next;
      next += aligned(bytes);
      const missing = next - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
      return address;
    },
    put: (values) => {
      const address = own.take(values.byteLength);
      if (values instanceof Float32Array) own.floats(address, values.length).set(values);
      else own.words(address, values.length).set(values);
      return address;
    },
    floats: (address, count) => new Float32Array(memory.buffer, address, count),
    words: (address, count) => new Int32Array(memory.buffer, address, count),
  };
  return own;
}

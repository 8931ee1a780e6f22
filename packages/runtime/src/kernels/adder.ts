// The add layer on the CPU: jobs for the kernels of assembly/adder.ts.

import { type AdderGeometry, forwardPlan, gradientPlan, type PositionClass } from "./geometry.js";
import type { JobMemory, KernelThreads } from "./thread-pool.js";

/** What a kernel reads and writes, [batch, channels, height, width] each, and the weight. */
export interface AdderKernels {
  /** Y = −Σ|X − W| into `y`. */
  forward(of: AdderGeometry, x: Float32Array, weight: Float32Array, y: Float32Array): void;
  /** dX = Σ dY·clamp(W − X, −1, 1) into `dx`. */
  inputGradient(of: AdderGeometry, dy: Float32Array, x: Float32Array, weight: Float32Array, dx: Float32Array): void;
}

const forwardBlock = 8;
const gradientBlock = 4;

/** The kernels on these threads. Each call copies its operands into the threads' memory once, and its result out once. */
export function adderKernels(pool: KernelThreads): AdderKernels {
  return {
    forward: (of, x, weight, y) => {
      let result = 0;
      pool.run((memory) => {
        const job = forwardJob(of, memory, pool.threads, x, weight);
        result = job.result;
        return job;
      });
      y.set(pool.memory.floats(result, y.length));
    },
    inputGradient: (of, dy, x, weight, dx) => {
      let result = 0;
      pool.run((memory) => {
        const job = gradientJob(of, memory, pool.threads, { dy, x, weight });
        result = job.result;
        return job;
      });
      dx.set(pool.memory.floats(result, dx.length));
    },
  };
}

interface Job {
  readonly fields: Int32Array;
  readonly scratchBytes: number;
  readonly result: number;
}

/** A job's fields in the order of assembly/adder.ts; absent ones are 0. */
interface JobFields {
  readonly kind: 0 | 1;
  readonly images: number;
  readonly blocks: number;
  readonly source: readonly [address: number, channels: number, height: number, width: number];
  readonly padded: readonly [height: number, width: number, top: number, left: number];
  readonly result: readonly [address: number, channels: number, height: number, width: number];
  readonly rest: readonly number[];
}

function fieldsOf({ kind, images, blocks, source, padded, result, rest }: JobFields, threads: number): Int32Array {
  // With few images their channels are shared out too, at the price of padding an image more than once.
  const perImage = images >= 4 * threads ? 1 : blocks;
  return Int32Array.of(kind, images * perImage, perImage, 0, ...source, ...padded, ...result, blocks, ...rest);
}

function forwardJob(of: AdderGeometry, memory: JobMemory, threads: number, x: Float32Array, weight: Float32Array): Job {
  const { paddedHeight, paddedWidth, offsets } = forwardPlan(of);
  const blocks = Math.ceil(of.outputs / forwardBlock);
  const terms = offsets.length;
  const positions = of.outputHeight * of.outputWidth;
  const packed = new Float32Array(blocks * terms * forwardBlock);
  const filterSums = new Float32Array(blocks * forwardBlock);
  for (let output = 0; output < of.outputs; output++) {
    const at = Math.floor(output / forwardBlock) * terms * forwardBlock + (output % forwardBlock);
    let sum = 0;
    for (let term = 0; term < terms; term++) {
      const value = weight[output * terms + term]!;
      packed[at + term * forwardBlock] = value;
      sum += value;
    }
    filterSums[output] = sum;
  }
  const source = memory.put(x);
  const weights = memory.put(packed);
  const sums = memory.put(filterSums);
  const terms32 = memory.put(offsets);
  const result = memory.take(4 * of.batch * of.outputs * positions);
  const plane = paddedHeight * paddedWidth;
  const fields = fieldsOf(
    {
      ...{ kind: 0, images: of.batch, blocks },
      source: [source, of.channels, of.height, of.width],
      padded: [paddedHeight, paddedWidth, of.pads[0]!, of.pads[1]!],
      result: [result, of.outputs, of.outputHeight, of.outputWidth],
      rest: [weights, of.strides[0]!, of.strides[1]!, of.kernel[0]! * of.kernel[1]!, terms, terms32, sums],
    },
    threads,
  );
  return { fields, scratchBytes: 4 * (plane * (of.channels + 1) + positions) + 64, result };
}

function gradientJob(
  of: AdderGeometry,
  memory: JobMemory,
  threads: number,
  { dy, x, weight }: Readonly<Record<"dy" | "x" | "weight", Float32Array>>,
): Job {
  const plan = gradientPlan(of);
  const blocks = Math.ceil(of.channels / gradientBlock);
  const source = memory.put(dy);
  const input = memory.put(x);
  const result = memory.take(4 * x.length);
  const table = plan.classes.flatMap((own) => [
    ...[own.firstRow, own.firstColumn, own.rows, own.columns, own.taps.length],
    ...[memory.put(own.offsets), memory.put(packedForClass(of, own, blocks, weight))],
  ]);
  const classes = memory.put(Int32Array.from(table));
  const fields = fieldsOf(
    {
      ...{ kind: 1, images: of.batch, blocks },
      source: [source, of.outputs, of.outputHeight, of.outputWidth],
      padded: [plan.paddedHeight, plan.paddedWidth, plan.top, plan.left],
      result: [result, of.channels, of.height, of.width],
      rest: [...[0, of.strides[0]!, of.strides[1]!, 0, 0, 0, 0], ...[input, plan.classes.length, classes]],
    },
    threads,
  );
  return { fields, scratchBytes: 4 * plan.paddedHeight * plan.paddedWidth * (of.outputs + 1) + 64, result };
}

/** [block of input channels, output channel and tap, channel of the block]. */
function packedForClass(
  { outputs, channels, kernel }: AdderGeometry,
  { taps }: PositionClass,
  blocks: number,
  weight: Float32Array,
): Float32Array {
  const window = kernel[0]! * kernel[1]!;
  const packed = new Float32Array(blocks * outputs * taps.length * gradientBlock);
  for (let channel = 0; channel < channels; channel++) {
    let at = Math.floor(channel / gradientBlock) * outputs * taps.length * gradientBlock + (channel % gradientBlock);
    for (let output = 0; output < outputs; output++) {
      for (const tap of taps) {
        packed[at] = weight[(output * channels + channel) * window + tap]!;
        at += gradientBlock;
      }
    }
  }
  return packed;
}

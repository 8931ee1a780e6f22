import { createRandomStream } from "@dovetail/core";
import { type Model, tensorFromData, writeModel } from "@dovetail/graph";
import type { OperatorGraph, OperatorTime } from "@dovetail/nasbench";
import { type OpenModel, openModel } from "@dovetail/runtime";

/**
 * `wall`: time that passes. `cpu`: the processor's time of this process, which other processes on a busy machine do not
 * lengthen; with one thread it is the latency of an idle machine.
 */
export type Clock = "wall" | "cpu";

const readers: Readonly<Record<Clock, () => number>> = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

export interface TimingOptions {
  readonly threads: number;
  /** Runs before the first that counts. */
  readonly warmUp: number;
  /** Of a round. */
  readonly repeats: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Copies of an operator behind the first one, where it keeps its shape. */
const furtherCopies = 4;

/**
 * Latencies of an operator, ms: differences between a model with more of it and one with fewer, so that what a call of the
 * runtime costs, and the change of layout at the ends, fall out. Both run in turn. Operators that change the shape cannot
 * stand one behind the other: there the shorter model has none of it. `displacedMb` of other data are read before each run.
 */
export async function timeOperator(
  graph: OperatorGraph,
  options: TimingOptions & { readonly displacedMb: number },
): Promise<number[]> {
  if (graph.isIdentity) return new Array<number>(options.repeats).fill(0);
  const [fewer, more] = graph.keepsShape ? [1, 1 + furtherCopies] : [0, 1];
  const pairs = await timePair(graph.model(more!), graph.model(fewer!), graph.inputShape, options, options.displacedMb);
  return pairs.map((difference) => Math.max(0, difference / (more! - fewer!)));
}

/** Latencies of a whole model less those of a ReLU on the same input, ms. */
export async function timeNetwork(
  model: Model,
  idle: Model,
  inputShape: readonly number[],
  options: TimingOptions,
): Promise<number[]> {
  const differences = await timePair(model, idle, inputShape, options, 0);
  return differences.map((difference) => Math.max(0, difference));
}

/** What there is to say of an operator's latencies. */
export function operatorTime(samplesMs: readonly number[]): OperatorTime {
  const sorted = [...samplesMs].sort((a, b) => a - b);
  return {
    medianMs: quantile(sorted, 0.5),
    quartilesMs: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
    repeats: sorted.length,
  };
}

/** Milliseconds that the first model takes longer, a repeat each. */
async function timePair(
  longer: Model,
  shorter: Model,
  inputShape: readonly number[],
  { threads, warmUp, repeats, clock, signal }: TimingOptions,
  displacedMb: number,
): Promise<number[]> {
  const models = [await openModel(writeModel(longer), { threads }), await openModel(writeModel(shorter), { threads })];
  const now = readers[clock];
  const others = new Float64Array((displacedMb * 1e6) / 8);
  try {
    const random = createRandomStream(0);
    const size = inputShape.reduce((product, length) => product * length, 1);
    const data = Float32Array.from({ length: size }, () => random.normal());
    const run = async (model: OpenModel): Promise<number> => {
      const feeds = { [model.inputNames[0]!]: tensorFromData("float32", inputShape, data) };
      displace(others);
      const started = now();
      await model.run(feeds);
      return now() - started;
    };
    const differences: number[] = [];
    for (let repeat = -warmUp; repeat < repeats; repeat++) {
      signal.throwIfAborted();
      const difference = (await run(models[0]!)) - (await run(models[1]!));
      if (repeat >= 0) differences.push(difference);
    }
    return differences;
  } finally {
    await Promise.all(models.map((model) => model.release()));
  }
}

/** Fills the processor's caches as the other layers of a network do with their weights. */
function displace(others: Float64Array): void {
  // A value of each line of 64 bytes.
  for (let index = 0; index < others.length; index += 8) others[index]! += 1;
}

/** Of values in rising order, by linear interpolation. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

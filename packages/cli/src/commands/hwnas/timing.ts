import { createRandomStream } from "@dovetail/core";
import { type Model, tensorFromData, writeModel } from "@dovetail/graph";
import type { OperatorGraph, OperatorTime } from "@dovetail/nasbench";
import { type OpenModel, openModel } from "@dovetail/runtime";

export interface TimingOptions {
  readonly threads: number;
  /** Runs before the first that counts. */
  readonly warmUp: number;
  readonly repeats: number;
  readonly signal: AbortSignal;
}

/** Copies of an operator behind the first one, where it keeps its shape. */
const furtherCopies = 4;

/**
 * Latency of an operator: the difference between a model with more of it and one with fewer, so that what a call of the
 * runtime costs, and the change of layout at the ends, fall out. Both run in turn. Operators that change the shape cannot
 * stand one behind the other: there the shorter model is a ReLU on the same input.
 */
export async function timeOperator(graph: OperatorGraph, options: TimingOptions): Promise<OperatorTime> {
  if (graph.isIdentity) return { medianMs: 0, quartilesMs: [0, 0], repeats: 0 };
  const [fewer, more] = graph.keepsShape ? [1, 1 + furtherCopies] : [0, 1];
  const pair = await timePair(graph.model(more!), graph.model(fewer!), graph.inputShape, options);
  const each = pair.map((difference) => Math.max(0, difference / (more! - fewer!))).sort((a, b) => a - b);
  return {
    medianMs: quantile(each, 0.5),
    quartilesMs: [quantile(each, 0.25), quantile(each, 0.75)],
    repeats: each.length,
  };
}

/** Median latency of a whole model less that of a ReLU on the same input, ms. */
export async function timeNetwork(
  model: Model,
  idle: Model,
  inputShape: readonly number[],
  options: TimingOptions,
): Promise<number> {
  const differences = await timePair(model, idle, inputShape, options);
  return quantile(
    [...differences].sort((a, b) => a - b),
    0.5,
  );
}

/** Milliseconds that the first model takes longer, a repeat each. */
async function timePair(
  longer: Model,
  shorter: Model,
  inputShape: readonly number[],
  { threads, warmUp, repeats, signal }: TimingOptions,
): Promise<number[]> {
  const models = [await openModel(writeModel(longer), { threads }), await openModel(writeModel(shorter), { threads })];
  try {
    const random = createRandomStream(0);
    const size = inputShape.reduce((product, length) => product * length, 1);
    const data = Float32Array.from({ length: size }, () => random.normal());
    const run = async (model: OpenModel): Promise<number> => {
      const feeds = { [model.inputNames[0]!]: tensorFromData("float32", inputShape, data) };
      const started = performance.now();
      await model.run(feeds);
      return performance.now() - started;
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

/** Of values in rising order, by linear interpolation. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

import type { BatchPosition } from "./batch-plan.js";
import type { Batch, BatchStream } from "./batch-stream.js";

/**
 * Each batch `times` times in a row: an epoch has `times` as many steps. `open` opens the stream of the batches
 * themselves; the result opens at positions that count the repetitions.
 */
export function repeatBatches(
  open: (start: BatchPosition) => BatchStream,
  times: number,
): (start: BatchPosition) => BatchStream {
  return (start) => {
    const source = open({ epoch: start.epoch, step: Math.floor(start.step / times) });
    const stepsPerEpoch = source.stepsPerEpoch * times;
    let position = start;
    let held: Batch | undefined;
    const next = async (): Promise<Batch | undefined> => {
      if (held === undefined || position.step % times === 0) held = await source.next();
      if (held === undefined) return undefined;
      const batch = { ...held, ...position };
      const { epoch, step } = position;
      position = step + 1 < stepsPerEpoch ? { epoch, step: step + 1 } : { epoch: epoch + 1, step: 0 };
      return batch;
    };
    return {
      stepsPerEpoch,
      get position() {
        return position;
      },
      next,
      close: () => source.close(),
      async *[Symbol.asyncIterator]() {
        for (let batch = await next(); batch; batch = await next()) yield batch;
      },
    };
  };
}

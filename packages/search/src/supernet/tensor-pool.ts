import { elementCount, isStatic, type Tensor, tensorFromData, type Value } from "@dovetail/graph";

/** Memory for results of segments, used again step after step: fresh memory makes writing several times slower. */
export interface TensorPool {
  /** A float32 tensor for this value, whatever is in it. It is the caller's until `reset`. */
  take(value: Value): Tensor;
  /** Takes all tensors back. */
  reset(): void;
}

export function createTensorPool(): TensorPool {
  const free = new Map<number, Float32Array[]>();
  let taken: Float32Array[] = [];
  return {
    take({ type: { shape } }) {
      const dimensions = isStatic(shape) ? shape : [];
      const count = elementCount(dimensions);
      const memory = free.get(count)?.pop() ?? new Float32Array(count);
      taken.push(memory);
      return tensorFromData("float32", dimensions, memory);
    },
    reset() {
      for (const memory of taken) {
        const kept = free.get(memory.length);
        if (kept) kept.push(memory);
        else free.set(memory.length, [memory]);
      }
      taken = [];
    },
  };
}

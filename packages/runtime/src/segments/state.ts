// What stays inside between runs: parameters, optimizer moments, running statistics.

import { inputError, nearestWord } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { copyTensor } from "../sessions/tensors.js";

/**
 * Named tensors that segments read and replace. A segment's graph inputs that have a name of the store are fed from
 * it, and outputs paired with a name replace the store's tensor after each run, without a copy on our side.
 * Runs of segments that share a store are done one after another.
 */
export interface StateStore {
  /** A copy of the tensor now in the store. Throws on an unknown name. */
  read(name: string): Tensor;
  /** Replaces a tensor by a copy of this one. Throws unless element type and dimensions stay the same. */
  write(name: string, tensor: Tensor): void;
  names(): readonly string[];
  has(name: string): boolean;
  /** Copies of all tensors, in the order of `names()`. */
  snapshot(): Map<string, Tensor>;
}

/** The store as segments see it. */
export interface StateCells extends StateStore {
  /** The tensor itself, not a copy. */
  current(name: string): Tensor;
  /** Puts a tensor in place, without a copy; it belongs to the store from now on. */
  adopt(name: string, tensor: Tensor): void;
  /** Runs `work` after all work given before it. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** A store that holds copies of these tensors. */
export function createStateStore(tensors: ReadonlyMap<string, Tensor>): StateCells {
  const cells = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) cells.set(name, copyTensor(requireData(name, tensor)));
  let last: Promise<unknown> = Promise.resolve();

  const current = (name: string): Tensor => {
    const tensor = cells.get(name);
    if (tensor) return tensor;
    const near = nearestWord(name, cells.keys());
    throw inputError("unknown_state", `state has no tensor "${name}"`, {
      hint: near === undefined ? undefined : `did you mean "${near}"?`,
    });
  };
  return {
    current,
    adopt: (name, tensor) => {
      cells.set(name, sameType(name, current(name), tensor));
    },
    inTurn: (work) => {
      const result = last.then(work, work);
      last = result.catch(() => undefined);
      return result;
    },
    read: (name) => copyTensor(current(name)),
    write: (name, tensor) => {
      cells.set(name, copyTensor(sameType(name, current(name), requireData(name, tensor))));
    },
    names: () => [...cells.keys()],
    has: (name) => cells.has(name),
    snapshot: () => new Map([...cells].map(([name, tensor]) => [name, copyTensor(tensor)])),
  };
}

function requireData(name: string, tensor: Tensor): Tensor {
  if (tensor.data === undefined) throw inputError("missing_data", `state "${name}": the tensor has no data`);
  return tensor;
}

function sameType(name: string, before: Tensor, after: Tensor): Tensor {
  const describe = ({ elementType, dimensions }: Tensor): string => `${elementType} [${dimensions.join(",")}]`;
  if (describe(before) !== describe(after)) {
    throw inputError("state_type", `state "${name}"`, { expected: describe(before), received: describe(after) });
  }
  return after;
}

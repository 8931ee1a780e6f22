// Stochastic weight averaging of a factored network (Izmailov et al. 2018; SmartDeal's variant): coefficients and bases are
// averaged as real numbers at the ends of epochs, and the averaged coefficients are rounded once, at the end.

import { type Tensor, tensor, tensorNumbers } from "@dovetail/graph";
import type { Checkpoint } from "@dovetail/train";
import { z } from "zod";
import { codeOfValue, forbiddenCode, valueOfCode } from "./codes.js";
import type { FactoredNetwork } from "./factored-network.js";

export interface Averaging {
  /** Epochs before the first that counts. */
  readonly fromEpoch: number;
}

export interface Average {
  /** Takes a checkpoint's factors in, once for each epoch's end, and gives it with the average so far. */
  observe(checkpoint: Checkpoint): Checkpoint;
  /** Goes on from a checkpoint that `observe` gave. */
  restore(checkpoint: Checkpoint): void;
  /** All tensors, the factors averaged; undefined where no epoch has counted. */
  tensors(last: ReadonlyMap<string, Tensor>): Map<string, Tensor> | undefined;
}

const progressSchema = z.object({ epoch: z.number(), step: z.number() });
const prefix = "average/";
/** Whether a tensor of a checkpoint is one of the average's. */
export const isAverage = (tensor: string): boolean => tensor.startsWith(prefix);
const countName = `${prefix}epochs`;

/** Epochs that were done when a checkpoint of a training was made; undefined within an epoch. */
export function epochsDone({ state }: Checkpoint): number | undefined {
  const { epoch, step } = progressSchema.parse(state);
  return step === 0 ? epoch : undefined;
}

export function createAverage({ layers, form, range }: FactoredNetwork, { fromEpoch }: Averaging): Average {
  const names = layers.flatMap(({ coefficients, basis }) => [coefficients, basis]);
  const coded = new Set(form === "codes" ? layers.map(({ coefficients }) => coefficients) : []);
  const sums = new Map<string, Float64Array>();
  /** Ends of epochs that have been added, from `fromEpoch` on. */
  let count = 0;

  const numbersOf = (name: string, held: Tensor): Float64Array =>
    Float64Array.from(tensorNumbers(held), (value) => (coded.has(name) ? valueOfCode(value, range) : value));

  function add(tensors: ReadonlyMap<string, Tensor>): void {
    for (const name of names) {
      const values = numbersOf(name, tensors.get(name)!);
      const sum = sums.get(name);
      if (!sum) {
        sums.set(name, values);
        continue;
      }
      for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!;
    }
    count++;
  }

  return {
    observe: (checkpoint) => {
      if (epochsDone(checkpoint) === fromEpoch + count + 1) add(checkpoint.tensors);
      const tensors = new Map(checkpoint.tensors);
      tensors.set(countName, tensor("float32", [], [count]));
      for (const [name, sum] of sums) tensors.set(`${prefix}${name}`, tensor("float64", [sum.length], sum));
      return { ...checkpoint, tensors };
    },
    restore: ({ tensors }) => {
      const held = tensors.get(countName);
      count = held ? tensorNumbers(held)[0]! : 0;
      for (const name of names) {
        const sum = tensors.get(`${prefix}${name}`);
        if (sum) sums.set(name, Float64Array.from(tensorNumbers(sum)));
      }
    },
    tensors: (last) => {
      if (count === 0) return undefined;
      const averaged = new Map(last);
      for (const [name, sum] of sums) {
        const old = last.get(name)!;
        const means = sum.map((value) => value / count);
        const isForbidden = coded.has(name) ? tensorNumbers(old).map((code) => Number(code === forbiddenCode)) : [];
        const values = Array.from(means, (value, index) => {
          if (!coded.has(name)) return value;
          return isForbidden[index] ? forbiddenCode : codeOfValue(value, range);
        });
        averaged.set(name, tensor(old.elementType, old.dimensions, values));
      }
      return averaged;
    },
  };
}

import { internalError } from "@dovetail/core";
import { ancestor, boxOf, type Machine, type Vector } from "./machine.js";
import { type Moved, nothingMoved, type StreamEnds } from "./operands.js";
import { noWords, type WordFinder } from "./words.js";

// The result of a layer, accumulated on its way up. Every instance of a level that keeps it holds partial sums. When a
// sum leaves the instances that share it, they are added up on the way and written to the parent once. When it comes
// back, the parent is read and one of them takes the sum; the others begin at zero. The sums are carried along as
// numbers, so that a wrong rule shows in the result.

interface PartialSum {
  /** Multiply-accumulates in it. */
  macs: number;
  /** Whether it was handed down, or something was written into it. */
  begun: boolean;
  /** Whether its instance has work on it; others only keep step with their siblings. */
  working: boolean;
}

/** What each instance of a level holds, by word. */
export type Holdings = readonly Map<number, PartialSum>[];

export interface ResultStream {
  /**
   * Sums that leave the children as the loops outside them come to this position; without one, all of them. What leaves
   * a parent leaves its children before. Each is a name of `sumName`.
   */
  leaving(position: Vector | undefined, leavingParents: ReadonlySet<string>): Set<string>;
  /** Carries them off. */
  leave(names: ReadonlySet<string>): Moved;
  /** Sums that they take up there. */
  enter(position: Vector): Moved;
}

export function createHoldings(machine: Machine, level: number): Holdings {
  return machine.instances[level]!.map(() => new Map());
}

/** Sums between a level and the next inner one that keeps them. */
export function createResultStream(
  machine: Machine,
  finder: WordFinder,
  { parent, child }: StreamEnds,
  parents: Holdings,
  children: Holdings,
  elideFirstReads: boolean,
): ResultStream {
  const places = machine.instances[child]!;
  const above = places.map((_, index) => ancestor(machine, child, index, parent));
  const tiles = (position: Vector) =>
    places.map((place) => {
      const box = boxOf(machine, child, position, place);
      const present = box.size.every((size, index) => size > 0 || !finder.relevant[index]);
      return { words: present ? finder.find(box) : undefined, working: box.size.every((size) => size > 0) };
    });
  return {
    leaving(position, leavingParents) {
      const tile = position && tiles(position);
      const names = new Set<string>();
      children.forEach((sums, index) => {
        for (const word of sums.keys()) {
          // A child without a tile here keeps what it has until it gets the next one.
          const { words = sums } = tile?.[index] ?? { words: noWords };
          if (words.has(word) && !leavingParents.has(sumName(above[index]!, word))) continue;
          names.add(sumName(index, word));
        }
      });
      return names;
    },
    leave(names) {
      const arrived = new Set<string>();
      children.forEach((sums, index) => {
        for (const [word, sum] of sums) {
          if (!names.has(sumName(index, word))) continue;
          sums.delete(word);
          if (!sum.working) continue;
          const target = holding(parents[above[index]!]!, word);
          target.macs += sum.macs;
          target.begun = true;
          arrived.add(sumName(above[index]!, word));
        }
      });
      return { ...nothingMoved(), updates: arrived.size };
    },
    enter(position) {
      const moved = nothingMoved();
      const led = new Set<string>();
      tiles(position).forEach(({ words = [], working }, index) => {
        const sums = children[index]!;
        for (const word of words) {
          const known = sums.get(word);
          if (known !== undefined) {
            if (working && !known.working)
              throw internalError("simulator_order", "a child begins in the midst of a sum");
            continue;
          }
          const sum: PartialSum = { macs: 0, begun: false, working };
          sums.set(word, sum);
          const key = sumName(above[index]!, word);
          if (!working || led.has(key)) continue;
          led.add(key);
          const source = holding(parents[above[index]!]!, word);
          if (!source.begun && elideFirstReads) continue;
          moved.reads++;
          moved.fills++;
          sum.macs = source.macs;
          sum.begun = true;
          source.macs = 0;
        }
      });
      return moved;
    },
  };
}

/** What the units do to the sums of the innermost level that keeps them in one cycle. */
export function accumulate(
  machine: Machine,
  finder: WordFinder,
  level: number,
  holdings: Holdings,
  position: Vector,
  elideFirstReads: boolean,
): Moved {
  const moved = nothingMoved();
  const touched = new Set<string>();
  machine.instances[machine.levelCount]!.forEach((place, index) => {
    const box = boxOf(machine, machine.levelCount, position, place);
    if (box.size.some((size) => size <= 0)) return;
    const instance = ancestor(machine, machine.levelCount, index, level);
    const word = finder.first(box);
    const sum = holding(holdings[instance]!, word);
    if (!sum.working) throw internalError("simulator_order", "a unit adds to a sum that is not there");
    sum.macs++;
    const key = sumName(instance, word);
    if (touched.has(key)) return;
    touched.add(key);
    moved.updates++;
    if (sum.begun || !elideFirstReads) moved.reads++;
    sum.begun = true;
  });
  return moved;
}

function sumName(instance: number, word: number): string {
  return `${instance}:${word}`;
}

function holding(sums: Map<number, PartialSum>, word: number): PartialSum {
  const sum = sums.get(word);
  if (sum === undefined) throw internalError("simulator_order", "a partial sum is asked of an instance without it");
  return sum;
}

import { inputError } from "@dovetail/core";
import type { Cursor } from "./cursor.js";
import type { PickleItem } from "./globals.js";

/** A reading in progress. */
export interface Machine {
  readonly cursor: Cursor;
  stack: PickleItem[];
  /** Stacks below the marks. */
  readonly marks: PickleItem[][];
  readonly memo: Map<number, PickleItem>;
  /** Where the beginnings of arrays are remembered. */
  readonly unfinished: Map<PickleItem, number[]>;
  /** Tuples with names or types in them, on their way to REDUCE or BUILD. */
  readonly arguments: WeakSet<object>;
  readonly maximumValues: number;
  /** Of the opcode at work. */
  offset: number;
  opcode: string;
}

/** The error for what is a pickle, but no data. */
export function refused(machine: Machine, expected: string, received = "something that is no data"): Error {
  return inputError("pickle_refused", `this pickle is refused at byte ${machine.offset}, opcode ${machine.opcode}`, {
    expected,
    received,
    hint: "nothing of it was executed",
  });
}

/** The error for what is no pickle. */
export function damaged(machine: Machine, expected: string, received: string): Error {
  const opcode = machine.opcode === "" ? "" : `, opcode ${machine.opcode}`;
  return inputError("pickle_damaged", `this is no whole pickle at byte ${machine.offset}${opcode}`, {
    expected,
    received,
  });
}

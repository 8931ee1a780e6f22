import { type Cursor, createCursor, EndOfBytes } from "./cursor.js";
import {
  allowedGlobals,
  buildArray,
  buildType,
  isGlobal,
  isType,
  isUnfinished,
  isValue,
  type PickleItem,
  reduceGlobal,
} from "./globals.js";
import { decimal, decimalFraction, integerOrBoolean, long, quoted, rawUnicode, text } from "./literals.js";
import { damaged, type Machine, refused } from "./machine.js";
import type { PickleKey, PickleValue } from "./values.js";

// Python's pickle is a program for a stack machine. Here it is read as data: opcodes that build numbers, texts, lists,
// tuples, dictionaries and NumPy arrays are followed, everything else is refused. Nothing is imported and nothing called.
// Opcodes: CPython, Lib/pickle.py and Lib/pickletools.py.

export interface PickleLimits {
  /** Opcodes that are followed. Default 50 million. */
  readonly opcodes?: number | undefined;
  /** Values on the stack, and remembered. Default 5 million each. */
  readonly values?: number | undefined;
}

type Rule = readonly [name: string, run: (machine: Machine) => void];

const maximumLine = 65536;

const pushed =
  (value: (cursor: Cursor, machine: Machine) => PickleItem) =>
  (machine: Machine): void => {
    push(machine, value(machine.cursor, machine));
  };

const rules: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [0x80, ["PROTO", protocol]],
  [0x95, ["FRAME", ({ cursor }) => void cursor.length64()]],
  [code("("), ["MARK", mark]],
  [code("N"), ["NONE", pushed(() => null)]],
  [0x88, ["NEWTRUE", pushed(() => true)]],
  [0x89, ["NEWFALSE", pushed(() => false)]],
  [code("I"), ["INT", pushed((cursor, machine) => integerOrBoolean(machine, cursor.line(32)))]],
  [code("J"), ["BININT", pushed((cursor) => cursor.int32())]],
  [code("K"), ["BININT1", pushed((cursor) => cursor.byte())]],
  [code("M"), ["BININT2", pushed((cursor) => cursor.uint16())]],
  [code("L"), ["LONG", pushed((cursor, machine) => decimal(machine, cursor.line(32).replace(/L$/, "")))]],
  [0x8a, ["LONG1", pushed((cursor, machine) => long(machine, cursor.bytes(cursor.byte())))]],
  [0x8b, ["LONG4", pushed((cursor, machine) => long(machine, cursor.bytes(cursor.uint32())))]],
  [code("F"), ["FLOAT", pushed((cursor, machine) => decimalFraction(machine, cursor.line(64)))]],
  [code("G"), ["BINFLOAT", pushed((cursor) => cursor.float64())]],
  [code("S"), ["STRING", pushed((cursor, machine) => quoted(machine, cursor.line(maximumLine)))]],
  [code("T"), ["BINSTRING", pushed((cursor, machine) => text(machine, cursor.bytes(cursor.uint32())))]],
  [code("U"), ["SHORT_BINSTRING", pushed((cursor, machine) => text(machine, cursor.bytes(cursor.byte())))]],
  [code("V"), ["UNICODE", pushed((cursor, machine) => rawUnicode(machine, cursor.line(maximumLine)))]],
  [code("X"), ["BINUNICODE", pushed((cursor, machine) => text(machine, cursor.bytes(cursor.uint32())))]],
  [0x8c, ["SHORT_BINUNICODE", pushed((cursor, machine) => text(machine, cursor.bytes(cursor.byte())))]],
  [0x8d, ["BINUNICODE8", pushed((cursor, machine) => text(machine, cursor.bytes(cursor.length64())))]],
  [code("B"), ["BINBYTES", pushed((cursor) => cursor.bytes(cursor.uint32()))]],
  [code("C"), ["SHORT_BINBYTES", pushed((cursor) => cursor.bytes(cursor.byte()))]],
  [0x8e, ["BINBYTES8", pushed((cursor) => cursor.bytes(cursor.length64()))]],
  [0x96, ["BYTEARRAY8", pushed((cursor) => cursor.bytes(cursor.length64()))]],
  [code("]"), ["EMPTY_LIST", pushed(() => [])]],
  [code(")"), ["EMPTY_TUPLE", pushed(() => [])]],
  [code("}"), ["EMPTY_DICT", pushed(() => new Map())]],
  [code("l"), ["LIST", (machine) => push(machine, values(machine, toMark(machine)))]],
  [code("t"), ["TUPLE", (machine) => push(machine, tuple(machine, toMark(machine)))]],
  [0x85, ["TUPLE1", (machine) => push(machine, tuple(machine, taken(machine, 1)))]],
  [0x86, ["TUPLE2", (machine) => push(machine, tuple(machine, taken(machine, 2)))]],
  [0x87, ["TUPLE3", (machine) => push(machine, tuple(machine, taken(machine, 3)))]],
  [code("d"), ["DICT", (machine) => push(machine, setItems(machine, new Map(), toMark(machine)))]],
  [code("a"), ["APPEND", (machine) => append(machine, taken(machine, 1))]],
  [code("e"), ["APPENDS", (machine) => append(machine, toMark(machine))]],
  [code("s"), ["SETITEM", (machine) => setItem(machine, taken(machine, 2))]],
  [code("u"), ["SETITEMS", (machine) => setItem(machine, toMark(machine))]],
  [code("0"), ["POP", (machine) => void taken(machine, 1)]],
  [code("1"), ["POP_MARK", (machine) => void toMark(machine)]],
  [code("2"), ["DUP", (machine) => push(machine, top(machine))]],
  [code("p"), ["PUT", (machine) => remember(machine, decimal(machine, machine.cursor.line(32)))]],
  [code("q"), ["BINPUT", (machine) => remember(machine, machine.cursor.byte())]],
  [code("r"), ["LONG_BINPUT", (machine) => remember(machine, machine.cursor.uint32())]],
  [0x94, ["MEMOIZE", (machine) => remember(machine, machine.memo.size)]],
  [code("g"), ["GET", (machine) => recall(machine, decimal(machine, machine.cursor.line(32)))]],
  [code("h"), ["BINGET", (machine) => recall(machine, machine.cursor.byte())]],
  [code("j"), ["LONG_BINGET", (machine) => recall(machine, machine.cursor.uint32())]],
  [code("c"), ["GLOBAL", (machine) => mention(machine, machine.cursor.line(256), machine.cursor.line(256))]],
  [0x93, ["STACK_GLOBAL", stackGlobal]],
  [code("R"), ["REDUCE", reduce]],
  [code("b"), ["BUILD", build]],
]);

/** Opcodes that exist and are refused, for the message. */
const refusedNames: ReadonlyMap<number, string> = new Map([
  [code("i"), "INST"],
  [code("o"), "OBJ"],
  [0x81, "NEWOBJ"],
  [0x92, "NEWOBJ_EX"],
  [0x82, "EXT1"],
  [0x83, "EXT2"],
  [0x84, "EXT4"],
  [code("P"), "PERSID"],
  [code("Q"), "BINPERSID"],
  [0x8f, "EMPTY_SET"],
  [0x90, "ADDITEMS"],
  [0x91, "FROZENSET"],
  [0x97, "NEXT_BUFFER"],
  [0x98, "READONLY_BUFFER"],
]);

function code(character: string): number {
  return character.charCodeAt(0);
}

const stop = code(".");

/**
 * Reads a pickle of data (protocols 0 to 5) without executing anything. Throws the input errors `pickle_refused` for
 * opcodes and names that are not data, with offset and opcode, and `pickle_damaged` for bytes that are no pickle.
 */
export function readPickle(bytes: Uint8Array, limits: PickleLimits = {}): PickleValue {
  const { opcodes = 50_000_000, values: maximumValues = 5_000_000 } = limits;
  const cursor = createCursor(bytes);
  const machine: Machine = {
    cursor,
    stack: [],
    marks: [],
    memo: new Map(),
    unfinished: new Map(),
    arguments: new WeakSet(),
    maximumValues,
    offset: 0,
    opcode: "",
  };
  try {
    for (let count = 0; count < opcodes; count++) {
      machine.offset = cursor.offset;
      machine.opcode = "";
      const byte = cursor.byte();
      if (byte === stop) return finish(machine);
      follow(machine, byte);
    }
  } catch (error) {
    if (error instanceof EndOfBytes) throw damaged(machine, "the rest of it", "the end of the file");
    if (error instanceof RangeError) throw damaged(machine, "numbers that a double holds", error.message);
    throw error;
  }
  throw damaged(machine, `at most ${opcodes} opcodes`, "more");
}

function follow(machine: Machine, byte: number): void {
  const rule = rules.get(byte);
  if (rule === undefined) {
    machine.opcode = refusedNames.get(byte) ?? "";
    if (machine.opcode !== "")
      throw refused(machine, "opcodes that build numbers, texts, lists, tuples and dictionaries");
    const found = `byte 0x${byte.toString(16).padStart(2, "0")}`;
    throw damaged(machine, "an opcode of Python's pickle", found);
  }
  [machine.opcode] = rule;
  rule[1](machine);
}

function finish(machine: Machine): PickleValue {
  machine.opcode = "STOP";
  const [result] = values(machine, taken(machine, 1));
  return result!;
}

function protocol(machine: Machine): void {
  const version = machine.cursor.byte();
  if (version > 5) throw damaged(machine, "protocol 0 to 5", `${version}`);
}

function push(machine: Machine, item: PickleItem): void {
  if (machine.stack.length >= machine.maximumValues)
    throw damaged(machine, `at most ${machine.maximumValues} values`, "more");
  machine.stack.push(item);
}

function mark(machine: Machine): void {
  if (machine.marks.length >= 10_000) throw damaged(machine, "at most 10000 marks", "more");
  machine.marks.push(machine.stack);
  machine.stack = [];
}

function toMark(machine: Machine): PickleItem[] {
  const below = machine.marks.pop();
  if (below === undefined) throw damaged(machine, "a mark on the stack", "none");
  const items = machine.stack;
  machine.stack = below;
  return items;
}

/** Tuples may hold names and types, for REDUCE and BUILD; everywhere else these are refused. */
function tuple(machine: Machine, items: PickleItem[]): PickleValue[] {
  if (!items.every((item) => isData(machine, item))) machine.arguments.add(items);
  return items as PickleValue[];
}

function isData(machine: Machine, item: PickleItem): item is PickleValue {
  return isValue(item) && !(Array.isArray(item) && machine.arguments.has(item));
}

function taken(machine: Machine, count: number): PickleItem[] {
  if (machine.stack.length < count) throw damaged(machine, `${count} values on the stack`, `${machine.stack.length}`);
  return machine.stack.splice(machine.stack.length - count);
}

function top(machine: Machine): PickleItem {
  const item = machine.stack.at(-1);
  if (item === undefined) throw damaged(machine, "a value on the stack", "none");
  return item;
}

function values(machine: Machine, items: readonly PickleItem[]): PickleValue[] {
  if (items.every((item) => isData(machine, item))) return items as PickleValue[];
  throw refused(machine, "data", "the name of a function or a type as a value");
}

function append(machine: Machine, items: PickleItem[]): void {
  const list = top(machine);
  if (!Array.isArray(list)) throw damaged(machine, "a list on the stack", "something else");
  for (const item of values(machine, items)) list.push(item);
}

function setItem(machine: Machine, items: PickleItem[]): void {
  const map = top(machine);
  if (!(map instanceof Map)) throw damaged(machine, "a dictionary on the stack", "something else");
  setItems(machine, map, items);
}

function setItems(
  machine: Machine,
  map: Map<PickleKey, PickleValue>,
  items: readonly PickleItem[],
): Map<PickleKey, PickleValue> {
  if (items.length % 2 !== 0) throw damaged(machine, "keys with a value each", `${items.length} values`);
  const entries = values(machine, items);
  for (let index = 0; index < entries.length; index += 2) {
    const key = entries[index]!;
    if (typeof key === "object" && key !== null)
      throw refused(machine, "keys that are numbers or texts", "another key");
    map.set(key, entries[index + 1]!);
  }
  return map;
}

function remember(machine: Machine, index: number): void {
  if (machine.memo.size >= machine.maximumValues)
    throw damaged(machine, `at most ${machine.maximumValues} values`, "more");
  const item = top(machine);
  machine.memo.set(index, item);
  if (isUnfinished(item)) machine.unfinished.set(item, [...(machine.unfinished.get(item) ?? []), index]);
}

function recall(machine: Machine, index: number): void {
  const item = machine.memo.get(index);
  if (item === undefined) throw damaged(machine, "a value that was remembered", `number ${index}`);
  push(machine, item);
}

function mention(machine: Machine, module: string, name: string): void {
  const full = `${module}.${name}`;
  if (!allowedGlobals.includes(full)) throw refused(machine, `no other names than ${allowedGlobals.join(", ")}`, full);
  push(machine, { kind: "global", name: full });
}

function stackGlobal(machine: Machine): void {
  const [module, name] = taken(machine, 2);
  if (typeof module !== "string" || typeof name !== "string") throw damaged(machine, "two texts", "something else");
  mention(machine, module, name);
}

function reduce(machine: Machine): void {
  const [callable, parameters] = taken(machine, 2);
  if (!isGlobal(callable) || !Array.isArray(parameters))
    throw refused(machine, "a name and its arguments", "something else");
  const result = reduceGlobal(callable.name, parameters);
  if (result === undefined) throw refused(machine, "the arguments that NumPy writes", `${callable.name} with others`);
  push(machine, result);
}

function build(machine: Machine): void {
  const [state] = taken(machine, 1);
  const target = top(machine);
  if (isType(target) && buildType(target, state!)) return;
  const array = isUnfinished(target) ? buildArray(state!) : undefined;
  if (array === undefined) throw refused(machine, "the state of an array of numbers", "another state");
  machine.stack.pop();
  // What was remembered of the array's beginning is the array from now on.
  for (const index of machine.unfinished.get(target) ?? []) machine.memo.set(index, array);
  push(machine, array);
}

import { DovetailError } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { readPickle } from "./read-pickle.js";

const bytes = (...parts: readonly (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...Buffer.from(part, "latin1")])));

describe("what a pickle could do to its reader is refused with offset and opcode", () => {
  it.each([
    [
      "a call by protocol 0",
      bytes("cos\nsystem\n(S'rm -rf /'\ntR."),
      "at byte 0, opcode GLOBAL: expected no other names",
    ],
    ["and its name", bytes("cos\nsystem\n(S'rm -rf /'\ntR."), "received os.system"],
    [
      "a call by protocol 4",
      bytes(0x80, 4, 0x8c, 2, "os", 0x8c, 6, "system", 0x93, "."),
      "at byte 14, opcode STACK_GLOBAL",
    ],
    ["eval", bytes("cbuiltins\neval\n(V1\ntR."), "received builtins.eval"],
    ["a name beside an allowed one", bytes("cnumpy.core.multiarray\nfromstring\n."), "opcode GLOBAL"],
    [
      "a method of an allowed name",
      bytes(0x80, 4, 0x8c, 5, "numpy", 0x8c, 14, "dtype.__call__", 0x93, "."),
      "numpy.dtype.__call__",
    ],
    ["an instance by protocol 0", bytes("(S'rm'\nios\nsystem\n."), "at byte 7, opcode INST"],
    ["an object", bytes("(cnumpy\ndtype\no."), "opcode OBJ"],
    ["a new object", bytes(0x80, 2, "cnumpy\nndarray\n)", 0x81, "."), "opcode NEWOBJ"],
    ["a registered extension", bytes(0x80, 2, 0x82, 1, "."), "opcode EXT1"],
    ["a persistent name", bytes("Ppassword\n."), "opcode PERSID"],
    ["a set", bytes(0x80, 4, 0x8f, "."), "opcode EMPTY_SET"],
    ["an outside buffer", bytes(0x80, 5, 0x97, "."), "opcode NEXT_BUFFER"],
    ["an allowed name as data", bytes("cnumpy\ndtype\n."), "opcode STOP"],
    ["the same in a list", bytes("]cnumpy\ndtype\na."), "opcode APPEND"],
    ["the same in a tuple", bytes("(cnumpy\ndtype\nt."), "opcode STOP"],
    ["the same in a tuple in a list", bytes("](cnumpy\ndtype\nta."), "opcode APPEND"],
    ["an allowed name with other arguments", bytes("cnumpy\ndtype\n(S'O8'\ntR."), "numpy.dtype with others"],
    [
      "an encoding that is none of bytes",
      bytes("c_codecs\nencode\n(S'a'\nS'rot13'\ntR."),
      "_codecs.encode with others",
    ],
    ["a state for what is no array", bytes("](lb."), "opcode BUILD"],
    ["keys that are lists", bytes("}]I1\ns."), "keys that are numbers or texts"],
  ])("%s", (_, pickle, message) => {
    expect(() => readPickle(pickle)).toThrow(message);
  });
});

describe("what is no pickle is told as such", () => {
  it.each([
    ["nothing", bytes(), "at byte 0: expected the rest of it"],
    ["no end", bytes("I1\n"), "at byte 3: expected the rest of it"],
    ["another file", bytes("<html>"), "no whole pickle at byte 0"],
    ["an unknown opcode", bytes(0xff), "received byte 0xff"],
    ["a protocol to come", bytes(0x80, 6, "N."), "protocol 0 to 5"],
    ["an empty stack", bytes("."), "1 values on the stack"],
    ["no mark", bytes("t."), "a mark on the stack"],
    ["a memo that is not there", bytes("h", 7, "."), "received number 7"],
    ["a long text that is not there", bytes("X", 255, 255, 255, 255, "a."), "the end of the file"],
    ["a longer one", bytes(0x8d, 0, 0, 0, 0, 0, 0, 0, 255, "."), "the end of the file"],
    ["a large integer", bytes(0x8a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, "."), "53 bits"],
    ["another large integer", bytes("L9007199254740993L\n."), "53 bits"],
    ["a key without a value", bytes("(I1\nd."), "keys with a value each"],
    ["a list that is none", bytes("I1\nI2\na."), "a list on the stack"],
  ])("%s", (_, pickle, message) => {
    expect(() => readPickle(pickle)).toThrow(message);
  });
});

it("has limits", () => {
  expect(() => readPickle(bytes("(".repeat(20_000), "."))).toThrow("at most 10000 marks");
  expect(() => readPickle(bytes("N".repeat(101), "."), { values: 100 })).toThrow("at most 100 values");
  expect(() => readPickle(bytes("N0".repeat(100), "N."), { opcodes: 50 })).toThrow("at most 50 opcodes");
  // A list in itself is data; who reads it looks at a fixed depth.
  expect(readPickle(bytes("]q", 0, "h", 0, "a."))).toHaveLength(1);
});

it("does not let the names of objects' members through", () => {
  const map = readPickle(bytes("}S'__proto__'\nI1\ns.")) as Map<string, number>;
  expect(map.get("__proto__")).toBe(1);
  expect(({} as Record<string, unknown>).I1).toBeUndefined();
  expect(() => readPickle(bytes("c__proto__\nx\n."))).toThrow(DovetailError);
});

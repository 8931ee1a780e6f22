import { DovetailError } from "@dovetail/core";
import { tensor } from "@dovetail/graph";
import { describe, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";

function fileOf(header: unknown, dataBytes: number): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return new Uint8Array(Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
}

const f32 = (shape: unknown, offsets: unknown) => ({ dtype: "F32", shape, data_offsets: offsets });

describe("malformed files", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ["empty", new Uint8Array(), /shorter than its length field: expected 8 bytes or more, received 0/],
    ["cut in the header", fileOf({}, 0).subarray(0, 9), /cut short inside its header: expected 10 bytes, received 9/],
    ["huge header", new Uint8Array(8).fill(0x7f), /header too long: expected at most 100000000 bytes/],
    ["no JSON", fileOf("{", 0), /header is not JSON/],
    ["no object", fileOf("[]", 0), /header is not a JSON object/],
    ["number in the metadata", fileOf({ __metadata__: { a: 1 } }, 0), /__metadata__ is not a map of strings/],
    ["entry is a string", fileOf({ a: "x" }, 0), /^a: .*expected an object, received "x"/],
    [
      "unknown type",
      fileOf({ a: { dtype: "F8", shape: [], data_offsets: [0, 1] } }, 1),
      /^a: unknown element type.*"F8"/,
    ],
    ["negative size", fileOf({ a: f32([-1], [0, 4]) }, 4), /^a: .*a shape of non-negative integers, received \[-1\]/],
    ["fractional size", fileOf({ a: f32([0.5], [0, 2]) }, 2), /^a: .*received \[0.5\]/],
    ["shape that overflows", fileOf({ a: f32([2 ** 52, 2 ** 52], [0, 4]) }, 4), /^a: .*bytes for F32/],
    ["reversed offsets", fileOf({ a: f32([1], [4, 0]) }, 4), /^a: .*data_offsets inside the file's 4 bytes/],
    ["offsets beyond the end", fileOf({ a: f32([1], [4, 8]) }, 4), /^a: .*received \[4,8\]/],
    ["wrong size", fileOf({ a: f32([2], [0, 4]) }, 4), /^a: .*expected 8 bytes for F32 \[2\], received 4/],
    ["overlap", fileOf({ a: f32([2], [0, 8]), b: f32([1], [4, 8]) }, 8), /^b: .*overlaps the tensor before it/],
    ["gap", fileOf({ a: f32([1], [4, 8]) }, 8), /^a: .*leaves a gap before it: expected data from byte 0, received 4/],
    [
      "bytes behind the end",
      fileOf({ a: f32([1], [0, 4]) }, 8),
      /size of the data differs.*expected 4 bytes, received 8/,
    ],
  ];
  test.each(cases)("%s", (_, file, message) => {
    expect(() => decodeSafetensors(file)).toThrow(message);
    expect(() => decodeSafetensors(file)).toThrow(DovetailError);
  });
});

test("a tensor at an odd address is copied, not misread", () => {
  const tensors = new Map([["a", tensor("float32", [2], [1.5, -2])]]);
  const file = Buffer.concat([Buffer.alloc(1), ...encodeSafetensors(tensors)]);
  const shifted = new Uint8Array(file.buffer, file.byteOffset + 1, file.length - 1);
  expect(decodeSafetensors(shifted).tensors).toEqual(tensors);
});

test("what the format cannot hold is refused with the tensor's name", () => {
  const packed = { elementType: "int4", dimensions: [2], data: new Uint8Array(1) } as const;
  expect(() => encodeSafetensors(new Map([["w", packed]]))).toThrow(/^w: safetensors holds no int4/);
  const wrong = { elementType: "float32", dimensions: [3], data: new Float32Array(2) } as const;
  expect(() => encodeSafetensors(new Map([["w", wrong]]))).toThrow(
    /^w: tensor of shape \[3\]: expected 3 values, received 2/,
  );
  expect(() => encodeSafetensors(new Map([["__metadata__", tensor("bool", [], [1])]]))).toThrow(/cannot be named/);
});

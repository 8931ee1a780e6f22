// For tests only: pickles of protocol 4 as NumPy 1 writes arrays, for files that are too large to be stored.
import { isNumpyArray, type PickleValue } from "../pickle/values.js";

const encoder = new TextEncoder();

/** The bytes of a pickle. */
export function writePickle(value: PickleValue): Uint8Array {
  const pieces: Uint8Array[] = [Uint8Array.of(0x80, 4)];
  write(value, pieces);
  pieces.push(encoder.encode("."));
  return new Uint8Array(Buffer.concat(pieces));
}

function write(value: PickleValue, pieces: Uint8Array[]): void {
  if (value === null) pieces.push(encoder.encode("N"));
  else if (typeof value === "boolean") pieces.push(Uint8Array.of(value ? 0x88 : 0x89));
  else if (typeof value === "number") pieces.push(numberOf(value));
  else if (typeof value === "string") pieces.push(sized("X", encoder.encode(value)));
  else if (value instanceof Uint8Array) pieces.push(sized("B", value));
  else if (value instanceof Map) writeItems("}", [...value].flat() as PickleValue[], "u", pieces);
  else if (Array.isArray(value)) writeItems("]", value, "e", pieces);
  else if (isNumpyArray(value)) writeArray(value.values, pieces);
}

function writeItems(open: string, items: readonly PickleValue[], close: string, pieces: Uint8Array[]): void {
  pieces.push(encoder.encode(`${open}(`));
  for (const item of items) write(item, pieces);
  pieces.push(encoder.encode(close));
}

function writeArray(values: Float64Array, pieces: Uint8Array[]): void {
  pieces.push(latin1("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R(K\x01"));
  write(values.length, pieces);
  pieces.push(latin1("\x85cnumpy\ndtype\n"), sized("X", encoder.encode("f8")), latin1("\x89\x88\x87R(K\x03"));
  pieces.push(sized("X", encoder.encode("<")), latin1("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"));
  pieces.push(sized("B", new Uint8Array(values.buffer, values.byteOffset, values.byteLength)), latin1("tb"));
}

function numberOf(value: number): Uint8Array {
  const isInteger = Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0);
  const bytes = new Uint8Array(isInteger ? 5 : 9);
  bytes[0] = (isInteger ? "J" : "G").charCodeAt(0);
  const view = new DataView(bytes.buffer);
  if (isInteger) view.setInt32(1, value, true);
  else view.setFloat64(1, value, false);
  return bytes;
}

function sized(opcode: string, contents: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + contents.length);
  bytes[0] = opcode.charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, contents.length, true);
  bytes.set(contents, 5);
  return bytes;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

import type { NumpyArray } from "./values.js";

/** Element types of arrays that are read, by NumPy's letter and size. */
const readers: Readonly<Record<string, (view: DataView, offset: number, little: boolean) => number>> = {
  f4: (view, offset, little) => view.getFloat32(offset, little),
  f8: (view, offset, little) => view.getFloat64(offset, little),
  i1: (view, offset) => view.getInt8(offset),
  i2: (view, offset, little) => view.getInt16(offset, little),
  i4: (view, offset, little) => view.getInt32(offset, little),
  i8: (view, offset, little) => safe(view.getBigInt64(offset, little)),
  u1: (view, offset) => view.getUint8(offset),
  u2: (view, offset, little) => view.getUint16(offset, little),
  u4: (view, offset, little) => view.getUint32(offset, little),
  u8: (view, offset, little) => safe(view.getBigUint64(offset, little)),
  b1: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1),
};

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`the integer ${value}`);
  return number;
}

/** A type of elements: `f8`, `i4`, …; its byte order. */
export interface NumpyType {
  readonly kind: "type";
  readonly code: string;
  isLittleEndian: boolean;
}

/** The type that NumPy's text means, or undefined for types that are not numbers. */
export function numpyType(text: string): NumpyType | undefined {
  const match = /^([<>|=]?)([a-z]\d)$/.exec(text);
  const code = match?.[2] ?? "";
  return Object.hasOwn(readers, code) ? { kind: "type", code, isLittleEndian: match![1] !== ">" } : undefined;
}

/** Bytes of an element. */
export function elementBytes({ code }: NumpyType): number {
  return Number(code.slice(1));
}

/** The numbers of a buffer, in its own order. Throws a RangeError for integers beyond 2⁵³. */
export function numbersOf(type: NumpyType, bytes: Uint8Array): Float64Array {
  const size = elementBytes(type);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readers[type.code]!;
  return Float64Array.from({ length: bytes.length / size }, (_, index) =>
    read(view, index * size, type.isLittleEndian),
  );
}

/** An array from values in row-major or, as Fortran has them, column-major order. */
export function numpyArray(shape: readonly number[], values: Float64Array, isFortran: boolean): NumpyArray {
  if (!isFortran || shape.length < 2) return { kind: "array", shape, values };
  const sorted = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) {
    let rest = index;
    let place = 0;
    for (const size of shape) {
      place = place * size + (rest % size);
      rest = Math.floor(rest / size);
    }
    sorted[place] = values[index]!;
  }
  return { kind: "array", shape, values: sorted };
}

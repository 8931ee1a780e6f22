/** Thrown where the bytes end too early; the reader turns it into an error with the place. */
export class EndOfBytes extends Error {}

/** Little-endian reading of bytes, one after another. */
export interface Cursor {
  readonly offset: number;
  readonly left: number;
  byte(): number;
  uint16(): number;
  int32(): number;
  uint32(): number;
  /** A count of 8 bytes; beyond what is left it is an end of bytes. */
  length64(): number;
  /** Big endian, as pickles have it. */
  float64(): number;
  bytes(count: number): Uint8Array;
  /** Up to the next line feed, without it. Longer lines than `limit` are an end of bytes. */
  line(limit: number): string;
}

export function createCursor(source: Uint8Array): Cursor {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  let offset = 0;
  const take = (count: number): number => {
    if (count > source.length - offset) throw new EndOfBytes();
    offset += count;
    return offset - count;
  };
  return {
    get offset() {
      return offset;
    },
    get left() {
      return source.length - offset;
    },
    byte: () => source[take(1)]!,
    uint16: () => view.getUint16(take(2), true),
    int32: () => view.getInt32(take(4), true),
    uint32: () => view.getUint32(take(4), true),
    length64: () => {
      const count = view.getBigUint64(take(8), true);
      if (count > BigInt(source.length - offset)) throw new EndOfBytes();
      return Number(count);
    },
    float64: () => view.getFloat64(take(8), false),
    bytes: (count) => {
      const start = take(count);
      return source.subarray(start, start + count);
    },
    line: (limit) => {
      const end = source.indexOf(10, offset);
      if (end < 0 || end - offset > limit) throw new EndOfBytes();
      const start = take(end - offset + 1);
      return latin1(source.subarray(start, end));
    },
  };
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

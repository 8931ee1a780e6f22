// Fields of 1 to 32 bits one after the other, the least significant bit first.

export interface BitWriter {
  /** Appends the lowest `width` bits of a whole number. */
  write(value: number, width: number): void;
  readonly bits: number;
  /** All bytes; what fills up the last one is zero. */
  bytes(): Uint8Array;
}

export function createBitWriter(expectedBits: number): BitWriter {
  let buffer = new Uint8Array(Math.ceil(expectedBits / 8) + 8);
  let position = 0;
  return {
    get bits() {
      return position;
    },
    write(value, width) {
      if (position + width > 8 * buffer.length) {
        const larger = new Uint8Array(2 * buffer.length);
        larger.set(buffer);
        buffer = larger;
      }
      let rest = value >>> 0;
      let left = width;
      while (left > 0) {
        const at = position & 7;
        const taken = Math.min(8 - at, left);
        buffer[position >>> 3]! |= (rest & ((1 << taken) - 1)) << at;
        rest >>>= taken;
        left -= taken;
        position += taken;
      }
    },
    bytes: () => buffer.slice(0, Math.ceil(position / 8)),
  };
}

export interface BitReader {
  /** The next `width` bits as a whole number from 0; undefined where the stream ends before. */
  read(width: number): number | undefined;
  /** Bits that are left. */
  readonly left: number;
}

export function createBitReader(bytes: Uint8Array): BitReader {
  const end = 8 * bytes.length;
  let position = 0;
  return {
    get left() {
      return end - position;
    },
    read(width) {
      if (position + width > end) return undefined;
      let value = 0;
      for (let read = 0; read < width; ) {
        const at = position & 7;
        const taken = Math.min(8 - at, width - read);
        value += ((bytes[position >>> 3]! >>> at) & ((1 << taken) - 1)) * 2 ** read;
        read += taken;
        position += taken;
      }
      return value;
    },
  };
}

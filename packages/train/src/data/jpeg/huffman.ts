import { inputError } from "@dovetail/core";

/**
 * A Huffman code as one look-up: entry `next 16 bits of the stream` is `codeLength << 8 | symbol`,
 * or 0 where no code starts like that.
 */
export type HuffmanTable = Uint16Array;

/**
 * Builds the look-up from a DHT segment (ITU-T T.81, annex C): `counts[l]` codes of length l + 1, and their
 * symbols in order. Throws `jpeg_corrupt` when the counts describe no prefix code.
 */
export function createHuffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const table = new Uint16Array(2 ** 16);
  let start = 0;
  let symbolIndex = 0;
  for (let codeLength = 1; codeLength <= 16; codeLength++) {
    const span = 2 ** (16 - codeLength);
    for (let count = counts[codeLength - 1]!; count > 0; count--) {
      if (start + span > table.length) {
        throw inputError("jpeg_corrupt", "corrupt JPEG: Huffman table has more codes than fit 16 bits");
      }
      table.fill((codeLength << 8) | symbols[symbolIndex]!, start, start + span);
      start += span;
      symbolIndex += 1;
    }
  }
  return table;
}

import { createHash } from "node:crypto";
import { inputError } from "@dovetail/core";
import { type JpegFiles, jpegEnd, type PackDescription, packMagic, packParts } from "./format.js";

/**
 * Packs JPEG files that share their header into one file (see `format.ts`). Equal inputs give equal bytes. Throws the
 * input error `pack_image` when a file does not start with the header of the first one or does not end with FF D9.
 */
export function encodePack(
  description: Omit<PackDescription, "parts" | "prefixBytes">,
  parts: Readonly<Record<(typeof packParts)[number], JpegFiles>>,
): Uint8Array {
  const first = parts.train.files[0];
  if (!first) throw inputError("pack_image", "no training image to pack");
  const prefix = first.subarray(0, entropyStart(first));
  const complete: PackDescription = {
    ...description,
    prefixBytes: prefix.length,
    parts: { train: { count: parts.train.files.length }, test: { count: parts.test.files.length } },
  };
  const json = Buffer.from(JSON.stringify(complete), "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const pieces: Uint8Array[] = [packMagic, length, json, prefix];
  for (const part of packParts) pieces.push(...encodePart(parts[part], prefix, part));
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return Buffer.concat([...pieces, hash.digest()]);
}

function encodePart({ files, labels }: JpegFiles, prefix: Uint8Array, part: string): Uint8Array[] {
  const lengths = Buffer.alloc(2 * files.length);
  const middles = files.map((file, index) => {
    const shares = Buffer.compare(file.subarray(0, prefix.length), prefix) === 0;
    const ends = Buffer.compare(file.subarray(-2), jpegEnd) === 0;
    const middle = file.subarray(prefix.length, -2);
    if (!shares || !ends || middle.length === 0 || middle.length > 0xffff) {
      throw inputError("pack_image", `image ${index} of ${part} does not fit the pack`, {
        expected: "the header of the first image, up to 65535 bytes, and FF D9",
      });
    }
    lengths.writeUInt16LE(middle.length, 2 * index);
    return middle;
  });
  return [labels, lengths, ...middles];
}

/** Where the entropy-coded data begins: behind the scan header, FF DA. */
function entropyStart(jpeg: Uint8Array): number {
  let position = 2;
  while (position + 4 <= jpeg.length && jpeg[position] === 0xff) {
    const isScan = jpeg[position + 1] === 0xda;
    position += 2 + ((jpeg[position + 2]! << 8) | jpeg[position + 3]!);
    if (isScan && position < jpeg.length) return position;
  }
  throw inputError("pack_image", "the first image is not a JPEG file", { expected: "a scan header, FF DA" });
}

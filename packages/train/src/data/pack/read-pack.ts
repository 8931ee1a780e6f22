import { createHash } from "node:crypto";
import { inputError } from "@dovetail/core";
import {
  type JpegFiles,
  jpegEnd,
  type PackDescription,
  packDescriptionSchema,
  packMagic,
  type packParts,
} from "./format.js";

/** A pack in memory. */
export interface Pack {
  readonly description: PackDescription;
  readonly parts: Readonly<Record<(typeof packParts)[number], PackPart>>;
}

/** One part of a pack. */
export interface PackPart {
  readonly labels: Uint8Array;
  /** Rebuilds JPEG file `index`, byte for byte. */
  file(index: number): Uint8Array;
}

/** Longest description that is read. */
const maximumDescriptionBytes = 1_000_000;

/**
 * Reads a pack (see `format.ts`) and checks its hash, its labels and that its lengths add up. Throws the input error
 * `pack_corrupt`.
 */
export function decodePack(bytes: Uint8Array): Pack {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.subarray(0, packMagic.length);
  if (bytes.length < 44 || Buffer.compare(magic, packMagic) !== 0) {
    throw corrupt("not a pack of images, or of a newer version", "DVPACK 0 1 at the start");
  }
  const end = bytes.length - 32;
  const digest = createHash("sha256").update(bytes.subarray(0, end)).digest("hex");
  const stated = Buffer.from(bytes.subarray(end)).toString("hex");
  if (digest !== stated) throw corrupt("contents do not have the stated hash", `sha256 ${stated}`, digest);
  const jsonBytes = view.getUint32(8, true);
  if (jsonBytes > maximumDescriptionBytes || 12 + jsonBytes > end) {
    throw corrupt(
      "description longer than the file or the limit",
      `at most ${maximumDescriptionBytes}`,
      `${jsonBytes}`,
    );
  }
  const description = parseDescription(bytes.subarray(12, 12 + jsonBytes));
  let position = 12 + jsonBytes + description.prefixBytes;
  const prefix = bytes.subarray(12 + jsonBytes, position);
  const readPart = (name: (typeof packParts)[number]): PackPart => {
    const part = locatePart(view, bytes, position, end, description.parts[name].count, name);
    checkLabels(part.labels, description.classNames.length, name);
    position = part.offsets.at(-1)!;
    return { labels: part.labels, file: (index) => rebuild(bytes, prefix, part.offsets, index) };
  };
  const parts = { train: readPart("train"), test: readPart("test") };
  if (position !== end)
    throw corrupt("size differs from what its parts add up to", `${position + 32}`, `${bytes.length}`);
  return { description, parts };
}

/** All files of a part, rebuilt. */
export function filesOfPart(part: PackPart): JpegFiles {
  return { labels: part.labels, files: Array.from(part.labels, (_, index) => part.file(index)) };
}

function parseDescription(bytes: Uint8Array): PackDescription {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw corrupt(`description is not JSON (${(error as Error).message})`);
  }
  const parsed = packDescriptionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw corrupt(`description does not fit the format: ${issue.path.join(".")}: ${issue.message}`);
}

/** `offsets[i]` is where middle i starts; the last one is where the part ends. */
function locatePart(
  view: DataView,
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  name: string,
): { labels: Uint8Array; offsets: Uint32Array } {
  const lengthsStart = start + count;
  const middlesStart = lengthsStart + 2 * count;
  if (middlesStart > end) throw corrupt(`part ${name} is cut short`);
  const offsets = new Uint32Array(count + 1);
  offsets[0] = middlesStart;
  for (let index = 0; index < count; index++) {
    offsets[index + 1] = offsets[index]! + view.getUint16(lengthsStart + 2 * index, true);
  }
  if (offsets[count]! > end) throw corrupt(`part ${name} is cut short`, `${offsets[count]} bytes`, `${end}`);
  return { labels: bytes.subarray(start, lengthsStart), offsets };
}

function checkLabels(labels: Uint8Array, classCount: number, name: string): void {
  const bad = labels.findIndex((label) => label >= classCount);
  if (bad >= 0) throw corrupt(`label of image ${bad} of ${name}`, `less than ${classCount}`, `${labels[bad]}`);
}

function rebuild(bytes: Uint8Array, prefix: Uint8Array, offsets: Uint32Array, index: number): Uint8Array {
  const start = offsets[index]!;
  const length = offsets[index + 1]! - start;
  const file = new Uint8Array(prefix.length + length + jpegEnd.length);
  file.set(prefix);
  file.set(bytes.subarray(start, start + length), prefix.length);
  file.set(jpegEnd, prefix.length + length);
  return file;
}

function corrupt(message: string, expected?: string, received?: string): Error {
  return inputError("pack_corrupt", `corrupt pack: ${message}`, { expected, received });
}

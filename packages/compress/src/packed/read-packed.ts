import { createHash } from "node:crypto";
import { inputError } from "@dovetail/core";
import { elementCount, elementTypes, type TensorData } from "@dovetail/graph";
import { coefficientBitWidthOf, scaleExponentRange } from "../decomposition/structured-layer.js";
import { type BitReader, createBitReader } from "./bit-stream.js";
import {
  descriptionSchema,
  mostDescriptionBytes,
  mostElements,
  mostGraphBytes,
  packedMagic,
  plainTypes,
  type TensorEntry,
} from "./format.js";
import { type PackedTensor, structuredFormOfDimensions } from "./packed-tensor.js";
import type { PackedNetwork } from "./write-packed.js";

/** Whether a file begins as packed files do. */
export const isPacked = (bytes: Uint8Array): boolean => packedMagic.every((byte, index) => bytes[index] === byte);

/**
 * Reads a packed file from anywhere: its hash, its sizes and every code are checked, and memory is taken only for what the
 * file has bits for. Throws the input error `packed_corrupt`.
 */
export function decodePacked(bytes: Uint8Array): PackedNetwork {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 48 || !isPacked(bytes)) {
    throw corrupt("no packed network, or of a newer version", [], "DVPKWT 0 1 at the start");
  }
  const end = bytes.length - 32;
  const stated = Buffer.from(bytes.subarray(end)).toString("hex");
  const digest = createHash("sha256").update(bytes.subarray(0, end)).digest("hex");
  if (digest !== stated) throw corrupt("contents do not have the stated hash", [], `sha256 ${stated}`, digest);
  const section = (at: number, most: number, what: string): Uint8Array => {
    const size = at + 4 <= end ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (size > most || at + 4 + size > end) {
      throw corrupt(`the ${what} is longer than the file or the limit`, [], `at most ${most} bytes`, `${size}`);
    }
    return bytes.subarray(at + 4, at + 4 + size);
  };
  const text = section(8, mostDescriptionBytes, "description");
  const graph = section(12 + text.length, mostGraphBytes, "graph");
  const { tensors: entries, metadata } = parseDescription(text);
  checkEntries(entries);
  const reader = createBitReader(bytes.subarray(16 + text.length + graph.length, end));
  const tensors = new Map<string, PackedTensor>();
  for (const [index, entry] of entries.entries()) {
    tensors.set(entry.name, readTensor(reader, entry, ["tensors", index]));
  }
  const { left } = reader;
  if (left > 7 || reader.read(left) !== 0) throw corrupt("more bytes than the tensors have", [], "the end of the file");
  return { tensors, graph: graph.slice(), metadata };
}

function parseDescription(bytes: Uint8Array) {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw corrupt(`the description is not JSON (${(error as Error).message})`, []);
  }
  const parsed = descriptionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw corrupt(`the description does not fit its format: ${issue.message}`, issue.path as Path);
}

type Path = readonly (string | number)[];

function checkEntries(entries: readonly TensorEntry[]): void {
  const names = new Set<string>();
  let elements = 0;
  for (const [index, { name, dimensions }] of entries.entries()) {
    if (names.has(name)) throw corrupt(`two tensors of the name "${name}"`, ["tensors", index, "name"]);
    names.add(name);
    elements += elementCount(dimensions);
    if (!(elements <= mostElements)) {
      const path = ["tensors", index, "dimensions"];
      throw corrupt("more values than are read", path, `at most ${mostElements} in all tensors`, `${elements}`);
    }
  }
}

function readTensor(reader: BitReader, entry: TensorEntry, path: Path): PackedTensor {
  switch (entry.kind) {
    case "structured":
      return readStructured(reader, entry, path);
    case "integers":
      return readIntegers(reader, entry, path);
    case "plain":
      return readPlain(reader, entry, path);
  }
}

type Entry<Kind extends TensorEntry["kind"]> = Extract<TensorEntry, { kind: Kind }>;

function readStructured(reader: BitReader, entry: Entry<"structured">, path: Path): PackedTensor {
  const { kind, dimensions, isTransposed, exponents } = entry;
  checkRank(dimensions, isTransposed, path);
  const { shape, form } = structuredFormOfDimensions(dimensions, isTransposed);
  const { columns } = form;
  const rows = shape.outputChannels * form.rowsPerFilter;
  const baseCount = shape.outputChannels * form.piecesPerFilter;
  need(reader, rows + baseCount * (8 * columns ** 2 + 8), path);
  const stored = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) stored[row] = reader.read(1)!;
  const width = coefficientBitWidthOf(exponents);
  const sign = 1 << (width - 1);
  const codes = new Int8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    if (stored[row] === 0) continue;
    need(reader, columns * width, path);
    let isZero = true;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      const field = reader.read(width)!;
      const magnitude = field & (sign - 1);
      if (magnitude > exponents || field === sign) throw corrupt("a coefficient that does not exist", path);
      codes[index] = (field & sign) === 0 ? magnitude : -magnitude;
      isZero &&= magnitude === 0;
    }
    if (isZero) throw corrupt("a stored row of zeros", path);
  }
  need(reader, baseCount * (8 * columns ** 2 + 8), path);
  const bases = Int8Array.from({ length: baseCount * columns ** 2 }, () => reader.read(8)!);
  if (bases.includes(-128)) throw corrupt("an element of a basis that does not exist", path, "−127 to 127");
  const scaleExponents = Int8Array.from({ length: baseCount }, () => reader.read(8)!);
  const [least, most] = scaleExponentRange;
  if (scaleExponents.some((exponent) => exponent < least || exponent > most)) {
    throw corrupt("a basis of a scale that does not exist", path, `2^${least} to 2^${most}`);
  }
  return { kind, dimensions, isTransposed, layer: { shape, form, exponents, codes, bases, scaleExponents } };
}

function readIntegers(reader: BitReader, entry: Entry<"integers">, path: Path): PackedTensor {
  const { kind, dimensions, isTransposed, bitWidth, zeros } = entry;
  checkRank(dimensions, isTransposed, path);
  const channels = structuredFormOfDimensions(dimensions, isTransposed).shape.outputChannels;
  const count = elementCount(dimensions);
  const most = 2 ** (bitWidth - 1);
  const readCode = (mayBeZero: boolean): number => {
    const field = reader.read(bitWidth);
    if (field === undefined) throw truncated(path);
    if (field === most || (field === 0 && !mayBeZero)) throw corrupt("a value that does not exist", path);
    return field < most ? field : field - 2 * most;
  };
  need(
    reader,
    zeros.kind === "none" ? count * bitWidth : zeros.kind === "bitmap" ? count : zeros.count * bitWidth,
    path,
  );
  need(reader, 32 * channels, path);
  const codes = new Int8Array(count);
  if (zeros.kind === "none") {
    for (let index = 0; index < count; index++) codes[index] = readCode(true);
  } else if (zeros.kind === "bitmap") {
    const isThere = Uint8Array.from(codes, () => reader.read(1)!);
    for (let index = 0; index < count; index++) if (isThere[index] === 1) codes[index] = readCode(false);
  } else {
    const longest = 2 ** zeros.runBits - 1;
    let place = 0;
    for (let left = zeros.count; left > 0; ) {
      const run = reader.read(zeros.runBits);
      if (run === undefined) throw truncated(path);
      place += run;
      if (place >= count) throw corrupt("a run of zeros beyond the tensor", path, `${count} values`);
      if (run === longest) continue;
      codes[place++] = readCode(false);
      left--;
    }
  }
  need(reader, 32 * channels, path);
  const words = Uint32Array.from({ length: channels }, () => reader.read(32)!);
  const scales = new Float32Array(words.buffer);
  if (!scales.every(Number.isFinite)) throw corrupt("a scale that is no number", path);
  return { kind, dimensions, isTransposed, bitWidth, codes, scales };
}

function readPlain(reader: BitReader, { dimensions, elementType }: Entry<"plain">, path: Path): PackedTensor {
  const count = elementCount(dimensions);
  need(reader, count * plainTypes[elementType], path);
  const data = elementTypes[elementType].allocate(count) as Exclude<TensorData, readonly string[]>;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let index = 0; index < bytes.length; index++) bytes[index] = reader.read(8)!;
  return { kind: "plain", tensor: { elementType, dimensions, data } };
}

function checkRank(dimensions: readonly number[], isTransposed: boolean, path: Path): void {
  if (isTransposed && dimensions.length !== 2) throw corrupt("only a matrix is transposed", [...path, "dimensions"]);
}

function need(reader: BitReader, bits: number, path: Path): void {
  if (reader.left < bits) throw truncated(path, `${bits} bits, at least`, `${reader.left}`);
}

function truncated(path: Path, expected?: string, received?: string) {
  return corrupt("the file ends within a tensor", path, expected, received);
}

function corrupt(message: string, path: Path, expected?: string, received?: string) {
  return inputError("packed_corrupt", message, { path, expected, received });
}

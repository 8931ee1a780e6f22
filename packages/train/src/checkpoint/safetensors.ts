import { inputError } from "@dovetail/core";
import {
  type ElementType,
  elementCount,
  elementTypes,
  type Tensor,
  type TensorData,
  tensorData,
} from "@dovetail/graph";

// The safetensors format (https://github.com/huggingface/safetensors): 8 bytes with the header's length (little endian),
// a JSON header {name: {dtype, shape, data_offsets}, __metadata__?: {string: string}}, and the raw little-endian values.

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit on its header. */
const maximumHeaderBytes = 100_000_000;
const maximumRank = 64;

/** In the order in which the reference implementation lays tensors out: falling size, so that all are aligned. */
const dtypeOf: Partial<Record<ElementType, string>> = {
  uint64: "U64",
  int64: "I64",
  float64: "F64",
  float32: "F32",
  uint32: "U32",
  int32: "I32",
  bfloat16: "BF16",
  float16: "F16",
  uint16: "U16",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};
const layoutOrder = Object.keys(dtypeOf);
const elementTypeOf = new Map(Object.entries(dtypeOf).map(([type, dtype]) => [dtype, type as ElementType]));

/**
 * Encodes tensors as a safetensors file, in pieces (the header, then the tensors' own memory, without a copy). Tensors
 * are ordered as the reference implementation does, by element type and then by name, so equal tensors give equal bytes. Throws an input error `safetensors_type` for element types that the format lacks (4-bit, string) and
 * `safetensors_name` for the reserved name.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const header: [string, unknown][] = [];
  const metadataKeys = Object.keys(metadata).sort();
  if (metadataKeys.length > 0) {
    header.push(["__metadata__", Object.fromEntries(metadataKeys.map((key) => [key, metadata[key]]))]);
  }
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (const [name, value] of [...tensors].sort(compareTensors)) {
    if (name === "__metadata__") throw inputError("safetensors_name", "a tensor cannot be named __metadata__");
    const bytes = bytesOf(name, value);
    const dtype = dtypeOf[value.elementType];
    header.push([name, { dtype, shape: value.dimensions, data_offsets: [offset, offset + bytes.length] }]);
    pieces.push(bytes);
    offset += bytes.length;
  }
  // Written by hand because an object would put names that look like numbers first.
  const json = `{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = Buffer.from(json, "utf8");
  const padded = Math.ceil(text.length / 8) * 8;
  const head = Buffer.alloc(8 + padded, " ");
  head.writeBigUInt64LE(BigInt(padded));
  text.copy(head, 8);
  return [head, ...pieces];
}

function compareTensors([nameA, a]: [string, Tensor], [nameB, b]: [string, Tensor]): number {
  const byType = layoutOrder.indexOf(a.elementType) - layoutOrder.indexOf(b.elementType);
  return byType !== 0 ? byType : Buffer.compare(Buffer.from(nameA), Buffer.from(nameB));
}

function bytesOf(name: string, value: Tensor): Uint8Array {
  const data = tensorData(value, name);
  if (dtypeOf[value.elementType] === undefined || Array.isArray(data)) {
    throw inputError("safetensors_type", `safetensors holds no ${value.elementType}`, {
      path: [name],
      expected: Object.keys(dtypeOf).join(", "),
    });
  }
  const count = elementCount(value.dimensions);
  if (data.length !== count) {
    throw inputError("safetensors_size", `tensor of shape [${value.dimensions.join(",")}]`, {
      path: [name],
      expected: `${count} values`,
      received: `${data.length}`,
    });
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Reads a safetensors file. The tensors share `file`'s memory where its alignment allows it. Every tensor's range is
 * checked: inside the file, of the size that its shape and type ask for, without gaps or overlaps. Throws input errors
 * `safetensors_corrupt` and `safetensors_type`.
 */
export function decodeSafetensors(file: Uint8Array): Safetensors {
  const { header, dataStart } = readHeader(file);
  const dataBytes = file.length - dataStart;
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = checkMetadata(value);
    else entries.push(checkEntry(name, value, dataBytes));
  }
  checkCoverage(entries, dataBytes);
  const tensors = new Map<string, Tensor>();
  for (const { name, elementType, dimensions, begin, end } of entries) {
    const data = viewOf(file.subarray(dataStart + begin, dataStart + end), elementType);
    tensors.set(name, { elementType, dimensions, data });
  }
  return { tensors, metadata };
}

interface Entry {
  readonly name: string;
  readonly elementType: ElementType;
  readonly dimensions: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readHeader(file: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (file.length < 8) throw corrupt("shorter than its length field", "8 bytes or more", `${file.length}`);
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  if (length > maximumHeaderBytes) throw corrupt("header too long", `at most ${maximumHeaderBytes} bytes`, `${length}`);
  if (8 + length > file.length) throw corrupt("cut short inside its header", `${8 + length} bytes`, `${file.length}`);
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file.slice(8, 8 + length));
    header = JSON.parse(text);
  } catch (error) {
    throw corrupt(`header is not JSON (${(error as Error).message})`);
  }
  if (!isRecord(header)) throw corrupt("header is not a JSON object");
  return { header, dataStart: 8 + length };
}

function checkMetadata(value: unknown): Record<string, string> {
  if (isRecord(value) && Object.values(value).every((item) => typeof item === "string")) {
    return value as Record<string, string>;
  }
  throw corrupt("__metadata__ is not a map of strings");
}

function checkEntry(name: string, value: unknown, dataBytes: number): Entry {
  const fail = (expected: string, received: unknown) =>
    inputError("safetensors_corrupt", "corrupt safetensors file", {
      path: [name],
      expected,
      received: JSON.stringify(received),
    });
  if (!isRecord(value)) throw fail("an object", value);
  const { dtype, shape, data_offsets: offsets } = value;
  const elementType = elementTypeOf.get(dtype as string);
  if (elementType === undefined) {
    throw inputError("safetensors_type", "unknown element type", {
      path: [name],
      expected: [...elementTypeOf.keys()].join(", "),
      received: JSON.stringify(dtype),
    });
  }
  if (!isSizes(shape) || shape.length > maximumRank) throw fail("a shape of non-negative integers", shape);
  if (!isSizes(offsets) || offsets.length !== 2) throw fail("two data_offsets", offsets);
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) throw fail(`data_offsets inside the file's ${dataBytes} bytes of data`, offsets);
  const bytes = (elementCount(shape) * elementTypes[elementType].bits) / 8;
  if (end - begin !== bytes) throw fail(`${bytes} bytes for ${dtype} [${shape.join(",")}]`, end - begin);
  return { name, elementType, dimensions: shape, begin, end };
}

function checkCoverage(entries: readonly Entry[], dataBytes: number): void {
  let position = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== position) {
      const kind = entry.begin < position ? "overlaps the tensor before it" : "leaves a gap before it";
      throw inputError("safetensors_corrupt", `corrupt safetensors file: data ${kind}`, {
        path: [entry.name],
        expected: `data from byte ${position}`,
        received: `${entry.begin}`,
      });
    }
    position = entry.end;
  }
  if (position !== dataBytes) {
    throw corrupt("size of the data differs from what the header lists", `${position} bytes`, `${dataBytes}`);
  }
}

function viewOf(bytes: Uint8Array, elementType: ElementType): TensorData {
  const empty = elementTypes[elementType].allocate(0) as Exclude<TensorData, string[]>;
  const { BYTES_PER_ELEMENT: size } = empty;
  const aligned = bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes);
  const View = empty.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => typeof empty;
  return new View(aligned.buffer, aligned.byteOffset, aligned.length / size);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function corrupt(message: string, expected?: string, received?: string): Error {
  return inputError("safetensors_corrupt", `corrupt safetensors file: ${message}`, { expected, received });
}

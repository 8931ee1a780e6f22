import { inputError } from "@dovetail/core";

// The files of packages/nasbench/data: columns of numbers, every double exact. Inside gzip: the length of a JSON header
// (uint32, little endian), the header, then the columns. A column is "plain" (all first bytes of its values, then all
// second bytes, and so on: that compresses well) or "dictionary" (the distinct values, plain, and an index, plain).

export type ColumnType = "float64" | "uint16" | "uint8";

export type Column = Float64Array | Uint16Array | Uint8Array;

interface ColumnEntry {
  readonly name: string;
  readonly type: ColumnType;
  readonly length: number;
  readonly encoding: "plain" | "dictionary";
  readonly distinct?: number | undefined;
  readonly indexBytes?: number | undefined;
}

export interface ColumnFile {
  /** What the header says beside the columns. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly columns: ReadonlyMap<string, Column>;
}

/** Largest decompressed file that is read. */
const maximumBytes = 64 * 2 ** 20;
/** Most values of a column. */
const maximumLength = 1_000_000;

const widths: Readonly<Record<ColumnType, number>> = { float64: 8, uint16: 2, uint8: 1 };

/** Reads the bytes of a column file. Throws the input error `bad_table_file`. */
export async function readColumns(compressed: Uint8Array): Promise<ColumnFile> {
  const bytes = await throughStream(compressed, new DecompressionStream("gzip"));
  const headerLength = bytes.length >= 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) : 0;
  if (headerLength === 0 || headerLength > bytes.length - 4) throw refuse("a header", "none");
  const { format, version, columns, ...facts } = parseHeader(bytes.subarray(4, 4 + headerLength));
  if (format !== "dovetail-columns" || version !== 1 || !Array.isArray(columns)) {
    throw refuse("format dovetail-columns, version 1", `${String(format)}, ${String(version)}`);
  }
  const found = new Map<string, Column>();
  let offset = 4 + headerLength;
  for (const entry of columns.map(checkEntry)) {
    const size = columnBytes(entry);
    if (offset + size > bytes.length)
      throw refuse(`${size} bytes for column ${entry.name}`, `${bytes.length - offset}`);
    found.set(entry.name, decodeColumn(entry, bytes.subarray(offset, offset + size)));
    offset += size;
  }
  return { facts, columns: found };
}

/** The bytes of a column file, every column plain. */
export async function writeColumns(
  facts: Readonly<Record<string, unknown>>,
  columns: ReadonlyMap<string, Column>,
): Promise<Uint8Array> {
  const entries = [...columns].map(([name, values]) => ({
    name,
    type: typeOf(values),
    length: values.length,
    encoding: "plain" as const,
  }));
  const header = new TextEncoder().encode(
    JSON.stringify({ format: "dovetail-columns", version: 1, ...facts, columns: entries }),
  );
  const bodies = [...columns.values()].map(toPlanes);
  const bytes = new Uint8Array(4 + header.length + bodies.reduce((sum, { length }) => sum + length, 0));
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  let offset = 4 + header.length;
  for (const body of bodies) {
    bytes.set(body, offset);
    offset += body.length;
  }
  return throughStream(bytes, new CompressionStream("gzip"));
}

function typeOf(values: Column): ColumnType {
  return values instanceof Float64Array ? "float64" : values instanceof Uint16Array ? "uint16" : "uint8";
}

async function throughStream(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => writer.close());
  // The reader below meets the same failure; here it would be an unhandled rejection.
  written.catch(() => undefined);
  const pieces: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const piece of piecesOf(stream.readable)) {
      total += piece.length;
      if (total > maximumBytes) throw refuse(`at most ${maximumBytes} bytes when decompressed`, "more");
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof TypeError || (error as { code?: string }).code?.startsWith("Z_")) {
      throw refuse("gzip", "bytes that are not");
    }
    throw error;
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/** Not every browser can iterate a stream by itself. */
async function* piecesOf(readable: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null) return header as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw refuse("a JSON header", "something else");
}

function checkEntry(value: unknown): ColumnEntry {
  const entry = value as ColumnEntry;
  const isCount = (count: unknown): boolean =>
    Number.isInteger(count) && (count as number) >= 0 && (count as number) <= maximumLength;
  const isEntry =
    typeof entry === "object" &&
    entry !== null &&
    typeof entry.name === "string" &&
    Object.hasOwn(widths, entry.type) &&
    isCount(entry.length) &&
    (entry.encoding === "plain" ||
      (entry.encoding === "dictionary" && isCount(entry.distinct) && [1, 2].includes(entry.indexBytes!)));
  if (!isEntry)
    throw refuse("columns with name, type, length and encoding", JSON.stringify(value)?.slice(0, 80) ?? "none");
  return entry;
}

function columnBytes({ type, length, encoding, distinct = 0, indexBytes = 0 }: ColumnEntry): number {
  return encoding === "plain" ? length * widths[type] : distinct * widths[type] + length * indexBytes;
}

function decodeColumn(
  { name, type, length, encoding, distinct = 0, indexBytes = 0 }: ColumnEntry,
  bytes: Uint8Array,
): Column {
  if (encoding === "plain") return fromPlanes(bytes, type, length);
  const values = fromPlanes(bytes, type, distinct);
  const index = fromPlanes(bytes.subarray(distinct * widths[type]), indexBytes === 1 ? "uint8" : "uint16", length);
  const column = createColumn(type, length);
  for (let row = 0; row < length; row++) {
    const place = index[row]!;
    if (place >= distinct) throw refuse(`indices below ${distinct} in column ${name}`, `${place}`);
    column[row] = values[place]!;
  }
  return column;
}

function createColumn(type: ColumnType, length: number): Column {
  return type === "float64"
    ? new Float64Array(length)
    : type === "uint16"
      ? new Uint16Array(length)
      : new Uint8Array(length);
}

function fromPlanes(bytes: Uint8Array, type: ColumnType, length: number): Column {
  const width = widths[type];
  const column = createColumn(type, length);
  const target = littleEndianBytes(column);
  for (let byte = 0; byte < width; byte++) {
    for (let row = 0; row < length; row++) target[row * width + byte] = bytes[byte * length + row]!;
  }
  return column;
}

function toPlanes(values: Column): Uint8Array {
  const source = littleEndianBytes(values);
  const width = values.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(source.length);
  for (let byte = 0; byte < width; byte++) {
    for (let row = 0; row < values.length; row++) bytes[byte * values.length + row] = source[row * width + byte]!;
  }
  return bytes;
}

/** Every machine that runs JavaScript engines of today is little-endian. */
function littleEndianBytes(column: Column): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

function refuse(expected: string, received: string): Error {
  return inputError("bad_table_file", "this is no file of benchmark tables", { expected, received });
}

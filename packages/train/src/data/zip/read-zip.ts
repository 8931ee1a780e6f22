import { crc32, inflateRawSync } from "node:zlib";
import { inputError } from "@dovetail/core";

// The ZIP format (PKWARE APPNOTE 6.3) as far as archives of images use it: one disk, no encryption, no ZIP64, stored or
// deflated entries. Read through the central directory, with limits, so that no archive can exhaust the memory.

export interface ZipLimits {
  /** Most entries in the archive. */
  readonly entries: number;
  /** Most bytes of one entry, unpacked. */
  readonly entryBytes: number;
  /** Most bytes of all entries together, unpacked. */
  readonly totalBytes: number;
}

export interface ZipEntry {
  /** Path inside the archive, with forward slashes, neither absolute nor with `..`. */
  readonly name: string;
  /** Unpacked contents; a view of the archive where the entry was stored. */
  readonly bytes: Uint8Array;
}

interface DirectoryRecord {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

const signature = { local: 0x04034b50, directory: 0x02014b50, end: 0x06054b50 };

/**
 * The files of a ZIP archive, in the order of its directory (folders are left out). Throws input errors
 * `zip_corrupt`, `zip_unsupported`, `zip_limit` and `zip_name`.
 */
export function readZip(archive: Uint8Array, limits: ZipLimits): ZipEntry[] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const records = readDirectory(view, archive, limits).filter((record) => !record.name.endsWith("/"));
  let totalBytes = 0;
  for (const record of records) {
    checkName(record.name);
    totalBytes += record.bytes;
    if (record.bytes > limits.entryBytes) throw limitError(`entry "${record.name}"`, limits.entryBytes, record.bytes);
  }
  if (totalBytes > limits.totalBytes) throw limitError("the archive's contents", limits.totalBytes, totalBytes);
  return records.map((record) => ({ name: record.name, bytes: readEntry(view, archive, record) }));
}

function readDirectory(view: DataView, archive: Uint8Array, limits: ZipLimits): DirectoryRecord[] {
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  if (count === 0xffff || start === 0xffffffff) throw unsupported("ZIP64");
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count)
    throw unsupported("several disks");
  if (count > limits.entries) {
    throw inputError("zip_limit", "too many entries", { expected: `at most ${limits.entries}`, received: `${count}` });
  }
  const records: DirectoryRecord[] = [];
  let position = start;
  for (let index = 0; index < count; index++) {
    if (position + 46 > end || view.getUint32(position, true) !== signature.directory) {
      throw corrupt(`directory record ${index + 1} of ${count} is missing`);
    }
    const nameLength = view.getUint16(position + 28, true);
    const extraLength = view.getUint16(position + 30, true) + view.getUint16(position + 32, true);
    const nameStart = position + 46;
    position = nameStart + nameLength + extraLength;
    if (position > end) throw corrupt(`directory record ${index + 1} of ${count} is cut short`);
    records.push({
      name: new TextDecoder().decode(archive.slice(nameStart, nameStart + nameLength)),
      flags: view.getUint16(nameStart - 38, true),
      method: view.getUint16(nameStart - 36, true),
      crc: view.getUint32(nameStart - 30, true),
      packedBytes: view.getUint32(nameStart - 26, true),
      bytes: view.getUint32(nameStart - 22, true),
      offset: view.getUint32(nameStart - 4, true),
    });
  }
  return records;
}

/** The end record is the last thing in the file but for a comment of at most 65,535 bytes. */
function findEnd(view: DataView): number {
  const first = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let position = view.byteLength - 22; position >= first; position--) {
    if (view.getUint32(position, true) === signature.end) return position;
  }
  throw corrupt("no end-of-directory record: not a ZIP archive, or cut short");
}

function checkName(name: string): void {
  const unsafe = name.startsWith("/") || /^[a-z]:/i.test(name) || /[\\\0]/.test(name) || name.split("/").includes("..");
  if (unsafe) {
    throw inputError("zip_name", "entry with an unsafe name", {
      expected: "a relative path without ..",
      received: JSON.stringify(name),
    });
  }
}

function readEntry(view: DataView, archive: Uint8Array, record: DirectoryRecord): Uint8Array {
  const { name, offset } = record;
  if ((record.flags & 1) !== 0) throw unsupported(`encryption (entry "${name}")`);
  if (offset + 30 > archive.length || view.getUint32(offset, true) !== signature.local) {
    throw corrupt(`entry "${name}" is not where the directory says`, `its header at byte ${offset}`);
  }
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + record.packedBytes > archive.length) throw corrupt(`entry "${name}" reaches beyond the end of the file`);
  const bytes = unpack(archive.subarray(start, start + record.packedBytes), record);
  if (crc32(bytes) !== record.crc)
    throw corrupt(`entry "${name}" does not have the checksum that the directory states`);
  return bytes;
}

function unpack(packed: Uint8Array, record: DirectoryRecord): Uint8Array {
  if (record.method === 0) {
    if (packed.length !== record.bytes) throw corrupt(`stored entry "${record.name}" has two different sizes`);
    return packed;
  }
  if (record.method !== 8) throw unsupported(`compression method ${record.method} (entry "${record.name}")`);
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, record.bytes) });
  } catch (error) {
    throw corrupt(`entry "${record.name}" cannot be unpacked to its stated size: ${(error as Error).message}`);
  }
  if (bytes.length !== record.bytes) {
    throw corrupt(`entry "${record.name}" has another size`, `${record.bytes} bytes`, `${bytes.length}`);
  }
  return bytes;
}

function corrupt(message: string, expected?: string, received?: string): Error {
  return inputError("zip_corrupt", `corrupt archive: ${message}`, { expected, received });
}

function unsupported(feature: string): Error {
  return inputError("zip_unsupported", `archive uses ${feature}`, { expected: "a plain ZIP file, stored or deflated" });
}

function limitError(what: string, limit: number, received: number): Error {
  return inputError("zip_limit", `${what} would unpack to too much`, {
    expected: `at most ${limit} bytes`,
    received: `${received}`,
  });
}

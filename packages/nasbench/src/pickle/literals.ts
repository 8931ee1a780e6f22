import { damaged, type Machine, refused } from "./machine.js";

// Numbers and texts as pickles write them.

/** Before protocol 2 booleans are written as `00` and `01`. */
export function integerOrBoolean(machine: Machine, line: string): number | boolean {
  return line === "00" || line === "01" ? line === "01" : decimal(machine, line);
}

export function decimal(machine: Machine, line: string): number {
  const value = /^-?\d+$/.test(line) ? Number(line) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw damaged(machine, "an integer of at most 53 bits", `"${line}"`);
  return value;
}

export function decimalFraction(machine: Machine, line: string): number {
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(line)) return Number(line);
  const special: Readonly<Record<string, number>> = {
    nan: Number.NaN,
    inf: Number.POSITIVE_INFINITY,
    "-inf": Number.NEGATIVE_INFINITY,
  };
  const value = Object.hasOwn(special, line) ? special[line] : undefined;
  if (value === undefined) throw damaged(machine, "a number", `"${line}"`);
  return value;
}

export function long(machine: Machine, bytes: Uint8Array): number {
  if (bytes.length > 8) throw damaged(machine, "an integer of at most 53 bits", `${bytes.length} bytes`);
  let value = 0n;
  for (const [index, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * index);
  const number = Number(BigInt.asIntN(8 * bytes.length, value));
  if (!Number.isSafeInteger(number)) throw damaged(machine, "an integer of at most 53 bits", `${number}`);
  return number;
}

export function text(machine: Machine, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damaged(machine, "UTF-8 text", "other bytes");
  }
}

/** Python's repr of a text without escapes. */
export function quoted(machine: Machine, line: string): string {
  const inner = /^'([^'\\]*)'$|^"([^"\\]*)"$/.exec(line);
  if (inner === null) throw refused(machine, "a text in quotes without escapes", "another text");
  return inner[1] ?? inner[2]!;
}

/** Python's raw-unicode-escape. */
export function rawUnicode(machine: Machine, line: string): string {
  return line.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\u|\\U/g, (whole, short?: string, longer?: string) => {
    const point = Number.parseInt(short ?? longer ?? "x", 16);
    if (Number.isNaN(point) || point > 0x10ffff) throw damaged(machine, "an escape of a character", whole);
    return String.fromCodePoint(point);
  });
}

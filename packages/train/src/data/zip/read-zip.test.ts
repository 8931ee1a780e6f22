import { DovetailError } from "@dovetail/core";
import fc from "fast-check";
import { type Zippable, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { readZip, type ZipLimits } from "./read-zip.js";

const limits: ZipLimits = { entries: 10, entryBytes: 1000, totalBytes: 3000 };
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const zip = (files: Zippable, level: 0 | 9 = 0) => zipSync(files, { level, mtime: "2020-01-01" });

/** The archive with the bytes at `find` (a 4-byte signature) plus `offset` replaced. */
function patched(archive: Uint8Array, signature: number, offset: number, replacement: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(archive);
  const view = new DataView(copy.buffer);
  let position = 0;
  while (view.getUint32(position, true) !== signature) position++;
  copy.set(replacement, position + offset);
  return copy;
}

test.each([0, 9] as const)("files come out as they went in, at level %i", (level) => {
  const archive = zip({ a: { "1.jpg": bytes("one".repeat(99)), "2.jpg": bytes("") }, "b.txt": bytes("é") }, level);
  const shifted = new Uint8Array(archive.length + 3);
  shifted.set(archive, 3);
  const read = readZip(shifted.subarray(3), limits).map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]);
  expect(read).toEqual([
    ["a/1.jpg", "one".repeat(99)],
    ["a/2.jpg", ""],
    ["b.txt", "é"],
  ]);
});

describe("refused", () => {
  const archive = zip({ "a.jpg": bytes("abc") });
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`${index}.jpg`, bytes("")]));
  const bomb = zip({ "a.jpg": new Uint8Array(100_000) }, 9);
  const directory = 0x02014b50;
  const local = 0x04034b50;
  const end = 0x06054b50;
  const cases: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(), /no end-of-directory record/],
    ["cut short", archive.subarray(0, -1), /no end-of-directory record: not a ZIP archive, or cut short/],
    ["too many entries", zip(many), /too many entries: expected at most 10, received 11/],
    [
      "an entry that is too large",
      bomb,
      /entry "a.jpg" would unpack to too much: expected at most 1000 bytes, received 100000/,
    ],
    ["a size that lies", patched(bomb, directory, 24, [5, 0, 0, 0]), /"a.jpg" cannot be unpacked to its stated size/],
    ["a checksum that does not fit", patched(archive, local, 35, [0x62]), /entry "a.jpg" does not have the checksum/],
    ["two sizes", patched(archive, directory, 24, [2]), /stored entry "a.jpg" has two different sizes/],
    ["an entry elsewhere", patched(archive, directory, 42, [1]), /"a.jpg" is not where the directory says/],
    ["an entry beyond the end", patched(archive, directory, 42, [0, 0, 0, 0x7f]), /"a.jpg" is not where the directory/],
    ["encryption", patched(archive, directory, 8, [1]), /archive uses encryption \(entry "a.jpg"\)/],
    ["another method", patched(archive, directory, 10, [12]), /compression method 12/],
    ["ZIP64", patched(archive, end, 10, [0xff, 0xff]), /archive uses ZIP64/],
    ["a directory that is too short", patched(archive, end, 8, [2, 0, 2, 0]), /directory record 2 of 2 is missing/],
    [
      "an absolute name",
      zip({ "/etc/a.jpg": bytes("") }),
      /unsafe name: expected a relative path without \.\., received "\/etc\/a.jpg"/,
    ],
    ["a name with ..", zip({ "../a.jpg": bytes("") }), /unsafe name/],
    ["a drive", zip({ "c:a.jpg": bytes("") }), /unsafe name/],
    ["a backslash", zip({ "a\\b.jpg": bytes("") }), /unsafe name/],
  ];
  test.each(cases)("%s", (_, file, message) => {
    expect(() => readZip(file, limits)).toThrow(message);
  });

  test("more than the total", () => {
    const files = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`${index}.jpg`, new Uint8Array(1000)]));
    expect(() => readZip(zip(files), limits)).toThrow(/contents would unpack to too much: expected at most 3000/);
  });

  test("a damaged archive gives entries or a DovetailError, never anything else", () => {
    const original = zip({ "a.jpg": bytes("abc".repeat(30)), "b.jpg": bytes("xyz") }, 9);
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, (changes) => {
        const file = Uint8Array.from(original);
        for (const [position, byte] of changes) file[position % file.length] = byte;
        try {
          readZip(file, limits);
        } catch (error) {
          expect(error).toBeInstanceOf(DovetailError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

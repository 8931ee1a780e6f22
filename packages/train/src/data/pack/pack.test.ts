import { createHash } from "node:crypto";
import { DovetailError } from "@dovetail/core";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodePack, filesOfPart } from "./read-pack.js";
import { encodePack } from "./write-pack.js";

const jpeg = (shade: number) =>
  sharp({ create: { width: 16, height: 16, channels: 3, background: { r: shade, g: 9, b: 200 } } })
    .jpeg({ quality: 80, optimiseCoding: false })
    .toBuffer();
const files = await Promise.all([0, 60, 120, 180].map(jpeg));
const description = {
  name: "shades",
  classNames: ["dark", "bright"],
  imageShape: [3, 16, 16] as [3, number, number],
  citation: "nobody",
  licence: "none",
  origin: "a test",
  originFiles: [],
};
const train = { files: files.slice(0, 3), labels: Uint8Array.of(0, 0, 1) };
const held = { files: files.slice(3), labels: Uint8Array.of(1) };
const pack = encodePack(description, { train, test: held });

/** The pack with `change` applied and its hash made to fit again, so that what is behind the hash check is reached. */
function altered(change: (bytes: Buffer) => void): Uint8Array {
  const bytes = Buffer.from(pack.subarray(0, -32));
  change(bytes);
  return new Uint8Array(Buffer.concat([bytes, createHash("sha256").update(bytes).digest()]));
}

test("the JPEG files come out byte for byte, with their labels and the description", () => {
  const read = decodePack(pack);
  expect(read.description).toMatchObject({ ...description, parts: { train: { count: 3 }, test: { count: 1 } } });
  for (const [part, expected] of [
    ["train", train],
    ["test", held],
  ] as const) {
    const { files: rebuilt, labels } = filesOfPart(read.parts[part]);
    expect(rebuilt.map((file) => Buffer.from(file).toString("hex"))).toEqual(
      expected.files.map((file) => file.toString("hex")),
    );
    expect(Array.from(labels)).toEqual(Array.from(expected.labels));
  }
  expect(Buffer.from(encodePack(description, { train, test: held })).equals(pack)).toBe(true);
});

test("images that do not share their header are refused", async () => {
  const other = await sharp({ create: { width: 16, height: 16, channels: 3, background: "#fff" } })
    .jpeg({ quality: 5 })
    .toBuffer();
  const mixed = { files: [files[0]!, other], labels: Uint8Array.of(0, 1) };
  expect(() => encodePack(description, { train: mixed, test: held })).toThrow(/image 1 of train does not fit the pack/);
  const none = { files: [Buffer.from("GIF89a")], labels: Uint8Array.of(0) };
  expect(() => encodePack(description, { train: none, test: held })).toThrow(/not a JPEG file/);
});

describe("malformed packs", () => {
  const jsonBytes = Buffer.from(pack).readUInt32LE(8);
  const prefixBytes = decodePack(pack).description.prefixBytes;
  const partStart = 12 + jsonBytes + prefixBytes;
  const cases: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(), /not a pack of images/],
    ["another version", altered((bytes) => bytes.writeUInt8(2, 7)), /not a pack of images, or of a newer version/],
    ["cut short", pack.subarray(0, -1), /contents do not have the stated hash/],
    ["long description", altered((bytes) => bytes.writeUInt32LE(2 ** 31, 8)), /description longer than the file/],
    ["no JSON", altered((bytes) => bytes.write("x", 12)), /description is not JSON/],
    ["a key too many", altered((bytes) => bytes.write('"nama"', 13)), /description does not fit the format/],
    [
      "a label out of range",
      altered((bytes) => bytes.writeUInt8(2, partStart + 1)),
      /label of image 1 of train: expected less than 2, received 2/,
    ],
    [
      "a length that is too large",
      altered((bytes) => bytes.writeUInt16LE(65535, partStart + 3)),
      /part train is cut short/,
    ],
    ["a length that is too small", altered((bytes) => bytes.writeUInt16LE(0, partStart + 3)), /corrupt pack/],
  ];
  test.each(cases)("%s", (_, file, message) => {
    expect(() => decodePack(file)).toThrow(message);
  });

  test("a damaged pack is refused with a DovetailError, whatever the damage", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, fc.boolean(), (changes, fixHash) => {
        const change = (bytes: Uint8Array) => {
          for (const [position, byte] of changes) bytes[position % bytes.length] = byte;
        };
        const plain = Uint8Array.from(pack);
        change(plain);
        try {
          const read = decodePack(fixHash ? altered(change) : plain);
          if (!fixHash) expect(Buffer.from(plain).equals(pack)).toBe(true);
          filesOfPart(read.parts.train);
        } catch (error) {
          expect(error).toBeInstanceOf(DovetailError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

import { expect, it } from "vitest";
import { bitmapDataUri } from "./bitmap.js";

function decode(uri: string): Buffer {
  expect(uri).toMatch(/^data:image\/bmp;base64,[A-Za-z0-9+/]+=*$/);
  return Buffer.from(uri.slice(uri.indexOf(",") + 1), "base64");
}

it("writes planes as rows from the bottom up, blue first, filled to four bytes", () => {
  // Two rows of three pixels: red 1 to 6, green 11 to 16, blue 21 to 26.
  const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16, 21, 22, 23, 24, 25, 26]);
  const file = decode(bitmapDataUri({ bytes, channels: 3, height: 2, width: 3 }));
  expect(file.toString("latin1", 0, 2)).toBe("BM");
  expect(file.readUInt32LE(2)).toBe(file.length);
  expect([file.readUInt32LE(10), file.readInt32LE(18), file.readInt32LE(22), file.readUInt16LE(28)]).toEqual([
    54, 3, 2, 24,
  ]);
  expect([...file.subarray(54)]).toEqual([
    ...[24, 14, 4, 25, 15, 5, 26, 16, 6, 0, 0, 0],
    ...[21, 11, 1, 22, 12, 2, 23, 13, 3, 0, 0, 0],
  ]);
});

it("shows a single plane in grey", () => {
  const file = decode(bitmapDataUri({ bytes: Uint8Array.from([7, 9]), channels: 1, height: 1, width: 2 }));
  expect([...file.subarray(54)]).toEqual([7, 7, 7, 9, 9, 9, 0, 0]);
});

it("refuses the wrong number of bytes", () => {
  expect(() => bitmapDataUri({ bytes: new Uint8Array(5), channels: 3, height: 1, width: 2 })).toThrow(
    "an image of the report has the wrong number of bytes",
  );
});

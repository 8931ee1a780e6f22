import { createRandomStream, DovetailError } from "@dovetail/core";
import fc from "fast-check";
import sharp, { type JpegOptions } from "sharp";
import { describe, expect, test } from "vitest";
import { createJpegDecoder } from "./decoder.js";

// The peer is sharp, that is libjpeg-turbo: the same pixels, to the bit.

interface Picture {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

/** `smooth` has gradients; `noise` drives the coefficients and the clamping to their limits. */
function picture(height: number, width: number, kind: "smooth" | "noise", seed: number): Picture {
  const random = createRandomStream(seed);
  const slopes = Array.from({ length: 3 }, () => [random.uniform() * 16, random.uniform() * 16, random.integer(256)]);
  const pixels = new Uint8Array(height * width * 3);
  for (let index = 0; index < pixels.length; index++) {
    const [a, b, c] = slopes[index % 3] as [number, number, number];
    const pixel = Math.floor(index / 3);
    const value = a * (pixel % width) + b * Math.floor(pixel / width) + c;
    pixels[index] = kind === "smooth" ? value : random.uniform() < 0.5 ? 0 : 255;
  }
  return { height, width, pixels };
}

function encode({ height, width, pixels }: Picture, options: JpegOptions): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg(options)
    .toBuffer();
}

async function expectSharpsPixels(jpeg: Uint8Array, height: number, width: number): Promise<void> {
  const expected = await sharp(jpeg).raw().toBuffer();
  const received = new Uint8Array(3 * height * width);
  createJpegDecoder(height, width).decode(jpeg, received, 0);
  const interleaved = received.map((_, index) => received[(index % 3) * height * width + Math.floor(index / 3)]!);
  expect(Buffer.from(interleaved).equals(expected)).toBe(true);
}

const sizes = [
  [32, 32],
  [16, 16],
  [8, 40],
  [33, 17],
  [31, 5],
  [5, 4],
  [3, 3],
  [1, 1],
  [64, 96],
] as const;

describe.each(sizes)("%i × %i pixels", (height, width) => {
  test.each(["4:2:0", "4:4:4"])("%s", async (chromaSubsampling) => {
    for (const quality of [1, 30, 75, 95, 100]) {
      for (const kind of ["smooth", "noise"] as const) {
        const jpeg = await encode(picture(height, width, kind, quality), { quality, chromaSubsampling });
        await expectSharpsPixels(jpeg, height, width);
      }
    }
  });
});

test("one decoder takes files with different tables, in any order", async () => {
  const decoder = createJpegDecoder(16, 16);
  const files = await Promise.all(
    [10, 90, 10, 50].map((quality) => encode(picture(16, 16, "smooth", 3), { quality, chromaSubsampling: "4:2:0" })),
  );
  const alone = files.map((file) => {
    const target = new Uint8Array(768);
    createJpegDecoder(16, 16).decode(file, target, 0);
    return target;
  });
  const together = new Uint8Array(4 * 768);
  files.forEach((file, index) => {
    decoder.decode(file, together, index * 768);
  });
  expect(Buffer.concat(alone).equals(together)).toBe(true);
});

describe("what cannot be decoded", () => {
  const decode = (jpeg: Uint8Array) => createJpegDecoder(16, 16).decode(jpeg, new Uint8Array(768), 0);
  const small = () => encode(picture(16, 16, "smooth", 1), { quality: 75 });

  test("no JPEG", () => {
    expect(() => decode(new Uint8Array())).toThrow(
      /not a JPEG file: expected FF D8 at the start, received an empty file/,
    );
    expect(() => decode(Uint8Array.of(0x89, 0x50, 0x4e))).toThrow(/received 89 50/);
  });

  test("another size", async () => {
    const jpeg = await encode(picture(16, 24, "smooth", 1), {});
    expect(() => decode(jpeg)).toThrow(/another size: expected 16×16 pixels, received 24×16/);
  });

  test("cut short, or with something behind the end", async () => {
    const jpeg = await small();
    expect(() => decode(jpeg.subarray(0, 100))).toThrow(
      /corrupt JPEG: (file ends inside its header|segment .* longer)/,
    );
    expect(() => decode(jpeg.subarray(0, -2))).toThrow(/corrupt JPEG: no end marker/);
    const shortened = Buffer.concat([jpeg.subarray(0, -8), jpeg.subarray(-2)]);
    expect(() => decode(shortened)).toThrow(/corrupt JPEG: entropy-coded data ends too early/);
    expect(() => decode(Buffer.concat([jpeg, Buffer.alloc(3)]))).toThrow(/corrupt JPEG: 3 bytes after the end marker/);
  });

  test("progressive, grey, 4:2:2 and CMYK files are named as such", async () => {
    const { pixels } = picture(16, 16, "smooth", 1);
    const image = () => sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } });
    const progressive = await image().jpeg({ progressive: true }).toBuffer();
    expect(() => decode(progressive)).toThrow(/expected baseline coding, received a frame of type FF c2/);
    const grey = await image().toColourspace("b-w").jpeg().toBuffer();
    expect(() => decode(grey)).toThrow(/expected three components \(Y, Cb, Cr\), received 1/);
    const cmyk = await image().toColourspace("cmyk").jpeg().toBuffer();
    expect(() => decode(cmyk)).toThrow(DovetailError);
    const narrow = await image().jpeg({ chromaSubsampling: "4:4:4" }).toBuffer();
    narrow[narrow.indexOf(Buffer.from([0xff, 0xc0])) + 11] = 0x21;
    expect(() => decode(narrow)).toThrow(/expected sampling .* received 2x1 1x1 1x1/);
  });

  test("a damaged file is decoded or refused with a DovetailError, never anything else", async () => {
    const original = await small();
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(damage, fc.boolean(), (changes, isCut) => {
        const jpeg = Uint8Array.from(original);
        for (const [position, byte] of changes) jpeg[position % jpeg.length] = byte;
        try {
          decode(isCut ? jpeg.subarray(0, changes[0]![0] % jpeg.length) : jpeg);
        } catch (error) {
          expect(error).toBeInstanceOf(DovetailError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

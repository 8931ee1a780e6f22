import { z } from "zod";

// A .dvpack file holds many JPEG files that share their header (tables and all), without loss: the JPEG files can be
// rebuilt byte for byte. Layout, numbers little endian:
//
//   8 bytes   "DVPACK" 0 1
//   4 bytes   length of the description
//             the description, JSON in UTF-8 (`packDescriptionSchema`)
//   a bytes   the prefix that all files share (a = prefixBytes)
//   for each part, in the description's order:
//     count × 1 byte    labels
//     count × 2 bytes   lengths of the files' middles
//     the middles, one after the other: each file without the shared prefix and the last two bytes, FF D9
//   32 bytes  sha256 of everything before

/** The first 8 bytes of a pack. */
export const packMagic = Uint8Array.from([...Buffer.from("DVPACK"), 0, 1]);

/** The last bytes of every JPEG file: its end marker. */
export const jpegEnd = Uint8Array.of(0xff, 0xd9);

export const packDescriptionSchema = z.strictObject({
  name: z.string().min(1).max(200),
  classNames: z.array(z.string().min(1).max(200)).min(1).max(256),
  imageShape: z.tuple([z.literal(3), z.number().int().min(1).max(1024), z.number().int().min(1).max(1024)]),
  citation: z.string().max(2000),
  licence: z.string().max(2000),
  /** Where the images were taken from, and how. */
  origin: z.string().max(2000),
  originFiles: z
    .array(z.strictObject({ name: z.string().max(200), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .max(100),
  prefixBytes: z.number().int().min(2).max(65_536),
  parts: z.strictObject({
    train: z.strictObject({ count: z.number().int().min(1).max(10_000_000) }),
    test: z.strictObject({ count: z.number().int().min(1).max(10_000_000) }),
  }),
});

/** What the description of a pack says. */
export type PackDescription = z.infer<typeof packDescriptionSchema>;

/** The parts in the order in which they lie in the file. */
export const packParts = ["train", "test"] as const;

/** JPEG files and their labels. */
export interface JpegFiles {
  readonly files: readonly Uint8Array[];
  readonly labels: Uint8Array;
}

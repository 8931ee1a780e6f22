import { z } from "zod";
import { mostExponents } from "../decomposition/structured-layer.js";
import { runBitRange } from "./packed-tensor.js";

// A packed file holds a network whose weights are compressed. Layout, numbers little endian:
//
//   8 bytes   "DVPKWT" 0 1
//   4 bytes   length of the description
//             the description, JSON in UTF-8 (`descriptionSchema`)
//   4 bytes   length of the graph
//             the graph: an ONNX file in which the tensors are inputs
//             the tensors in the description's order, as one stream of bits, least significant first; the last byte is
//             filled up with zeros
//   32 bytes  sha256 of everything before
//
// The bits of a tensor:
//   structured  a bit for each row of the coefficients, 1 where it is stored; the coefficients of the stored rows, each a
//               sign bit over its magnitude code; the bases' elements, 8 bits in two's complement; a byte each, the
//               exponents of the bases' scales
//   integers    the codes in two's complement, zeros as their coding says; the scales, float32
//   plain       the values as they lie in memory

/** The first 8 bytes of a packed file. */
export const packedMagic = Uint8Array.from([...Buffer.from("DVPKWT"), 0, 1]);

/** Values that a tensor, and all tensors together, may have. */
export const mostElements = 2 ** 28;
export const mostDescriptionBytes = 4_000_000;
export const mostGraphBytes = 64_000_000;

const dimensions = z.array(z.number().int().min(0).max(mostElements)).max(8);
const weightDimensions = z.array(z.number().int().min(1).max(mostElements)).min(2).max(8);
const name = z.string().min(1).max(1000);
const isTransposed = z.boolean();

/** Element types of plain tensors, with their bits. */
export const plainTypes = { float32: 32, float64: 64, int64: 64, int32: 32, int8: 8, uint8: 8 } as const;

export const tensorEntrySchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("structured"),
    name,
    dimensions: weightDimensions,
    isTransposed,
    exponents: z.number().int().min(1).max(mostExponents),
  }),
  z.strictObject({
    kind: z.literal("integers"),
    name,
    dimensions: weightDimensions,
    isTransposed,
    bitWidth: z.number().int().min(2).max(8),
    zeros: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("none") }),
      z.strictObject({ kind: z.literal("bitmap") }),
      z.strictObject({
        kind: z.literal("runs"),
        runBits: z.number().int().min(runBitRange[0]).max(runBitRange[1]),
        count: z.number().int().min(0).max(mostElements),
      }),
    ]),
  }),
  z.strictObject({
    kind: z.literal("plain"),
    name,
    dimensions,
    elementType: z.enum(Object.keys(plainTypes) as [keyof typeof plainTypes]),
  }),
]);

export const descriptionSchema = z.strictObject({
  tensors: z.array(tensorEntrySchema).max(100_000),
  /** Whatever the writer wants to be read again: how the file was made. */
  metadata: z.record(z.string().max(200), z.string().max(1_000_000)),
});

export type TensorEntry = z.output<typeof tensorEntrySchema>;

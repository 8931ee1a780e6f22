// The forms in which a packed file holds a tensor, and what each takes to the bit.

import { elementCount, structuredFormOf, type Tensor, tensorData } from "@dovetail/graph";
import {
  rebuildWeights,
  type StructuredLayer,
  structuredAnnotation,
  structuredBits,
} from "../decomposition/structured-layer.js";
import { dataOfFilters, weightShapeOf } from "../layers/weight-layers.js";

/** SmartExchange's form. */
export interface StructuredTensor {
  readonly kind: "structured";
  readonly dimensions: readonly number[];
  /** `[inputs, outputs]`: filters are columns. */
  readonly isTransposed: boolean;
  readonly layer: StructuredLayer;
}

/** Whole numbers times a scale for each output channel, in which zeros may be left out. */
export interface IntegerTensor {
  readonly kind: "integers";
  readonly dimensions: readonly number[];
  readonly isTransposed: boolean;
  /** 2 to 8; codes are −(2^(bitWidth − 1) − 1) … 2^(bitWidth − 1) − 1. */
  readonly bitWidth: number;
  /** [outputChannels, weights of a filter]. */
  readonly codes: Int8Array;
  /** Of each output channel. */
  readonly scales: Float32Array;
}

/** Any other tensor, as it is. */
export interface PlainTensor {
  readonly kind: "plain";
  readonly tensor: Tensor;
}

export type PackedTensor = StructuredTensor | IntegerTensor | PlainTensor;

/**
 * How the places of an integer tensor's values are told: all are there; a bit a value; or before each value the number of
 * zeros, in `runBits` bits, whose largest number stands for as many zeros and no value.
 */
export type ZeroCoding =
  | { readonly kind: "none" }
  | { readonly kind: "bitmap" }
  | { readonly kind: "runs"; readonly runBits: number };

export const runBitRange = [1, 8] as const;

/** The tensor that a packed one stands for: the same bits wherever it is rebuilt. */
export function unpackTensor(packed: PackedTensor): Tensor {
  switch (packed.kind) {
    case "plain":
      return packed.tensor;
    case "structured":
      return floats(packed, rebuildWeights(packed.layer));
    case "integers": {
      const { codes, scales } = packed;
      const size = codes.length / scales.length;
      return floats(
        packed,
        Float32Array.from(codes, (code, index) => (code === 0 ? 0 : code * scales[Math.floor(index / size)]!)),
      );
    }
  }
}

function floats({ dimensions, isTransposed }: StructuredTensor | IntegerTensor, filters: Float32Array): Tensor {
  const data = dataOfFilters(filters, weightShapeOf(dimensions, isTransposed), isTransposed);
  return { elementType: "float32", dimensions: [...dimensions], data };
}

/** Bits of a tensor in a packed file, without its entry in the description. */
export function packedBits(packed: PackedTensor): number {
  switch (packed.kind) {
    case "plain":
      return 8 * (tensorData(packed.tensor, "tensor") as Float32Array).byteLength;
    case "structured":
      return structuredBits(structuredAnnotation(packed.layer));
    case "integers":
      return integerBits(packed.codes, packed.bitWidth, bestZeroCoding(packed)) + 32 * packed.scales.length;
  }
}

/** Values of the tensor. */
export function packedElements(packed: PackedTensor): number {
  return elementCount(packed.kind === "plain" ? packed.tensor.dimensions : packed.dimensions);
}

/** The coding of zeros that takes the fewest bits. */
export function bestZeroCoding({ codes, bitWidth }: Pick<IntegerTensor, "codes" | "bitWidth">): ZeroCoding {
  const codings: ZeroCoding[] = [{ kind: "none" }, { kind: "bitmap" }];
  for (let runBits = runBitRange[0]; runBits <= runBitRange[1]; runBits++) codings.push({ kind: "runs", runBits });
  const bits = codings.map((coding) => integerBits(codes, bitWidth, coding));
  return codings[bits.indexOf(Math.min(...bits))]!;
}

/** Bits of codes and of what tells their places. */
export function integerBits(codes: Int8Array, bitWidth: number, coding: ZeroCoding): number {
  if (coding.kind === "none") return codes.length * bitWidth;
  let count = 0;
  let skips = 0;
  let run = 0;
  const longest = coding.kind === "runs" ? 2 ** coding.runBits - 1 : Number.POSITIVE_INFINITY;
  for (let index = 0; index < codes.length; index++) {
    if (codes[index] === 0) {
      run++;
      continue;
    }
    count++;
    skips += Math.floor(run / longest);
    run = 0;
  }
  if (coding.kind === "bitmap") return codes.length + count * bitWidth;
  return count * (bitWidth + coding.runBits) + skips * coding.runBits;
}

/** Coefficients and index bits of a structured tensor come in this order: see `form` for its rows. */
export function structuredFormOfDimensions(dimensions: readonly number[], isTransposed: boolean) {
  const shape = weightShapeOf(dimensions, isTransposed);
  return { shape, form: structuredFormOf(shape) };
}

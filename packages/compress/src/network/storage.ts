import type { Tensor } from "@dovetail/graph";
import { type PackedTensor, packedBits, packedElements } from "../packed/packed-tensor.js";

/** What the weights of a network take. */
export interface Storage {
  readonly elements: number;
  readonly bits: number;
  /** 32 bits a value, over the bits. */
  readonly compressionRate: number;
}

/** All tensors of a network as a packed file holds them: those that are compressed, and the others as they are. */
export function packedTensors(
  weights: ReadonlyMap<string, Tensor>,
  compressed: ReadonlyMap<string, PackedTensor>,
): Map<string, PackedTensor> {
  return new Map([...weights].map(([name, tensor]) => [name, compressed.get(name) ?? { kind: "plain", tensor }]));
}

/**
 * Storage of all tensors, to the bit: normalization's parameters and biases count. A packed file adds a header alone.
 * `originalElements`: values of the network before it was compressed, where they are not those of the tensors (low rank).
 */
export function storageOf(tensors: ReadonlyMap<string, PackedTensor>, originalElements?: number): Storage {
  let elements = 0;
  let bits = 0;
  for (const packed of tensors.values()) {
    elements += packedElements(packed);
    bits += packedBits(packed);
  }
  return { elements, bits, compressionRate: (32 * (originalElements ?? elements)) / bits };
}

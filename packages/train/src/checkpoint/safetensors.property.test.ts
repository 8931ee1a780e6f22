import { DovetailError } from "@dovetail/core";
import { type ElementType, elementTypes, type Tensor } from "@dovetail/graph";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";

const elementType = fc.constantFrom<ElementType>("float32", "float64", "float16", "int8", "uint8", "int64", "bool");
const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(elementType, fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), fc.integer({ min: 0, max: 255 }))
  .map(([type, dimensions, byte]) => {
    const data = elementTypes[type].allocate(dimensions.reduce((a, b) => a * b, 1)) as Float32Array;
    new Uint8Array(data.buffer).forEach((_, index, bytes) => {
      bytes[index] = byte + index;
    });
    return { elementType: type, dimensions, data };
  });
const anyTensors = fc
  .dictionary(fc.string({ maxLength: 8, unit: "binary" }), anyTensor, { maxKeys: 6 })
  .map((tensors) => new Map(Object.entries(tensors)));

function bytesOf(value: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = value.data as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}

test("what is written is read again, bit by bit", () => {
  fc.assert(
    fc.property(anyTensors, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
      const read = decodeSafetensors(new Uint8Array(Buffer.concat(encodeSafetensors(tensors, metadata))));
      expect([...read.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
      expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
      for (const [name, value] of tensors) {
        const other = read.tensors.get(name)!;
        expect([other.elementType, other.dimensions]).toEqual([value.elementType, value.dimensions]);
        expect(bytesOf(other).equals(bytesOf(value))).toBe(true);
      }
    }),
  );
});

test("a damaged file is read or refused with a DovetailError, never anything else", () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anyTensors, damage, fc.option(fc.nat()), (tensors, changes, cut) => {
      const file = new Uint8Array(Buffer.concat(encodeSafetensors(tensors)));
      for (const [position, byte] of changes) file[position % file.length] = byte;
      const damaged = cut === null ? file : file.subarray(0, cut % file.length);
      try {
        decodeSafetensors(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(DovetailError);
      }
    }),
    { numRuns: 2000 },
  );
});

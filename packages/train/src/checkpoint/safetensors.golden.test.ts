import { type ElementType, elementTypes, type TensorData } from "@dovetail/graph";
import { expect, test } from "vitest";
import golden from "./safetensors.golden.json" with { type: "json" };
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";

const file = new Uint8Array(Buffer.from(golden.base64, "base64"));

test("a file of the reference implementation is read to the same values, for every element type", () => {
  const { tensors, metadata } = decodeSafetensors(file);
  expect(metadata).toEqual({ "made by": "safetensors" });
  expect([...tensors.keys()].sort()).toEqual(Object.keys(golden.tensors).sort());
  for (const [name, expected] of Object.entries(golden.tensors)) {
    const { elementType, dimensions, data } = tensors.get(name)!;
    expect({ elementType, dimensions }).toEqual({ elementType: expected.elementType, dimensions: expected.dimensions });
    expect(Array.from(data as Float32Array, Number), name).toEqual(expected.values.map(Number));
    expect((data as TensorData & object).constructor).toBe(
      elementTypes[expected.elementType as ElementType].allocate(0).constructor,
    );
  }
});

test("the same tensors are written to the same bytes", () => {
  const { tensors, metadata } = decodeSafetensors(file);
  const shuffled = new Map([...tensors].reverse());
  expect(Buffer.concat(encodeSafetensors(shuffled, metadata)).equals(file)).toBe(true);
});

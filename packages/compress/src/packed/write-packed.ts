import { createHash } from "node:crypto";
import { inputError } from "@dovetail/core";
import { type TensorData, tensorData } from "@dovetail/graph";
import { coefficientBitWidthOf } from "../decomposition/structured-layer.js";
import { type BitWriter, createBitWriter } from "./bit-stream.js";
import { packedMagic, plainTypes, type TensorEntry } from "./format.js";
import {
  bestZeroCoding,
  type IntegerTensor,
  type PackedTensor,
  type PlainTensor,
  packedBits,
  type StructuredTensor,
} from "./packed-tensor.js";

/** What a packed file holds. */
export interface PackedNetwork {
  readonly tensors: ReadonlyMap<string, PackedTensor>;
  /** An ONNX file of the network in which the tensors are inputs; empty where only tensors are packed. */
  readonly graph: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes of a packed file: see `format.ts`. Throws `packed_tensor` for plain tensors of a type that has no place in it. */
export function encodePacked({ tensors, graph, metadata }: PackedNetwork): Uint8Array {
  const entries = [...tensors].map(([name, packed]) => entryOf(name, packed));
  const description = Buffer.from(JSON.stringify({ tensors: entries, metadata }));
  const expectedBits = [...tensors.values()].reduce((sum, packed) => sum + packedBits(packed), 0);
  const writer = createBitWriter(expectedBits);
  for (const packed of tensors.values()) {
    if (packed.kind === "structured") writeStructured(writer, packed);
    else if (packed.kind === "integers") writeIntegers(writer, packed);
    else writePlain(writer, packed);
  }
  const pieces = [packedMagic, length(description), description, length(graph), graph, writer.bytes()];
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return Uint8Array.from(Buffer.concat([...pieces, hash.digest()]));
}

function length(bytes: Uint8Array): Uint8Array {
  const field = new Uint8Array(4);
  new DataView(field.buffer).setUint32(0, bytes.length, true);
  return field;
}

function entryOf(name: string, packed: PackedTensor): TensorEntry {
  switch (packed.kind) {
    case "structured": {
      const { kind, dimensions, isTransposed, layer } = packed;
      return { kind, name, dimensions: [...dimensions], isTransposed, exponents: layer.exponents };
    }
    case "integers": {
      const { kind, dimensions, isTransposed, bitWidth, codes } = packed;
      const coding = bestZeroCoding(packed);
      const count = codes.reduce((sum, code) => sum + (code === 0 ? 0 : 1), 0);
      const zeros = coding.kind === "runs" ? { ...coding, count } : coding;
      return { kind, name, dimensions: [...dimensions], isTransposed, bitWidth, zeros };
    }
    case "plain": {
      const { elementType, dimensions } = packed.tensor;
      if (!Object.hasOwn(plainTypes, elementType)) {
        throw inputError("packed_tensor", `cannot pack tensor "${name}"`, {
          expected: `one of ${Object.keys(plainTypes).join(", ")}`,
          received: elementType,
        });
      }
      return { kind: "plain", name, dimensions: [...dimensions], elementType: elementType as keyof typeof plainTypes };
    }
  }
}

function writeStructured(writer: BitWriter, { layer }: StructuredTensor): void {
  const { form, exponents, codes, bases, scaleExponents } = layer;
  const { columns } = form;
  const width = coefficientBitWidthOf(exponents);
  const rows = codes.length / columns;
  const isStored = (row: number): boolean => {
    for (let index = row * columns; index < (row + 1) * columns; index++) if (codes[index] !== 0) return true;
    return false;
  };
  for (let row = 0; row < rows; row++) writer.write(isStored(row) ? 1 : 0, 1);
  for (let row = 0; row < rows; row++) {
    if (!isStored(row)) continue;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      const code = codes[index]!;
      writer.write(code < 0 ? (1 << (width - 1)) | -code : code, width);
    }
  }
  for (const element of bases) writer.write(element, 8);
  for (const exponent of scaleExponents) writer.write(exponent, 8);
}

function writeIntegers(writer: BitWriter, packed: IntegerTensor): void {
  const { codes, bitWidth, scales } = packed;
  const coding = bestZeroCoding(packed);
  if (coding.kind === "bitmap") for (const code of codes) writer.write(code === 0 ? 0 : 1, 1);
  const longest = coding.kind === "runs" ? 2 ** coding.runBits - 1 : 0;
  let run = 0;
  for (const code of codes) {
    if (code === 0 && coding.kind !== "none") {
      run++;
      continue;
    }
    if (coding.kind === "runs") {
      for (; run >= longest; run -= longest) writer.write(longest, coding.runBits);
      writer.write(run, coding.runBits);
      run = 0;
    }
    writer.write(code, bitWidth);
  }
  for (const word of new Uint32Array(scales.slice().buffer)) writer.write(word, 32);
}

function writePlain(writer: BitWriter, { tensor }: PlainTensor): void {
  const data = tensorData(tensor, "tensor") as Exclude<TensorData, readonly string[]>;
  for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) writer.write(byte, 8);
}

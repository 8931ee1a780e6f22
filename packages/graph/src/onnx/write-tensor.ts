import { create } from "@bufbuild/protobuf";
import { inputError } from "@dovetail/core";
import { elementTypes } from "../ir/element-type.js";
import type { Tensor } from "../ir/graph.js";
import { elementCount, tensorData } from "../ir/tensor.js";
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "./generated/onnx_pb.js";
import { byteLengthOf } from "./read-tensor.js";

/** Collects the values of large constants for a file beside the model. */
export class ExternalBlob {
  private readonly parts: { offset: number; bytes: Uint8Array }[] = [];
  private byteLength = 0;

  constructor(
    readonly location: string,
    readonly minimumBytes: number,
  ) {}

  /** Puts the bytes at the next page's start, so that the file can be mapped into memory, and returns the offset. */
  add(bytes: Uint8Array): number {
    const offset = Math.ceil(this.byteLength / pageBytes) * pageBytes;
    this.parts.push({ offset, bytes });
    this.byteLength = offset + bytes.byteLength;
    return offset;
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.byteLength);
    for (const { offset, bytes } of this.parts) all.set(bytes, offset);
    return all;
  }
}

const pageBytes = 4096;

const textEncoder = new TextEncoder();

/** A constant as raw little-endian bytes. Throws when its values are missing, or do not fit its dimensions. */
export function writeTensor(name: string, constant: Tensor, blob?: ExternalBlob): TensorProto {
  const data = tensorData(constant, name);
  const { elementType, dimensions } = constant;
  const proto = create(TensorProtoSchema, {
    name,
    dims: dimensions.map(BigInt),
    dataType: elementTypes[elementType].onnxCode,
  });
  const count = elementCount(dimensions);
  if (Array.isArray(data)) {
    checkSize(name, data.length, count, "strings");
    proto.stringData = data.map((text) => textEncoder.encode(text));
    return proto;
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  checkSize(name, bytes.byteLength, byteLengthOf(elementType, count), "bytes");
  if (blob && bytes.byteLength >= blob.minimumBytes && bytes.byteLength > 0) {
    proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
    proto.externalData = entries({
      location: blob.location,
      offset: `${blob.add(bytes)}`,
      length: `${bytes.byteLength}`,
    });
  } else {
    proto.rawData = bytes;
  }
  return proto;
}

/** Key and value pairs as messages. */
export function entries(values: Readonly<Record<string, string>>): TensorProto["externalData"] {
  return create(TensorProtoSchema, {
    externalData: Object.entries(values).map(([key, value]) => ({ key, value })),
  }).externalData;
}

function checkSize(name: string, received: number, expected: number, unit: string): void {
  if (received === expected) return;
  throw inputError("tensor_size", `the values of "${name}" do not fit its type and dimensions`, {
    expected: `${expected} ${unit}`,
    received: `${received}`,
  });
}

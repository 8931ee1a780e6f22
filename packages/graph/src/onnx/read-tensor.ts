import { inputError } from "@dovetail/core";
import { type ElementType, elementTypeOfOnnxCode, elementTypes, type TensorData } from "../ir/element-type.js";
import type { Tensor } from "../ir/graph.js";
import { readExternalBytes } from "./external-data.js";
import { type TensorProto, TensorProto_DataLocation } from "./generated/onnx_pb.js";
import { decodeText, malformed, type Path, type Reading, unsupported } from "./reading.js";

/** A constant. Its data shares the file's memory where the alignment allows. */
export function readTensor(proto: TensorProto, reading: Reading, path: Path): Tensor {
  if (proto.segment) throw unsupported(path, "tensors in several segments are not read");
  const elementType = readElementType(proto.dataType, [...path, "data_type"]);
  const dimensions = readDimensions(proto, reading, path);
  const count = dimensions.reduce((product, size) => product * size, 1);
  const data =
    proto.dataLocation === TensorProto_DataLocation.EXTERNAL
      ? readExternal(proto, elementType, count, reading, path)
      : readInline(proto, elementType, count, path);
  return data === undefined ? { elementType, dimensions } : { elementType, dimensions, data };
}

/** The element type with this code. Throws for absent, unknown and unsupported codes. */
export function readElementType(code: number | undefined, path: Path): ElementType {
  const elementType = code === undefined ? undefined : elementTypeOfOnnxCode(code);
  if (elementType) return elementType;
  if (!code) throw malformed(path, "the element type is missing");
  throw unsupported(path, "element type not supported", {
    expected: Object.keys(elementTypes).join(", "),
    received: unsupportedTypes[code] ?? `code ${code}`,
  });
}

const unsupportedTypes: Readonly<Record<number, string>> = {
  14: "complex64",
  15: "complex128",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  23: "float4e2m1",
};

function readDimensions(proto: TensorProto, reading: Reading, path: Path): number[] {
  let count = 1;
  let largest = 1;
  const dimensions = proto.dims.map((dimension, index) => {
    const size = Number(dimension);
    if (size < 0) throw malformed([...path, "dims", index], "negative size", { received: `${dimension}` });
    count *= size;
    largest = Math.max(largest, size, count);
    return size;
  });
  if (largest > reading.limits.tensorElements) {
    throw inputError("limit_exceeded", 'the tensor is larger than the limit "tensorElements"', {
      path: [...path, "dims"],
      expected: `at most ${reading.limits.tensorElements} values`,
      received: `[${dimensions.slice(0, 8).join(",")}]`,
    });
  }
  return dimensions;
}

/** Bytes that `count` values take; two 4-bit values share a byte. */
export function byteLengthOf(elementType: ElementType, count: number): number {
  return Math.ceil((count * elementTypes[elementType].bits) / 8);
}

function readExternal(
  proto: TensorProto,
  elementType: ElementType,
  count: number,
  reading: Reading,
  path: Path,
): TensorData | undefined {
  if (elementType === "string") throw malformed(path, "strings cannot be external data");
  const bytes = readExternalBytes(proto, byteLengthOf(elementType, count), reading, path);
  return bytes && viewBytes(elementType, bytes);
}

type ListField = "floatData" | "int32Data" | "int64Data" | "doubleData" | "uint64Data" | "stringData";

/** The field that holds a type's values when they are not raw bytes. */
const listFields: Readonly<Record<ElementType, ListField>> = {
  float32: "floatData",
  float64: "doubleData",
  float16: "int32Data",
  bfloat16: "int32Data",
  int8: "int32Data",
  uint8: "int32Data",
  int16: "int32Data",
  uint16: "int32Data",
  int32: "int32Data",
  int4: "int32Data",
  uint4: "int32Data",
  bool: "int32Data",
  uint32: "uint64Data",
  uint64: "uint64Data",
  int64: "int64Data",
  string: "stringData",
};

function readInline(proto: TensorProto, elementType: ElementType, count: number, path: Path): TensorData {
  const raw = proto.rawData;
  const field = listFields[elementType];
  const list = proto[field];
  if (raw !== undefined && raw.length > 0) {
    if (list.length > 0) throw malformed(path, "values are given twice, as raw data and as a list");
    if (elementType === "string") throw malformed([...path, "raw_data"], "strings cannot be raw data");
    checkCount(raw.length, byteLengthOf(elementType, count), "bytes", [...path, "raw_data"]);
    return viewBytes(elementType, raw);
  }
  const packed = elementType === "int4" || elementType === "uint4";
  checkCount(list.length, packed ? Math.ceil(count / 2) : count, "values", path);
  if (elementType === "string") {
    return proto.stringData.map((bytes, index) => decodeText(bytes, [...path, "string_data", index]));
  }
  const data = elementTypes[elementType].allocate(count) as Exclude<TensorData, string[]>;
  (data as { set(values: ArrayLike<unknown>): void }).set(
    elementType === "uint32" ? proto.uint64Data.map(Number) : (list as ArrayLike<unknown>),
  );
  return data;
}

function checkCount(received: number, expected: number, unit: string, path: Path): void {
  if (received === expected) return;
  throw malformed(path, "the data does not fit the tensor's type and dimensions", {
    expected: `${expected} ${unit}`,
    received: `${received}`,
  });
}

type ViewConstructor = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => TensorData;

/** Little-endian bytes as a typed array: a view, or a copy where the start is not a multiple of the value's size. */
function viewBytes(elementType: ElementType, bytes: Uint8Array): TensorData {
  const example = elementTypes[elementType].allocate(0) as Exclude<TensorData, string[]>;
  const size = example.BYTES_PER_ELEMENT;
  // Not `slice`: a Buffer of Node's gives a view there.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const View = example.constructor as unknown as ViewConstructor;
  return new View(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}

// The element types of ONNX and the typed arrays that hold them.

/** ONNX element types, by name. Sub-byte types are packed two to a byte, low nibble first. */
export type ElementType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "int4"
  | "uint4"
  | "bool"
  | "string";

/** `float16` and `bfloat16` are raw 16-bit patterns, `bool` one byte a value, `int4`/`uint4` packed bytes. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

interface ElementTypeFacts {
  /** Code in onnx.proto's TensorProto.DataType. */
  readonly onnxCode: number;
  readonly bits: number;
  readonly isFloat: boolean;
  readonly allocate: (length: number) => TensorData;
}

/** Facts of each element type. */
export const elementTypes: Readonly<Record<ElementType, ElementTypeFacts>> = {
  float32: { onnxCode: 1, bits: 32, isFloat: true, allocate: (length) => new Float32Array(length) },
  uint8: { onnxCode: 2, bits: 8, isFloat: false, allocate: (length) => new Uint8Array(length) },
  int8: { onnxCode: 3, bits: 8, isFloat: false, allocate: (length) => new Int8Array(length) },
  uint16: { onnxCode: 4, bits: 16, isFloat: false, allocate: (length) => new Uint16Array(length) },
  int16: { onnxCode: 5, bits: 16, isFloat: false, allocate: (length) => new Int16Array(length) },
  int32: { onnxCode: 6, bits: 32, isFloat: false, allocate: (length) => new Int32Array(length) },
  int64: { onnxCode: 7, bits: 64, isFloat: false, allocate: (length) => new BigInt64Array(length) },
  string: { onnxCode: 8, bits: 0, isFloat: false, allocate: (length) => new Array<string>(length).fill("") },
  bool: { onnxCode: 9, bits: 8, isFloat: false, allocate: (length) => new Uint8Array(length) },
  float16: { onnxCode: 10, bits: 16, isFloat: true, allocate: (length) => new Uint16Array(length) },
  float64: { onnxCode: 11, bits: 64, isFloat: true, allocate: (length) => new Float64Array(length) },
  uint32: { onnxCode: 12, bits: 32, isFloat: false, allocate: (length) => new Uint32Array(length) },
  uint64: { onnxCode: 13, bits: 64, isFloat: false, allocate: (length) => new BigUint64Array(length) },
  bfloat16: { onnxCode: 16, bits: 16, isFloat: true, allocate: (length) => new Uint16Array(length) },
  uint4: { onnxCode: 21, bits: 4, isFloat: false, allocate: (length) => new Uint8Array(Math.ceil(length / 2)) },
  int4: { onnxCode: 22, bits: 4, isFloat: false, allocate: (length) => new Uint8Array(Math.ceil(length / 2)) },
};

/** The element type with this code in onnx.proto, or undefined (complex numbers, 8-bit floats and newer ones). */
export function elementTypeOfOnnxCode(code: number): ElementType | undefined {
  for (const name of Object.keys(elementTypes) as ElementType[]) {
    if (elementTypes[name].onnxCode === code) return name;
  }
  return undefined;
}

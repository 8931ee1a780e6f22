import { inputError } from "@dovetail/core";
import { type ElementType, elementTypes, type TensorData } from "./element-type.js";
import type { Shape, Tensor } from "./graph.js";
import { bfloat16Bits, float16Bits } from "./half-precision.js";

/** Number of values of a shape. */
export function elementCount(dimensions: readonly number[]): number {
  return dimensions.reduce((product, size) => product * size, 1);
}

/** True when every dimension is a number. */
export function isStatic(shape: Shape | undefined): shape is readonly number[] {
  return shape?.every((size) => typeof size === "number") ?? false;
}

/** A constant from plain numbers, converted to 64-bit and packed 4-bit integers and 16-bit floats where asked for. Throws if the count does not fit the dimensions. */
export function tensor(elementType: ElementType, dimensions: readonly number[], values: ArrayLike<number>): Tensor {
  const count = elementCount(dimensions);
  if (values.length !== count) {
    throw inputError("tensor_size", `tensor of shape [${dimensions.join(",")}]`, {
      expected: `${count} values`,
      received: `${values.length}`,
    });
  }
  const data = elementTypes[elementType].allocate(count);
  if (Array.isArray(data)) {
    throw inputError("tensor_type", `cannot make a ${elementType} tensor from numbers`);
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let index = 0; index < count; index++) data[index] = BigInt(Math.trunc(values[index]!));
  } else if (isPacked(elementType)) {
    for (let index = 0; index < count; index++) data[index >> 1]! |= (values[index]! & 15) << (4 * (index & 1));
  } else if (elementType === "float16" || elementType === "bfloat16") {
    const bits = elementType === "float16" ? float16Bits : bfloat16Bits;
    for (let index = 0; index < count; index++) data[index] = bits(values[index]!);
  } else {
    data.set(values as ArrayLike<number>);
  }
  return { elementType, dimensions: [...dimensions], data };
}

/** Two values a byte, low nibble first. */
const isPacked = (elementType: ElementType): boolean => elementType === "int4" || elementType === "uint4";

/** A rank-0 constant. */
export function scalar(value: number, elementType: ElementType = "float32"): Tensor {
  return tensor(elementType, [], [value]);
}

/** A rank-1 int64 constant, the form in which shapes, axes and pads are given to operators. */
export function int64Vector(values: readonly number[]): Tensor {
  return tensor("int64", [values.length], values);
}

/** A constant that shares `data`, without a copy. */
export function tensorFromData(elementType: ElementType, dimensions: readonly number[], data: TensorData): Tensor {
  return { elementType, dimensions: [...dimensions], data };
}

/** The data of a constant. Throws a clear error for a shape-only constant. */
export function tensorData(constant: Tensor, name: string): TensorData {
  if (constant.data === undefined) {
    throw inputError("missing_data", `the values of "${name}" are not in the file: only its shape is known`, {
      expected: "external data beside the model file",
      hint: "a shape-only graph can be costed and mapped, not executed",
    });
  }
  return constant.data;
}

/** The values of a constant as plain numbers (any numeric type except 16-bit floats). */
export function tensorNumbers(constant: Tensor, name = "constant"): number[] {
  const data = tensorData(constant, name);
  if (Array.isArray(data)) throw inputError("tensor_type", `"${name}" holds strings, not numbers`);
  if (!isPacked(constant.elementType)) return Array.from(data as ArrayLike<number | bigint>, Number);
  return Array.from({ length: elementCount(constant.dimensions) }, (_, index) => {
    const nibble = (Number(data[index >> 1]) >> (4 * (index & 1))) & 15;
    return constant.elementType === "int4" && nibble > 7 ? nibble - 16 : nibble;
  });
}

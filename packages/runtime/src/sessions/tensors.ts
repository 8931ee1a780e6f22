// Between the graph's tensors and ONNX Runtime's: the same typed arrays, no copies.

import { inputError } from "@dovetail/core";
import { type ElementType, elementCount, elementTypes, type Tensor, type TensorData } from "@dovetail/graph";
import type { OnnxRuntime, OrtTensor } from "./onnx-runtime.js";

type OrtType = OrtTensor["type"];

/** Element types that ONNX Runtime's JavaScript interface takes, where the name differs from ours or is absent. */
const unsupported: ReadonlySet<ElementType> = new Set(["bfloat16"]);

/** ONNX Runtime's view of a tensor; the data are shared. Throws when the tensor has none. */
export function toOrtTensor(ort: OnnxRuntime, tensor: Tensor, place: string): OrtTensor {
  if (tensor.data === undefined) {
    throw inputError("missing_data", `${place}: the tensor has a shape but no data, so it cannot be executed`);
  }
  if (unsupported.has(tensor.elementType)) {
    throw inputError("element_type", `${place}: ONNX Runtime's interface takes no ${tensor.elementType} tensors`);
  }
  return new ort.Tensor(tensor.elementType as OrtType, tensor.data as never, tensor.dimensions);
}

/** The graph's view of a tensor of ONNX Runtime; the data are shared. */
export function fromOrtTensor(tensor: OrtTensor): Tensor {
  return {
    elementType: tensor.type as ElementType,
    dimensions: tensor.dims,
    data: tensor.data as TensorData,
  };
}

/** A tensor with data of its own. */
export function copyTensor(tensor: Tensor): Tensor {
  return { ...tensor, dimensions: [...tensor.dimensions], data: tensor.data?.slice() };
}

/** A tensor of zeros. */
export function emptyTensor(elementType: ElementType, dimensions: readonly number[]): Tensor {
  return { elementType, dimensions, data: elementTypes[elementType].allocate(elementCount(dimensions)) };
}

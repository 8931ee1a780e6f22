import { type ElementType, elementTypes, type TensorData } from "../../ir/element-type.js";
import type { Node, Tensor } from "../../ir/graph.js";

/** Data of the types that are computed with: everything but strings, 16-bit floats and packed 4-bit integers. */
export type NumericData = Exclude<TensorData, string[]>;

/** A constant of a type that is computed with. */
export interface NumericTensor extends Tensor {
  readonly data: NumericData;
}

/** What an evaluation sees. */
export interface EvaluationContext {
  readonly node: Node;
  readonly inputs: readonly (NumericTensor | undefined)[];
  /** Evaluations give up on outputs of more values. */
  readonly maximumElements: number;
}

/** The outputs of a node whose inputs are constants; undefined where it cannot be, or had better not be, computed here. */
export type Evaluation = (context: EvaluationContext) => readonly NumericTensor[] | undefined;

const opaqueTypes: ReadonlySet<ElementType> = new Set<ElementType>(["string", "float16", "bfloat16", "int4", "uint4"]);

/** The constant, if its values are there and of a type that is computed with. */
export function numeric(constant: Tensor | undefined): NumericTensor | undefined {
  if (constant?.data === undefined || opaqueTypes.has(constant.elementType)) return undefined;
  return constant as NumericTensor;
}

export function allocate(elementType: ElementType, count: number): NumericData {
  return elementTypes[elementType].allocate(count) as NumericData;
}

/** A vector of whole numbers: shapes, axes, pads. */
export function integers(constant: NumericTensor): number[] {
  return Array.from(constant.data as ArrayLike<number | bigint>, Number);
}

/** Row-major strides. */
export function stridesOf(dimensions: readonly number[]): number[] {
  const strides = new Array<number>(dimensions.length);
  let stride = 1;
  for (let axis = dimensions.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= dimensions[axis]!;
  }
  return strides;
}

export function countOf(dimensions: readonly number[]): number {
  return dimensions.reduce((product, size) => product * size, 1);
}

/** A negative axis counts from the end; undefined when it is out of range. */
export function normalAxis(axis: number, rank: number): number | undefined {
  const normal = axis < 0 ? axis + rank : axis;
  return normal >= 0 && normal < rank ? normal : undefined;
}

/**
 * Values picked out of a constant: output position (i₀, i₁, …) takes the element at `start + Σ iₐ·strides[a]`.
 * Transposing, slicing, repeating and broadcasting are all of this form.
 */
export function pick(
  source: NumericTensor,
  dimensions: readonly number[],
  strides: readonly number[],
  start = 0,
): NumericTensor {
  const count = countOf(dimensions);
  const data = allocate(source.elementType, count);
  const position = new Array<number>(dimensions.length).fill(0);
  let offset = start;
  for (let index = 0; index < count; index++) {
    data[index] = source.data[offset]!;
    for (let axis = dimensions.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++position[axis]! < dimensions[axis]!) break;
      position[axis] = 0;
      offset -= strides[axis]! * dimensions[axis]!;
    }
  }
  return { elementType: source.elementType, dimensions: [...dimensions], data };
}

/** Strides with which a constant is read when it is broadcast to a shape; undefined when it does not fit. */
export function broadcastStrides(own: readonly number[], target: readonly number[]): number[] | undefined {
  const missing = target.length - own.length;
  if (missing < 0) return undefined;
  const strides = stridesOf(own);
  const result = new Array<number>(target.length).fill(0);
  for (let axis = 0; axis < own.length; axis++) {
    if (own[axis] === target[axis + missing]) result[axis + missing] = own[axis] === 1 ? 0 : strides[axis]!;
    else if (own[axis] !== 1) return undefined;
  }
  return result;
}

/** The shape that several shapes broadcast to, or undefined when they do not fit. */
export function broadcastDimensions(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis++) {
      const target = rank - shape.length + axis;
      const size = shape[axis]!;
      if (result[target] === 1) result[target] = size;
      else if (size !== 1 && size !== result[target]) return undefined;
    }
  }
  return result;
}

/** Not Math.min, which takes no bigints. */
export function smaller<T extends number | bigint>(a: T, b: T): T {
  if (b < a) return b;
  return a;
}

/** Not Math.max, which takes no bigints. */
export function larger<T extends number | bigint>(a: T, b: T): T {
  if (b > a) return b;
  return a;
}

import type { AttributeInput } from "../ir/attribute.js";
import type { ElementType } from "../ir/element-type.js";
import { elementTypes } from "../ir/element-type.js";
import type { Tensor, Value } from "../ir/graph.js";
import { int64Vector, scalar } from "../ir/tensor.js";
import type { NodeOptions } from "./builder.js";

/** A value, or a number that becomes a scalar constant of the other operand's type. */
export type Operand = Value | number;

/** Attributes of convolution and its relatives, with ONNX's defaults. `pads` are [top, left, bottom, right]. */
export interface ConvolutionAttributes {
  readonly strides?: readonly number[] | undefined;
  readonly pads?: readonly number[] | undefined;
  readonly dilations?: readonly number[] | undefined;
  readonly group?: number | undefined;
}

/** ONNX's operators as methods: one line each, so that networks and gradient rules read like formulas. */
export abstract class Operators {
  abstract op(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes?: Readonly<Record<string, AttributeInput>>,
    options?: NodeOptions,
  ): Value;
  abstract node(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes?: Readonly<Record<string, AttributeInput>>,
    options?: NodeOptions,
  ): readonly Value[];
  abstract constant(constant: Tensor, name?: string): Value;

  /** A scalar constant, of float32 unless said. */
  scalar(value: number, elementType: ElementType = "float32"): Value {
    return this.constant(scalar(value, elementType));
  }

  /** A rank-1 int64 constant. */
  int64s(values: readonly number[]): Value {
    return this.constant(int64Vector(values));
  }

  private binary(operator: string, a: Operand, b: Operand): Value {
    const elementType =
      typeof a !== "number" ? a.type.elementType : typeof b !== "number" ? b.type.elementType : "float32";
    const left = typeof a === "number" ? this.scalar(a, elementType) : a;
    const right = typeof b === "number" ? this.scalar(b, elementType) : b;
    return this.op(operator, [left, right]);
  }

  add = (a: Operand, b: Operand): Value => this.binary("Add", a, b);
  sub = (a: Operand, b: Operand): Value => this.binary("Sub", a, b);
  mul = (a: Operand, b: Operand): Value => this.binary("Mul", a, b);
  div = (a: Operand, b: Operand): Value => this.binary("Div", a, b);
  pow = (a: Operand, b: Operand): Value => this.binary("Pow", a, b);
  min = (a: Operand, b: Operand): Value => this.binary("Min", a, b);
  max = (a: Operand, b: Operand): Value => this.binary("Max", a, b);
  greater = (a: Operand, b: Operand): Value => this.binary("Greater", a, b);
  greaterOrEqual = (a: Operand, b: Operand): Value => this.binary("GreaterOrEqual", a, b);
  less = (a: Operand, b: Operand): Value => this.binary("Less", a, b);
  lessOrEqual = (a: Operand, b: Operand): Value => this.binary("LessOrEqual", a, b);
  equal = (a: Operand, b: Operand): Value => this.binary("Equal", a, b);

  neg = (x: Value): Value => this.op("Neg", [x]);
  abs = (x: Value): Value => this.op("Abs", [x]);
  sign = (x: Value): Value => this.op("Sign", [x]);
  exp = (x: Value): Value => this.op("Exp", [x]);
  log = (x: Value): Value => this.op("Log", [x]);
  sqrt = (x: Value): Value => this.op("Sqrt", [x]);
  reciprocal = (x: Value): Value => this.op("Reciprocal", [x]);
  round = (x: Value): Value => this.op("Round", [x]);
  floor = (x: Value): Value => this.op("Floor", [x]);
  relu = (x: Value): Value => this.op("Relu", [x]);
  sigmoid = (x: Value): Value => this.op("Sigmoid", [x]);
  tanh = (x: Value): Value => this.op("Tanh", [x]);
  identity = (x: Value): Value => this.op("Identity", [x]);
  not = (x: Value): Value => this.op("Not", [x]);
  and = (a: Value, b: Value): Value => this.op("And", [a, b]);

  /** max(low, min(high, x)). */
  clip(x: Value, low: Operand | undefined, high: Operand | undefined): Value {
    const bound = (value: Operand | undefined): Value | undefined =>
      typeof value === "number" ? this.scalar(value, x.type.elementType) : value;
    return this.op("Clip", [x, bound(low), bound(high)]);
  }

  where(condition: Value, a: Operand, b: Operand): Value {
    const elementType =
      typeof a !== "number" ? a.type.elementType : typeof b !== "number" ? b.type.elementType : "float32";
    const value = (operand: Operand): Value =>
      typeof operand === "number" ? this.scalar(operand, elementType) : operand;
    return this.op("Where", [condition, value(a), value(b)]);
  }

  cast(x: Value, elementType: ElementType): Value {
    if (x.type.elementType === elementType) return x;
    return this.op("Cast", [x], { to: elementTypes[elementType].onnxCode });
  }

  matMul = (a: Value, b: Value): Value => this.op("MatMul", [a, b]);

  /** alpha·a·b + beta·c with optional transposes. */
  gemm(a: Value, b: Value, c?: Value, attributes: { readonly transA?: number; readonly transB?: number } = {}): Value {
    return this.op("Gemm", [a, b, c], { ...attributes });
  }

  /** x [N,C,H,W], weight [K,C/group,kh,kw], bias [K]. */
  conv(x: Value, weight: Value, bias?: Value, attributes: ConvolutionAttributes = {}): Value {
    return this.op("Conv", [x, weight, bias], { ...attributes });
  }

  reshape(x: Value, shape: readonly number[] | Value): Value {
    return this.op("Reshape", [x, "name" in shape ? shape : this.int64s(shape)]);
  }

  transpose = (x: Value, permutation: readonly number[]): Value => this.op("Transpose", [x], { perm: permutation });
  flatten = (x: Value, axis = 1): Value => this.op("Flatten", [x], { axis });
  shapeOf = (x: Value): Value => this.op("Shape", [x]);
  concat = (values: readonly Value[], axis: number): Value => this.op("Concat", values, { axis });
  unsqueeze = (x: Value, axes: readonly number[]): Value => this.op("Unsqueeze", [x, this.int64s(axes)]);
  squeeze = (x: Value, axes: readonly number[]): Value => this.op("Squeeze", [x, this.int64s(axes)]);
  expand = (x: Value, shape: Value): Value => this.op("Expand", [x, shape]);
  gather = (x: Value, indices: Value, axis = 0): Value => this.op("Gather", [x, indices], { axis });

  split(x: Value, sizes: readonly number[], axis: number): readonly Value[] {
    return this.node("Split", [x, this.int64s(sizes)], { axis }, { outputs: sizes.length });
  }

  slice(
    x: Value,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ): Value {
    return this.op("Slice", [x, this.int64s(starts), this.int64s(ends), this.int64s(axes), this.int64s(steps)]);
  }

  /** Pads with zeros; `pads` as in ONNX: all begins, then all ends. */
  pad(x: Value, pads: readonly number[]): Value {
    return this.op("Pad", [x, this.int64s(pads)]);
  }

  /** Sum over axes (opset 13: axes are an input). */
  reduceSum(x: Value, axes: readonly number[], options: { readonly keepDims?: boolean } = {}): Value {
    return this.op("ReduceSum", [x, this.int64s(axes)], { keepdims: options.keepDims ? 1 : 0 });
  }

  /** Mean over axes (opset 18: axes are an input). */
  reduceMean(x: Value, axes: readonly number[], options: { readonly keepDims?: boolean } = {}): Value {
    return this.op("ReduceMean", [x, this.int64s(axes)], { keepdims: options.keepDims ? 1 : 0 });
  }

  softmax = (x: Value, axis = -1): Value => this.op("Softmax", [x], { axis });
  logSoftmax = (x: Value, axis = -1): Value => this.op("LogSoftmax", [x], { axis });
  globalAveragePool = (x: Value): Value => this.op("GlobalAveragePool", [x]);

  maxPool(x: Value, kernel: readonly number[], attributes: Omit<ConvolutionAttributes, "group"> = {}): Value {
    return this.op("MaxPool", [x], { kernel_shape: kernel, ...attributes });
  }

  averagePool(x: Value, kernel: readonly number[], attributes: Omit<ConvolutionAttributes, "group"> = {}): Value {
    return this.op("AveragePool", [x], { kernel_shape: kernel, ...attributes });
  }
}

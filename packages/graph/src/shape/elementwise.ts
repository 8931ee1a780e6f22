import { attributeOf } from "../ir/attribute.js";
import { type ElementType, elementTypeOfOnnxCode } from "../ir/element-type.js";
import {
  broadcastInputs,
  commonElementType,
  presentInputs,
  requireBroadcastTo,
  requiredInt,
  sameAsFirst,
  typed,
} from "./context.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

const binary: ShapeRule = (context) => {
  const elementType = commonElementType(context, [0, 1]);
  return [typed(elementType, broadcastInputs(context, [0, 1]))];
};

const comparison: ShapeRule = (context) => {
  commonElementType(context, [0, 1]);
  return [typed("bool", broadcastInputs(context, [0, 1]))];
};

const power: ShapeRule = (context) => [typed(context.input(0).elementType, broadcastInputs(context, [0, 1]))];

const variadic: ShapeRule = (context) => {
  const indices = presentInputs(context);
  if (indices.length === 0) throw context.fail("at least one input is needed");
  return [typed(commonElementType(context, indices), broadcastInputs(context, indices))];
};

const predicate: ShapeRule = (context) => [typed("bool", context.input(0).shape)];

const where: ShapeRule = (context) => {
  const condition = context.input(0).elementType;
  if (condition !== "bool")
    throw context.fail("the condition has the wrong type", { expected: "bool", received: condition });
  return [typed(commonElementType(context, [1, 2]), broadcastInputs(context, [0, 1, 2]))];
};

const clip: ShapeRule = (context) => {
  commonElementType(context, [0, 1, 2]);
  for (const index of [1, 2]) requireBroadcastTo(context, index, [], "a bound");
  return [context.input(0)];
};

const prelu: ShapeRule = (context) => {
  const { elementType, shape } = context.input(0);
  if (shape) requireBroadcastTo(context, 1, shape, "the slope");
  return [typed(elementType, shape)];
};

const cast: ShapeRule = (context) => [
  typed(elementTypeOf(context, requiredInt(context, "to")), context.input(0).shape),
];

const castLike: ShapeRule = (context) => [typed(context.input(1).elementType, context.input(0).shape)];

/** The element type with this ONNX code; throws for one that Dovetail does not hold (complex, 8-bit floats). */
export function elementTypeOf(context: ShapeContext, code: number): ElementType {
  const elementType = elementTypeOfOnnxCode(code);
  if (!elementType) throw context.fail("this element type is not known", { received: `ONNX type code ${code}` });
  return elementType;
}

/** The element type that an optional attribute holds as ONNX code. */
export function elementTypeAttribute(context: ShapeContext, name: string, byDefault: ElementType): ElementType {
  const code = attributeOf(context.node, name, "int");
  return code === undefined ? byDefault : elementTypeOf(context, code);
}

function all(operators: string, rule: ShapeRule): ShapeTable {
  return Object.fromEntries(operators.split(/\s+/).map((operator) => [operator, rule]));
}

/** Operators that treat every value alone: unary, binary with broadcasting, variadic, comparisons, logic, casts. */
export const elementwiseShapes: ShapeTable = {
  ...all(
    `Identity Abs Neg Sign Ceil Floor Round Exp Log Sqrt Reciprocal Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh
    Acosh Atanh Relu LeakyRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Softplus Softsign Mish Gelu Swish
    ThresholdedRelu Shrink Not BitwiseNot`,
    sameAsFirst,
  ),
  ...all("Add Sub Mul Div Mod BitShift BitwiseAnd BitwiseOr BitwiseXor And Or Xor", binary),
  ...all("Equal Greater GreaterOrEqual Less LessOrEqual", comparison),
  ...all("Sum Mean Min Max", variadic),
  ...all("IsNaN IsInf", predicate),
  Pow: power,
  Where: where,
  Clip: clip,
  PRelu: prelu,
  Cast: cast,
  CastLike: castLike,
};

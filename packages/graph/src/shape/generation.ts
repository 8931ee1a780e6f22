import { attributeOf } from "../ir/attribute.js";
import { elementTypes } from "../ir/element-type.js";
import type { TensorType } from "../ir/graph.js";
import { intsAttribute, targetEntries, typed } from "./context.js";
import { elementTypeAttribute } from "./elementwise.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

const constant: ShapeRule = (context) => {
  const attribute = Object.entries(context.node.attributes).find(([name]) => name.startsWith("value"))?.[1];
  switch (attribute?.kind) {
    case "tensor":
      return [typed(attribute.value.elementType, attribute.value.dimensions)];
    case "int":
      return [typed("int64", [])];
    case "float":
      return [typed("float32", [])];
    case "string":
      return [typed("string", [])];
    case "ints":
      return [typed("int64", [attribute.value.length])];
    case "floats":
      return [typed("float32", [attribute.value.length])];
    case "strings":
      return [typed("string", [attribute.value.length])];
    default:
      throw context.fail('attribute "value" is missing');
  }
};

const constantOfShape: ShapeRule = (context) => {
  const elementType = attributeOf(context.node, "value", "tensor")?.elementType ?? "float32";
  const target = targetEntries(context, 0);
  return [
    typed(
      elementType,
      target?.map((size) => size ?? context.unknownDimension()),
    ),
  ];
};

const range: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const [start, limit, step] = [0, 1, 2].map((index) => context.entries(index)?.[0]);
  if (step === 0) throw context.fail("the step is 0");
  if (typeof start === "number" && typeof limit === "number" && typeof step === "number") {
    return [typed(elementType, [Math.max(0, Math.ceil((limit - start) / step))])];
  }
  if (start === 0 && step === 1 && typeof limit === "string") return [typed(elementType, [limit])];
  return [typed(elementType, [context.unknownDimension()])];
};

const random: ShapeRule = (context) => {
  const shape = intsAttribute(context, "shape");
  if (!shape) throw context.fail('attribute "shape" is missing');
  return [typed(elementTypeAttribute(context, "dtype", "float32"), shape)];
};

const like: ShapeRule = (context) => {
  const { elementType, shape } = context.input(0);
  return [typed(elementTypeAttribute(context, "dtype", elementType), shape)];
};

const randomLike: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const byDefault = elementTypes[elementType].isFloat ? elementType : "float32";
  return [typed(elementTypeAttribute(context, "dtype", byDefault), context.input(0).shape)];
};

const multinomial: ShapeRule = (context) => {
  const samples = attributeOf(context.node, "sample_size", "int", 1);
  return [typed(elementTypeAttribute(context, "dtype", "int32"), [context.shape(0)[0]!, samples])];
};

const windowFunction: ShapeRule = (context) => [
  sized(context, elementTypeAttribute(context, "output_datatype", "float32")),
];

function sized(context: ShapeContext, elementType: TensorType["elementType"]): TensorType {
  return typed(elementType, [context.entries(0)?.[0] ?? context.unknownDimension()]);
}

/** Operators that make values from a shape or from nothing. */
export const generationShapes: ShapeTable = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  RandomNormal: random,
  RandomUniform: random,
  RandomNormalLike: randomLike,
  RandomUniformLike: randomLike,
  Bernoulli: like,
  EyeLike: like,
  Multinomial: multinomial,
  HannWindow: windowFunction,
  HammingWindow: windowFunction,
  BlackmanWindow: windowFunction,
};

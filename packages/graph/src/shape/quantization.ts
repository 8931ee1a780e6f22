import type { Shape } from "../ir/graph.js";
import { intAttribute, resolveAxis, typed } from "./context.js";
import { commonSize } from "./dimension.js";
import { elementTypeAttribute } from "./elementwise.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

/** A scale is a scalar, one value, one value a slice along the axis, or (blocked) of the input's rank. */
function requireScale(context: ShapeContext, shape: Shape | undefined): void {
  const scale = context.input(1).shape;
  if (!shape || !scale || scale.length !== 1 || scale[0] === 1) return;
  const axis = resolveAxis(context, intAttribute(context, "axis", 1), shape.length);
  if (commonSize(scale[0]!, shape[axis]!) === undefined) {
    throw context.fail("the scale does not fit", {
      expected: `${shape[axis]} values (the size of axis ${axis})`,
      received: `${scale[0]}`,
    });
  }
}

const quantize: ShapeRule = (context) => {
  const { shape } = context.input(0);
  requireScale(context, shape);
  const byDefault = context.inputs[2]?.elementType ?? "uint8";
  return [typed(elementTypeAttribute(context, "output_dtype", byDefault), shape)];
};

const dequantize: ShapeRule = (context) => {
  const { shape } = context.input(0);
  requireScale(context, shape);
  return [typed(context.input(1).elementType, shape)];
};

const dynamicQuantize: ShapeRule = (context) => [
  typed("uint8", context.input(0).shape),
  typed("float32", []),
  typed("uint8", []),
];

/** Quantizing and dequantizing; the integer products are with the products of real numbers. */
export const quantizationShapes: ShapeTable = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
};

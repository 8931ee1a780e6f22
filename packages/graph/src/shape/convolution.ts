import type { ElementType } from "../ir/element-type.js";
import type { Dimension, Shape } from "../ir/graph.js";
import { commonElementType, intAttribute, intsAttribute, requireVector, typed } from "./context.js";
import { commonSize, productSize } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";
import { type Window, windowOf, windowSizes } from "./window.js";

/** Output shape of a convolution of input `data` [N,C,…] with `weight` [K,C/group,…]. */
export function convolutionShape(
  context: ShapeContext,
  inputs: { readonly data: number; readonly weight: number },
): Shape {
  const data = context.shape(inputs.data);
  const weight = context.shape(inputs.weight);
  if (data.length < 3) {
    throw context.fail("the input needs at least one spatial axis", {
      expected: "[N,C,…]",
      received: `[${data.join(",")}]`,
    });
  }
  if (weight.length !== data.length) {
    throw context.fail("input and weight differ in rank", {
      expected: `a weight of rank ${data.length}`,
      received: `${weight.length}`,
    });
  }
  const group = groupOf(context);
  const expected = productSize([weight[1]!, group]);
  if (commonSize(data[1]!, expected) === undefined) {
    throw context.fail(`weight expects ${expected} input channels, input has ${data[1]}`);
  }
  requireDivisible(context, weight[0]!, group, "output channels");
  return [data[0]!, weight[0]!, ...windowSizes(context, data.slice(2), windowOf(context, kernelOf(context, weight)))];
}

function groupOf(context: ShapeContext): number {
  const group = intAttribute(context, "group", 1);
  if (group < 1)
    throw context.fail('attribute "group" is out of range', { expected: "at least 1", received: `${group}` });
  return group;
}

function requireDivisible(context: ShapeContext, size: Dimension, group: number, what: string): void {
  if (typeof size === "number" && size % group !== 0) {
    throw context.fail(`the groups do not divide the ${what}`, {
      expected: `a divisor of ${size}`,
      received: `${group}`,
    });
  }
}

function kernelOf(context: ShapeContext, weight: Shape): Shape {
  const kernel = weight.slice(2);
  const said = intsAttribute(context, "kernel_shape");
  if (!said) return kernel;
  if (said.length !== kernel.length || said.some((size, axis) => commonSize(size, kernel[axis]!) === undefined)) {
    throw context.fail('attribute "kernel_shape" disagrees with the weight', {
      expected: `[${kernel.join(",")}]`,
      received: `[${said.join(",")}]`,
    });
  }
  return said;
}

const convolution: ShapeRule = (context) => {
  const elementType = commonElementType(context, [0, 1, 2]);
  const shape = convolutionShape(context, { data: 0, weight: 1 });
  requireVector(context, 2, shape[1]!, "bias");
  return [typed(elementType, shape)];
};

const integerConvolution: ShapeRule = (context) => [typed("int32", convolutionShape(context, { data: 0, weight: 1 }))];

const quantizedConvolution: ShapeRule = (context) => {
  const shape = convolutionShape(context, { data: 0, weight: 3 });
  requireVector(context, 8, shape[1]!, "bias");
  return [typed(context.input(7).elementType, shape)];
};

const transposedConvolution: ShapeRule = (context) => {
  const elementType: ElementType = commonElementType(context, [0, 1, 2]);
  const data = context.shape(0);
  const weight = context.shape(1);
  if (data.length < 3 || weight.length !== data.length) {
    throw context.fail("input and weight must have equal ranks of at least 3");
  }
  const group = groupOf(context);
  if (commonSize(data[1]!, weight[0]!) === undefined) {
    throw context.fail(`weight expects ${weight[0]} input channels, input has ${data[1]}`);
  }
  requireDivisible(context, data[1]!, group, "input channels");
  const channels = productSize([weight[1]!, group]);
  requireVector(context, 2, channels, "bias");
  const spatial = transposedSizes(context, data.slice(2), windowOf(context, kernelOf(context, weight)));
  return [typed(elementType, [data[0]!, channels, ...spatial])];
};

function transposedSizes(context: ShapeContext, spatial: Shape, window: Window): Shape {
  const said = intsAttribute(context, "output_shape");
  if (said) return said.slice(-spatial.length);
  const outputPadding = intsAttribute(context, "output_padding");
  return spatial.map((size, axis) => {
    const stride = window.strides[axis]!;
    if (window.autoPad === "SAME_UPPER" || window.autoPad === "SAME_LOWER") return productSize([size, stride]);
    const kernel = window.kernel[axis]!;
    if (typeof kernel === "string") return context.unknownDimension();
    const extent = window.dilations[axis]! * (kernel - 1) + 1;
    const pads = window.pads[axis]! + window.pads[spatial.length + axis]!;
    const offset = extent - pads - stride + (outputPadding?.[axis] ?? 0);
    if (typeof size === "string") return offset === 0 ? productSize([size, stride]) : context.unknownDimension();
    const result = stride * size + offset;
    if (result < 1) {
      throw context.fail(`nothing is left on spatial axis ${axis}`, {
        expected: "a size of at least 1",
        received: `${result}`,
      });
    }
    return result;
  });
}

/** Convolution and its relatives. Data [N,C,…], weight [K,C/group,…] (transposed: [C,K/group,…]), bias [K]. */
export const convolutionShapes: ShapeTable = {
  Conv: convolution,
  ConvInteger: integerConvolution,
  QLinearConv: quantizedConvolution,
  ConvTranspose: transposedConvolution,
};

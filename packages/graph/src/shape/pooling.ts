import type { Shape } from "../ir/graph.js";
import { intsAttribute, requireRank, typed } from "./context.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";
import { windowOf, windowSizes } from "./window.js";

function pooledShape(context: ShapeContext): Shape {
  const data = context.shape(0);
  const kernel = intsAttribute(context, "kernel_shape");
  if (!kernel) throw context.fail('attribute "kernel_shape" is missing');
  if (data.length !== kernel.length + 2) {
    throw context.fail("kernel and input do not fit", {
      expected: `an input of rank ${kernel.length + 2}`,
      received: `${data.length}`,
    });
  }
  if (kernel.some((size) => size < 1)) {
    throw context.fail('attribute "kernel_shape" is out of range', {
      expected: "at least 1",
      received: `[${kernel.join(",")}]`,
    });
  }
  return [data[0]!, data[1]!, ...windowSizes(context, data.slice(2), windowOf(context, kernel))];
}

const pool: ShapeRule = (context) => [typed(context.input(0).elementType, pooledShape(context))];

const maxPool: ShapeRule = (context) => {
  const shape = pooledShape(context);
  return [typed(context.input(0).elementType, shape), typed("int64", shape)];
};

const globalPool: ShapeRule = (context) => {
  const { elementType, shape } = context.input(0);
  if (!shape) return [typed(elementType, undefined)];
  if (shape.length < 2) throw context.fail("the input needs the axes [N,C,…]");
  return [
    typed(
      elementType,
      shape.map((size, axis) => (axis < 2 ? size : 1)),
    ),
  ];
};

const maxUnpool: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const data = context.shape(0);
  if (context.has(2)) {
    const target = context.entries(2);
    return [
      typed(
        elementType,
        data.map((_, axis) => target?.[axis] ?? context.unknownDimension()),
      ),
    ];
  }
  const kernel = intsAttribute(context, "kernel_shape");
  if (!kernel) throw context.fail('attribute "kernel_shape" is missing');
  const window = windowOf(context, kernel);
  const spatial = data.slice(2).map((size, axis) => {
    if (typeof size === "string") return context.unknownDimension();
    const pads = window.pads[axis]! + window.pads[kernel.length + axis]!;
    return window.strides[axis]! * (size - 1) + kernel[axis]! - pads;
  });
  return [typed(elementType, [data[0]!, data[1]!, ...spatial])];
};

const roiPool: ShapeRule = (context) => {
  const data = requireRank(context, 0, 4);
  const regions = requireRank(context, 1, 2);
  const pooled = intsAttribute(context, "pooled_shape");
  if (pooled?.length !== 2) throw context.fail('attribute "pooled_shape" must have 2 values');
  return [typed(context.input(0).elementType, [regions[0]!, data[1]!, ...pooled])];
};

/** Pooling over [N,C,…]. */
export const poolingShapes: ShapeTable = {
  MaxPool: maxPool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  GlobalLpPool: globalPool,
  MaxUnpool: maxUnpool,
  MaxRoiPool: roiPool,
};

import { attributeOf } from "../../ir/attribute.js";
import type { Dimension } from "../../ir/graph.js";
import { tensorNumbers } from "../../ir/tensor.js";
import { applyAdjoint } from "../axis-map.js";
import { type Interpolation, interpolationMap } from "../interpolation.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { frontAxis, shapeOf } from "../shapes.js";

/** Resize is linear in its input and works on each axis by itself: the gradient is the adjoint, axis by axis. */
const resize: GradientRule = (context) => {
  const { g, node } = context;
  const shape = shapeOf(context.input(0));
  const target = shapeOf(context.output(0));
  const interpolation = interpolationOf(context);
  const axes = attributeOf(node, "axes", "ints", [...shape.keys()]);
  const scales = context.inputs[2] ? context.constant(2) : undefined;
  if (context.inputs[2] && !scales) throw context.fail("the scales must be a constant");
  const factors = scales ? tensorNumbers(scales) : fromSizes(context, axes);
  const gradient = axes.reduce((value, relative, index) => {
    const axis = frontAxis(relative, shape.length);
    const [size, outputSize] = [shape[axis]!, target[axis]!];
    if (size === outputSize && (typeof size === "string" || factors[index] === 1)) return value;
    if (typeof size !== "number" || typeof outputSize !== "number") throw unknownSize(context, axis);
    const map = interpolationMap(size, outputSize, factors[index]!, interpolation);
    if (!map) {
      throw context.fail("this coordinate transformation has no gradient", {
        received: interpolation.coordinates,
        hint: "use half_pixel, pytorch_half_pixel, half_pixel_symmetric, align_corners or asymmetric",
      });
    }
    return applyAdjoint(g, value, axis, map);
  }, context.outputGradients[0]!);
  return [gradient];
};

function unknownSize(context: GradientContext, axis: number): Error {
  return context.fail(`the sizes along axis ${axis} must be known when the graph is built`);
}

function interpolationOf(context: GradientContext): Interpolation {
  const { node } = context;
  const mode = attributeOf(node, "mode", "string", "nearest");
  if (mode !== "nearest" && mode !== "linear" && mode !== "cubic") {
    throw context.fail("unknown mode", { expected: "nearest, linear or cubic", received: mode });
  }
  if (attributeOf(node, "antialias", "int", 0) === 1) {
    throw context.fail("anti-aliased resizing has no gradient", { hint: "pool before resizing" });
  }
  return {
    mode,
    coordinates: attributeOf(node, "coordinate_transformation_mode", "string", "half_pixel"),
    nearest: attributeOf(node, "nearest_mode", "string", "round_prefer_floor"),
    cubicCoefficient: attributeOf(node, "cubic_coeff_a", "float", -0.75),
    excludeOutside: attributeOf(node, "exclude_outside", "int", 0) === 1,
  };
}

/** The scales that follow from sizes: each axis's own, or a common one that keeps the aspect ratio. */
function fromSizes(context: GradientContext, axes: readonly number[]): readonly number[] {
  const shape = shapeOf(context.input(0));
  const target = shapeOf(context.output(0));
  const policy = attributeOf(context.node, "keep_aspect_ratio_policy", "string", "stretch");
  const ratio = (index: number, size: Dimension | undefined): number => {
    const axis = frontAxis(axes[index]!, shape.length);
    const own = shape[axis];
    if (own === size && typeof own === "string") return 1;
    if (typeof own !== "number" || typeof size !== "number") throw unknownSize(context, axis);
    return size / own;
  };
  if (policy === "stretch") return axes.map((axis, index) => ratio(index, target[frontAxis(axis, shape.length)]));
  const sizes = context.constant(3);
  if (!sizes) throw context.fail("the sizes must be a constant");
  const ratios = tensorNumbers(sizes).map((size, index) => ratio(index, size));
  const common = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return axes.map(() => common);
}

export const resizeGradients: GradientTable = { Resize: resize };

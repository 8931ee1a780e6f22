import type { GraphBuilder } from "../../builder/builder.js";
import type { Attribute, Graph, Shape, Value } from "../../ir/graph.js";
import { isStatic, scalar } from "../../ir/tensor.js";
import { convolutionShape } from "../../shape/convolution.js";
import type { ShapeContext } from "../../shape/rule.js";
import { convInputGradient } from "./convolution.js";
import { type OwnOperator, required } from "./own-operator.js";
import { explicitWindow, requireWindow, type Window } from "./window.js";

/**
 * The add layer of AdderNet (Chen et al. 2020): a convolution whose products are negated distances,
 * Y[n,o,p] = −Σ |X[n,c,q] − W[o,c,k]| over channels c and kernel positions k, q being the position that k meets at p.
 * Padding counts as X = 0, so it adds −|W|.
 *
 * Inputs: X [N, C, H, W], W [O, C, kh, kw], float32. Output: Y [N, O, H', W'].
 * Attributes: `kernel_shape`, `strides`, `pads`, `dilations` as in Conv, all present; no groups, no bias.
 *
 * Its gradients are not its derivatives (signs) but AdderNet's: to X that of `AdderConvInputGradient`, to W the full
 * difference Σ dY·(X − W), padded positions included.
 */
export const adderConv: OwnOperator = {
  shape: (context) => {
    requireWindow(context, 0);
    requireFloat32(context, [0, 1]);
    return [{ elementType: "float32", shape: convolutionShape(context, { data: 0, weight: 1 }) }];
  },
  expand: (context) => [
    adderDistances(context.g, required(context, 0), required(context, 1), explicitWindow(context.node)),
  ],
};

/**
 * Gradient of AdderConv to its input: dX[n,c,q] = Σ dY[n,o,p] · clamp(W[o,c,k] − X[n,c,q], −1, 1) over all o and all
 * (p, k) that meet at q: HardTanh in the place of the sign.
 *
 * Inputs: dY [N, O, H', W'], X [N, C, H, W], W [O, C, kh, kw]. Output: dX like X. Attributes as in AdderConv.
 */
export const adderConvInputGradient: OwnOperator = {
  shape: (context) => {
    requireWindow(context, 1);
    requireFloat32(context, [0, 1, 2]);
    return [context.input(1)];
  },
  expand: (context) => {
    const { node, g } = context;
    const [dy, x, weight] = [required(context, 0), required(context, 1), required(context, 2)];
    const kernel = unfoldingKernel(g, weight);
    const unfolded = unfold(g, x, kernel, explicitWindow(node));
    const zeros = g.op("ConstantOfShape", [g.shapeOf(unfolded)], { value: { ...scalar(0), dimensions: [1] } });
    const folded = g.op("Scan", [zeros, flatFilters(g, weight), dy], {
      body: { kind: "graph", value: gradientBody(g, unfolded, dy) },
      num_scan_inputs: 2,
      scan_input_axes: [0, 1],
    });
    const attributes: Record<string, Attribute> = { ...node.attributes, group: { kind: "int", value: 1 } };
    const spatial: Shape = x.type.shape!.slice(2);
    if (isStatic(spatial)) attributes.input_shape = { kind: "ints", value: spatial };
    return convInputGradient.expand({ node: { ...node, attributes }, inputs: [folded, kernel, x], g });
  },
};

function requireFloat32(context: ShapeContext, indices: readonly number[]): void {
  for (const index of indices) {
    const { elementType } = context.input(index);
    if (elementType === "float32") continue;
    throw context.fail(`input ${index} has another element type`, { expected: "float32", received: elementType });
  }
}

/**
 * −Σ |X − W|. A convolution with ones and zeros lays the values that each position meets side by side; one filter after
 * the other is compared with them, so that no more than that is in memory at a time.
 */
export function adderDistances(g: GraphBuilder, x: Value, weight: Value, window: Omit<Window, "kernel">): Value {
  const unfolded = unfold(g, x, unfoldingKernel(g, weight), window);
  return g.op("Scan", [flatFilters(g, weight)], {
    body: { kind: "graph", value: distanceBody(g, unfolded) },
    num_scan_inputs: 1,
    scan_output_axes: [1],
  });
}

/** [N, C, H, W] → [N, C·kh·kw, H', W']. */
function unfold(g: GraphBuilder, x: Value, kernel: Value, { strides, pads, dilations }: Omit<Window, "kernel">): Value {
  return g.conv(x, kernel, undefined, { strides, pads, dilations });
}

/** [C·kh·kw, C, kh, kw]: filter k takes the k-th value of the window. */
function unfoldingKernel(g: GraphBuilder, weight: Value): Value {
  const shape = g.op("Shape", [weight], { start: 1 });
  const count = g.op("ReduceProd", [shape], { keepdims: 1 });
  const square = g.op("EyeLike", [g.op("ConstantOfShape", [g.concat([count, count], 0)])]);
  return g.reshape(square, g.concat([count, shape], 0));
}

/** [O, C, kh, kw] → [O, C·kh·kw, 1, 1]. */
function flatFilters(g: GraphBuilder, weight: Value): Value {
  return g.reshape(weight, [0, -1, 1, 1]);
}

/** From a filter [C·kh·kw, 1, 1] to its outputs [N, H', W']. */
function distanceBody(g: GraphBuilder, unfolded: Value): Graph {
  return g.subgraph([unfolded], (b) => {
    const filter = b.input(`${unfolded.name}/filter`, "float32", [unfolded.type.shape![1]!, 1, 1]);
    b.output(b.neg(b.reduceSum(b.abs(b.sub(unfolded, filter)), [1])));
  });
}

/** From a sum [N, C·kh·kw, H', W'], a filter and its output gradient [N, H', W'] to the sum with the filter's part. */
function gradientBody(g: GraphBuilder, unfolded: Value, dy: Value): Graph {
  return g.subgraph([unfolded], (b) => {
    const [batch, count, ...spatial] = unfolded.type.shape!;
    const sum = b.input(`${unfolded.name}/sum`, "float32", unfolded.type.shape!);
    const filter = b.input(`${unfolded.name}/filter`, "float32", [count!, 1, 1]);
    const gradient = b.input(`${dy.name}/ofFilter`, "float32", [batch!, ...spatial]);
    const slope = b.clip(b.sub(filter, unfolded), -1, 1);
    b.output(b.add(sum, b.mul(b.unsqueeze(gradient, [1]), slope)));
  });
}

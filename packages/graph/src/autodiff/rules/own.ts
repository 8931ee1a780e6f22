import type { Value } from "../../ir/graph.js";
import { explicitWindow, windowAttributes } from "../own/window.js";
import { ownOperators } from "../own-operators.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { channelSums, inputSizes } from "./convolution.js";

/** Attributes of the convolution whose gradient this node computes. */
function convolutionAttributes({ node }: GradientContext): Record<string, number | readonly number[]> {
  return { ...windowAttributes(explicitWindow(node)), group: node.attributes.group!.value as number };
}

/** dX = Conv's adjoint of dY: its gradient to dY is the convolution itself. */
const convInputGradient: GradientRule = (context) => {
  const { g, needed } = context;
  const [dy, weight] = [context.input(0), context.input(1)];
  const gradient = context.outputGradients[0]!;
  const attributes = convolutionAttributes(context);
  return [
    needed[0] ? g.op("Conv", [gradient, weight], attributes) : undefined,
    needed[1] ? g.ownNode("ConvWeightGradient", [gradient, dy], attributes)[0] : undefined,
  ];
};

const convWeightGradient: GradientRule = (context) => {
  const { g, needed } = context;
  const [x, dy] = [context.input(0), context.input(1)];
  const gradient = context.outputGradients[0]!;
  const attributes = convolutionAttributes(context);
  const toInput = (): Value => {
    const sizes = inputSizes(x);
    const inputs = [dy, gradient, sizes.like];
    return g.ownNode("ConvInputGradient", inputs, { ...attributes, input_shape: sizes.attribute })[0]!;
  };
  return [needed[0] ? toInput() : undefined, needed[1] ? g.op("Conv", [x, gradient], attributes) : undefined];
};

/** The mask Y > 0 is piecewise constant. */
const reluGradient: GradientRule = (context) => [
  context.g.ownNode("ReluGradient", [context.outputGradients[0], context.input(1)])[0],
];

const clipGradient: GradientRule = (context) => [
  context.g.ownNode("ClipGradient", [context.outputGradients[0], ...context.inputs.slice(1)])[0],
];

const averagePoolGradient: GradientRule = (context) => {
  const { node, g } = context;
  const window = windowAttributes(explicitWindow(node));
  return [
    g.op("AveragePool", [context.outputGradients[0]], {
      kernel_shape: window.kernel_shape,
      strides: window.strides,
      pads: window.pads,
      ceil_mode: node.attributes.ceil_mode,
      count_include_pad: node.attributes.count_include_pad,
    }),
  ];
};

/** AdderNet's: to the weight Σ dY·(X − W) = Σ dY·X, the gradient of a convolution, less W·Σ dY. */
const adderConv: GradientRule = (context) => {
  const { node, g, needed } = context;
  const [x, weight] = [context.input(0), context.input(1)];
  const dy = context.outputGradients[0]!;
  const window = windowAttributes(explicitWindow(node));
  const toWeight = (): Value => {
    const [products] = g.ownNode("ConvWeightGradient", [x, dy], { ...window, group: 1 });
    return g.sub(products!, g.mul(weight, g.unsqueeze(channelSums(g, dy), [1, 2, 3])));
  };
  return [
    needed[0] ? g.ownNode("AdderConvInputGradient", [dy, x, weight], window)[0] : undefined,
    needed[1] ? toWeight() : undefined,
  ];
};

/** By way of the operator's expansion. */
const throughExpansion: GradientRule = ({ node, g, through }) =>
  through((inputs) => ownOperators[node.operator]!.expand({ node, inputs, g }));

/** Gradients of the gradients, for second derivatives, and those of the operators that layers are made of. */
export const ownGradients: GradientTable = {
  "ai.dovetail.AdderConv": adderConv,
  "ai.dovetail.ConvInputGradient": convInputGradient,
  "ai.dovetail.ConvWeightGradient": convWeightGradient,
  "ai.dovetail.ReluGradient": reluGradient,
  "ai.dovetail.ClipGradient": clipGradient,
  "ai.dovetail.AveragePoolGradient": averagePoolGradient,
  "ai.dovetail.MaxPoolGradient": throughExpansion,
  "ai.dovetail.BatchNormalizationGradient": throughExpansion,
};

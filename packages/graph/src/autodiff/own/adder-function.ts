// The add layer as others read it: a model-local function, so that a file with add layers runs on any ONNX Runtime.

import { GraphBuilder } from "../../builder/builder.js";
import { type Attribute, defaultOpset, dovetailDomain, type FunctionDefinition, type Node } from "../../ir/graph.js";
import { adderDistances } from "./adder.js";

const windowAttributes = ["strides", "pads", "dilations"];

/** The body of `ai.dovetail.AdderConv` in operators of ONNX's set 18. */
export function adderConvFunction(): FunctionDefinition {
  const g = new GraphBuilder("AdderConv");
  const x = g.input("X", "float32", ["N", "C", "H", "W"]);
  const weight = g.input("W", "float32", ["O", "C", "kernelHeight", "kernelWidth"]);
  const window = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
  g.output(adderDistances(g, x, weight, window), "Y");
  const { nodes, initializers } = g.build();
  const constants = [...initializers].map(
    ([name, value]): Node => ({
      name,
      domain: "",
      operator: "Constant",
      inputs: [],
      outputs: [name],
      attributes: { value: { kind: "tensor", value } },
    }),
  );
  return {
    domain: dovetailDomain,
    name: "AdderConv",
    inputs: ["X", "W"],
    outputs: ["Y"],
    attributes: ["kernel_shape", ...windowAttributes],
    nodes: [...constants, ...nodes.map(withCallersWindow)],
    opsets: new Map([["", defaultOpset]]),
  };
}

/** The convolution that unfolds takes its window from the node that calls the function. */
function withCallersWindow(node: Node): Node {
  if (node.operator !== "Conv") return node;
  const references = windowAttributes.map((name): [string, Attribute] => [
    name,
    { kind: "reference", value: name, of: "ints" },
  ]);
  return { ...node, attributes: Object.fromEntries(references) };
}

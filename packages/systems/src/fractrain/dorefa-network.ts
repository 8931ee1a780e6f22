// DoReFa as FracTrain's static baseline: weights, activations and gradients by its own quantizers.

import { type Network, type NodeRewrite, rewriteGraph, type ScalarInput } from "@dovetail/models";
import {
  gradientQuantizers,
  quantizeDorefaActivation,
  quantizeDorefaWeight,
  withGradientPrecision,
} from "@dovetail/quant";

const names = ["weightBits", "activationBits", "errorBits", "weightGradientBits"] as const;

/**
 * The network with all convolutions but the first quantized by DoReFa's rules: weights through tanh into [−1, 1],
 * activations clipped to [0, 1], the gradient at the convolution's output with a symmetric range a sample, stochastically
 * rounded. First and last layer are in full precision, as published. Bits are scalar inputs, 8 by default.
 */
export function dorefaNetwork(network: Network): Network {
  const [, ...quantized] = network.graph.nodes.filter(({ operator }) => operator === "Conv");
  const noises = quantized.map(({ name, outputs }) => ({
    input: `${name}:noise`,
    shape: network.graph.types.get(outputs[0]!)!.shape!,
  }));
  const scalars: readonly ScalarInput[] = names.map((name) => ({ name, value: 8 }));
  const convolution: NodeRewrite = ({ node, inputs, g, keep }) => {
    if (!quantized.includes(node)) return keep();
    const [x, weight, bias] = inputs;
    const data = g.scope(`quantize/${node.name}`, () =>
      quantizeDorefaActivation(g, x!, { bits: g.value("activationBits") }),
    );
    const filter = g.scope(`quantize/${weight!.name}`, () =>
      quantizeDorefaWeight(g, weight!, { bits: g.value("weightBits") }),
    );
    const output = withGradientPrecision(g, node, bias ? [data, filter, bias] : [data, filter], {
      errorBits: g.value("errorBits"),
      weightGradientBits: g.value("weightGradientBits"),
      noise: g.value(`${node.name}:noise`),
      quantizer: gradientQuantizers.dorefa,
    });
    return [output];
  };
  const added = [
    ...scalars.map(({ name }) => ({ name, shape: [] })),
    ...noises.map(({ input, shape }) => ({ name: input, shape })),
  ];
  const inputs = added.map(({ name, shape }) => ({ name, type: { elementType: "float32", shape } }) as const);
  const graph = { ...network.graph, inputs: [...network.graph.inputs, ...inputs] };
  const rewritten = rewriteGraph(graph, { nodes: { Conv: convolution } });
  return {
    ...network,
    name: `${network.name}-dorefa`,
    graph: rewritten.graph,
    logits: rewritten.find(network.logits).name,
    scalars: [...network.scalars, ...scalars],
    noises: [...network.noises, ...noises],
  };
}

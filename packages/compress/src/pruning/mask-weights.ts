import { type Network, parameterSpec, rewriteGraph } from "@dovetail/models";

/** Name of the parameter that a masked weight is multiplied by. */
export const maskName = (weight: string): string => `${weight}:mask`;

/**
 * The network with weights, parameters or values computed from parameters, multiplied by masks of their shape before
 * anything reads them. Masks are parameters that nothing trains, 1 at first: where one is 0 the weight is zero, gets no
 * gradient, and stays so.
 */
export function maskWeights(network: Network, weights: readonly string[]): Network {
  const masked = new Set(weights);
  const masks = weights.map((weight) =>
    parameterSpec(maskName(weight), network.graph.types.get(weight)!.shape as readonly number[], {
      role: "mask",
      initialization: { kind: "constant", value: 1 },
      trainable: false,
    }),
  );
  const inputs = masks.map(({ name, shape }) => ({ name, type: { elementType: "float32", shape } }) as const);
  const { graph, find } = rewriteGraph(
    { ...network.graph, inputs: [...network.graph.inputs, ...inputs] },
    {
      values: (value, g) => {
        if (!masked.has(value.name)) return value;
        const product = g.mul(value, g.value(maskName(value.name)));
        const annotation = network.graph.annotations.get(value.name);
        if (annotation) g.annotate(product, annotation);
        return product;
      },
    },
  );
  return { ...network, graph, logits: find(network.logits).name, parameters: [...network.parameters, ...masks] };
}

import { GraphBuilder, scalar, type Value } from "@dovetail/graph";
import { type Network, predictionGraph } from "@dovetail/models";
import { requireDistribution, requireScalars, type Variant } from "./variant.js";

/**
 * The deterministic network that decides by the mean of its variants' probabilities: its logits are
 * log Σ p·softmax(variant), and it holds each variant once. Parameters keep their names; scalars are gone. Any attack on
 * deterministic networks applies to it as it stands.
 */
export function ensembleNetwork(network: Network, variants: readonly Variant[]): Network {
  requireDistribution(variants);
  requireScalars(network, variants);
  const g = new GraphBuilder(`${network.name}-ensemble`);
  const prediction = predictionGraph(network);
  const scalars = new Set(network.scalars.map(({ name }) => name));
  const inputs = Object.fromEntries(
    prediction.inputs
      .filter(({ name }) => !scalars.has(name))
      .map(({ name, type }) => [name, g.input(name, type.elementType, type.shape!)] as const),
  );
  const graph = {
    ...prediction,
    outputs: [{ name: network.logits, type: network.graph.types.get(network.logits)! }],
  };
  const terms = variants.map((variant, index): Value => {
    const settings = Object.fromEntries(
      network.scalars.map(({ name, value }) => [name, g.constant(scalar(variant.scalars[name] ?? value))] as const),
    );
    const logits = g.scope(`variant${index}`, () => g.include(graph, { ...inputs, ...settings })[network.logits]!);
    return g.add(g.logSoftmax(logits, 1), Math.log(variant.probability));
  });
  const stacked = g.concat(
    terms.map((term) => g.unsqueeze(term, [2])),
    2,
  );
  g.output(g.op("ReduceLogSumExp", [stacked, g.int64s([2])], { keepdims: 0 }), "logits");
  return {
    ...network,
    name: g.name,
    graph: g.build(),
    logits: "logits",
    scalars: [],
    observedRanges: [],
    noises: [],
  };
}

import { type Network, rewriteGraph } from "@dovetail/models";

/** The network with an image input of another range, brought to its own inside. Parameters stay as they are. */
export function withImageRange(network: Network, range: readonly [number, number]): Network {
  const [low, high] = network.imageRange;
  const factor = (high - low) / (range[1] - range[0]);
  const shift = low - range[0] * factor;
  if (factor === 1 && shift === 0) return network;
  const { graph, find } = rewriteGraph(network.graph, {
    values: (value, g) => {
      if (value.name !== network.image) return value;
      return g.scope("imageRange", () => {
        const scaled = factor === 1 ? value : g.mul(value, factor);
        return shift === 0 ? scaled : g.add(scaled, shift);
      });
    },
  });
  return {
    ...network,
    graph,
    imageRange: range,
    logits: find(network.logits).name,
    observedRanges: network.observedRanges.map((observed) => ({ ...observed, observed: find(observed.observed).name })),
  };
}

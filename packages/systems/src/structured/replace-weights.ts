import type { GraphBuilder, Value } from "@dovetail/graph";
import { type Network, type ParameterSpec, rewriteGraph } from "@dovetail/models";

export interface WeightReplacement {
  /** Names of the weights that are no longer parameters. */
  readonly weights: ReadonlySet<string>;
  /** The parameters that come instead. */
  readonly added: readonly ParameterSpec[];
  /** Makes a weight, of its own shape, from the parameters that come instead. */
  rebuild(g: GraphBuilder, weight: string): Value;
}

/** The network with other parameters in the place of weights, which every step rebuilds. */
export function replaceWeights(network: Network, { weights, added, rebuild }: WeightReplacement): Network {
  const isReplaced = ({ name }: { readonly name: string }): boolean => weights.has(name);
  const isKept = (of: { readonly name: string }): boolean => !isReplaced(of);
  const { inputs } = network.graph;
  const own = added.map(({ name, shape, elementType = "float32" }) => ({ name, type: { elementType, shape } }));
  // Before the old ones, which are read in the same place.
  const withBoth = { ...network.graph, inputs: [...inputs.filter(isKept), ...own, ...inputs.filter(isReplaced)] };
  const { graph, find } = rewriteGraph(withBoth, {
    values: (value, g) => (isReplaced(value) ? rebuild(g, value.name) : value),
  });
  return {
    ...network,
    graph: { ...graph, inputs: graph.inputs.filter(isKept) },
    logits: find(network.logits).name,
    parameters: [...network.parameters.filter(isKept), ...added],
  };
}

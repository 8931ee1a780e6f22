import { attributeOf, type Graph, type Node, type Value } from "@dovetail/graph";
import {
  type Network,
  type NodeRewrite,
  type ObservedRange,
  type ParameterSpec,
  parameterSpec,
  rewriteGraph,
} from "@dovetail/models";

/**
 * The network with range normalization in place of batch normalization (Banner et al. 2018): (x − mean)/(scale + ε)·γ + β,
 * where the scale is estimated from the ranges of 16 parts of a channel's values, without squares, which few bits hold
 * badly. Running means keep their names; a running variance `….runningVariance` becomes a running scale, `….runningScale`, of
 * which a trained network's first value is the deviation. Normalizations whose statistics are no parameters stay.
 */
export function rangeNormalization(network: Network): Network {
  const specs = new Map(network.parameters.map((spec) => [spec.name, spec]));
  const isChosen = ({ operator, inputs }: Node): boolean =>
    operator === "BatchNormalization" && specs.has(inputs[3]!) && specs.has(inputs[4]!);
  const nodes = network.graph.nodes.filter(isChosen);
  const scaleOf = new Map(nodes.map(({ inputs }) => [inputs[4]!, scaleSpec(specs.get(inputs[4]!)!)]));
  const renamed = (name: string): string => scaleOf.get(name)?.name ?? name;
  const reads = (name: string): string => `${name}:read`;
  const rule: NodeRewrite = ({ node, inputs: [x, gain, shift, mean, scale], g, keep }) => {
    if (!scales.has(node.inputs[4]!)) return keep();
    const sizes = x!.type.shape!.map((_, axis) => (axis === 1 ? -1 : 1));
    const perChannel = (vector: Value): Value => g.reshape(vector, sizes);
    const read = (value: Value): Value => g.op("Identity", [value], {}, { outputs: [reads(value.name)] });
    const divisor = g.add(read(scale!), attributeOf(node, "epsilon", "float", 1e-5));
    const normalized = g.div(g.sub(x!, perChannel(read(mean!))), perChannel(divisor));
    const scaled = g.mul(normalized, perChannel(gain!));
    return [g.op("Add", [scaled, perChannel(shift!)], {}, { name: node.name, outputs: node.outputs })];
  };
  const scales = new Set([...scaleOf.values()].map(({ name }) => name));
  const base: Graph = {
    ...network.graph,
    inputs: network.graph.inputs.map(({ name, type }) => ({ name: renamed(name), type })),
    nodes: network.graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(renamed) })),
  };
  const parameters = network.parameters.map((spec) => scaleOf.get(spec.name) ?? spec);
  const { graph, find } = rewriteGraph(base, { nodes: { BatchNormalization: rule } });
  const observed = nodes.flatMap((node): ObservedRange[] => {
    const common = {
      observed: node.inputs[0]!,
      axis: 1,
      momentum: 1 - attributeOf(node, "momentum", "float", 0.9),
      batchInTraining: true,
    };
    return [
      { ...common, range: reads(node.inputs[3]!), statistic: "mean" },
      { ...common, range: reads(scaleOf.get(node.inputs[4]!)!.name), statistic: "rangeDeviation" },
    ];
  });
  return {
    ...network,
    graph,
    logits: find(network.logits).name,
    parameters,
    observedRanges: [...network.observedRanges, ...observed],
  };
}

function scaleSpec({ name, shape }: ParameterSpec): ParameterSpec {
  const own = name.endsWith("runningVariance") ? name.replace(/runningVariance$/, "runningScale") : `${name}:scale`;
  return parameterSpec(own, shape, { role: "runningScale", initialization: { kind: "constant", value: 1 } });
}

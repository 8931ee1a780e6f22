import { GraphBuilder } from "@dovetail/graph";
import { type Network, type ParameterSpec, parameterSpec } from "@dovetail/models";
import { type ShiftOptions, shiftParameters, shiftWeight } from "./shift-weight.js";

/** Operators whose second operand can be a shift layer's weight: with powers of two their products are shifts. */
const products: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

export interface ShiftLayersOptions extends ShiftOptions {
  /** Which weights become powers of two; those of all convolutions and matrix products by default. */
  readonly weights?: ((weight: ParameterSpec) => boolean) | undefined;
  /** Options of single weights, over the others. */
  readonly optionsOf?: ((weight: ParameterSpec) => ShiftOptions) | undefined;
}

/**
 * The network with weights of convolutions and matrix products computed as signed powers of two: the parameter `w`
 * becomes the parameters `w:exponent` and `w:sign`, or `w:latent`, and `w` itself a value of the graph, so that layers keep
 * their names. `bakeShiftWeights` makes plain weights of them again.
 */
export function shiftLayers(network: Network, options: ShiftLayersOptions = {}): Network {
  const shifted = shiftableWeights(network).filter((weight) => options.weights?.(weight) ?? true);
  const g = new GraphBuilder(network.name, { reserved: network.graph.types.keys() });
  const added = new Map(
    shifted.map((weight) => {
      const own = { ...options, ...options.optionsOf?.(weight) };
      const parameters = shiftParameters(own).map(({ suffix, ...of }) =>
        parameterSpec(`${weight.name}:${suffix}`, weight.shape, of),
      );
      const values = parameters.map(({ name, shape }) => g.input(name, "float32", shape));
      shiftWeight(g, values, { ...own, output: weight.name });
      return [weight.name, parameters] as const;
    }),
  );
  const weights = g.build();
  const { graph } = network;
  return {
    ...network,
    graph: {
      ...graph,
      inputs: [...graph.inputs.filter(({ name }) => !added.has(name)), ...weights.inputs],
      nodes: [...weights.nodes, ...graph.nodes],
      initializers: new Map([...graph.initializers, ...weights.initializers]),
      types: new Map([...graph.types, ...weights.types]),
      annotations: new Map([...graph.annotations, ...weights.annotations]),
      customGradients: [...graph.customGradients, ...weights.customGradients],
    },
    parameters: network.parameters.flatMap((parameter) => added.get(parameter.name) ?? [parameter]),
  };
}

/** The parameters that a convolution or matrix product reads as its second operand and nothing else reads. */
function shiftableWeights({ graph, parameters }: Network): readonly ParameterSpec[] {
  const read = new Set<string>();
  const readOtherwise = new Set<string>();
  for (const { domain, operator, inputs } of graph.nodes) {
    inputs.forEach((name, place) => {
      const isProduct = domain === "" && products.has(operator) && place === 1;
      (isProduct ? read : readOtherwise).add(name);
    });
  }
  return parameters.filter(({ name }) => read.has(name) && !readOtherwise.has(name));
}

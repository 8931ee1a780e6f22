import { differentiate, type GraphBuilder, type Node, type Value } from "@dovetail/graph";
import { type Network, type NodeRewrite, type NoiseInput, rewriteGraph, type ScalarInput } from "@dovetail/models";
import { layersOf } from "../layers/layers.js";
import { quantizeAffine } from "./affine.js";
import { quantizeDorefaGradient } from "./dorefa.js";
import { withInputs } from "./fake-quantize.js";
import { quantizeToOwnScale } from "./power-of-two.js";
import { minMaxOf } from "./ranges.js";

// A layer has three products: forward, error (gradient to its input) and weight gradient. Quantizers in front of the
// layer set the first one's precision; here the gradient that arrives is quantized for each of the other two.

/** Names of the rank-0 inputs that take the bit-widths. */
export const gradientBitInputs = { error: "errorBits", weightGradient: "weightGradientBits" } as const;

/** Rounds a gradient to `bits`, stochastically where there is noise. */
export type GradientQuantizer = (
  g: GraphBuilder,
  gradient: Value,
  options: { readonly bits: Value; readonly noise: Value | undefined },
) => Value;

/**
 * By name: `minMax` is FracTrain's, affine with one range for the tensor; `dorefa` has a symmetric range a sample;
 * `powerOfTwo` is ShiftAddNet's, symmetric with a power of two as the tensor's scale.
 */
export const gradientQuantizers = {
  minMax: (g, gradient, { bits, noise }) => quantizeAffine(g, gradient, { bits, noise, ...minMaxOf(g, gradient) }),
  dorefa: quantizeDorefaGradient,
  powerOfTwo: quantizeToOwnScale,
} as const satisfies Record<string, GradientQuantizer>;

export interface GradientPrecision {
  /** Bits of the gradient in the product with the weight, rank 0; 0, and 17 and more: not quantized. */
  readonly errorBits: Value;
  /** Bits of the gradient in the product with the layer's input, and in the bias's sum. */
  readonly weightGradientBits: Value;
  /** Of the layer's output's shape, uniform in ±½; both products see the same draw. */
  readonly noise?: Value | undefined;
  readonly quantizer: GradientQuantizer;
}

/**
 * Adds a layer, a node of one output whose first input is data and whose other ones are parameters, and has each of its
 * gradient products computed from the arriving gradient at its own precision. The forward result is the node's.
 */
export function withGradientPrecision(
  g: GraphBuilder,
  node: Pick<Node, "operator" | "attributes"> & Partial<Pick<Node, "domain" | "name" | "outputs">>,
  inputs: readonly Value[],
  precision: GradientPrecision,
): Value {
  const { errorBits, weightGradientBits, noise, quantizer } = precision;
  const { operator, attributes, domain, name, outputs } = node;
  const settings = [errorBits, weightGradientBits, ...(noise ? [noise] : [])];
  return g.customGradient(
    [...inputs, ...settings],
    () => [g.op(operator, inputs, attributes, { domain, name, outputs })],
    ([gradient], context) => {
      if (!gradient) return [];
      const layer = context.inputs.slice(0, inputs.length).map((input) => context.g.identity(input));
      const [error, weightGradient, draw] = context.inputs.slice(inputs.length) as readonly Value[];
      const [data, ...parameters] = layer as [Value, ...Value[]];
      // A copy of the node whose gradients are the node's; nothing reads its result.
      const copy = context.g.op(operator, layer, attributes, { domain });
      const products = (withRespectTo: readonly Value[], bits: Value): readonly Value[] => {
        const lossGradient = quantizer(context.g, gradient, { bits, noise: draw });
        return differentiate(context.g, { loss: copy, withRespectTo, lossGradient });
      };
      return [...products([data], error!), ...products(parameters, weightGradient!)];
    },
  )[0]!;
}

export interface QuantizeGradientsOptions {
  /** Bits of the error product where nothing else is fed; 8 by default. */
  readonly errorBits?: number | undefined;
  /** Bits of the weight-gradient product where nothing else is fed; 8 by default. 32 is the original SBM's. */
  readonly weightGradientBits?: number | undefined;
  /** `minMax` by default. */
  readonly quantizer?: keyof typeof gradientQuantizers | undefined;
  /** Rounds stochastically: each layer gets a noise, which training feeds; false by default. */
  readonly stochastic?: boolean | undefined;
}

/**
 * The network with the gradients of its layers' products quantized; what it computes forward stays the same. The
 * bit-widths are scalar inputs, `errorBits` and `weightGradientBits`. To be applied after `fakeQuantize` (which throws
 * otherwise).
 */
export function quantizeGradients(network: Network, options: QuantizeGradientsOptions = {}): Network {
  const { errorBits = 8, weightGradientBits = 8, quantizer = "minMax", stochastic = false } = options;
  const scalars: ScalarInput[] = [
    { name: gradientBitInputs.error, value: errorBits },
    { name: gradientBitInputs.weightGradient, value: weightGradientBits },
  ];
  const layers = new Set(layersOf(network).map(({ node }) => node));
  const noises: NoiseInput[] = [];
  const layer: NodeRewrite = ({ node, inputs, g, keep }) => {
    if (!layers.has(node)) return keep();
    const shape = network.graph.types.get(node.outputs[0]!)!.shape!;
    const input = `${node.name}:noise`;
    if (stochastic) noises.push({ input, shape });
    const output = withGradientPrecision(g, node, inputs as readonly Value[], {
      errorBits: g.value(gradientBitInputs.error),
      weightGradientBits: g.value(gradientBitInputs.weightGradient),
      noise: stochastic ? g.input(input, "float32", shape) : undefined,
      quantizer: gradientQuantizers[quantizer],
    });
    return [output];
  };
  const { graph, find } = rewriteGraph(withInputs(network.graph, scalars), {
    nodes: Object.fromEntries([...layers].map(({ operator }) => [operator, layer])),
  });
  return {
    ...network,
    graph,
    logits: find(network.logits).name,
    scalars: [...network.scalars, ...scalars],
    noises: [...network.noises, ...noises],
  };
}

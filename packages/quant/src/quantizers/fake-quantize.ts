import type { Graph, GraphBuilder, Shape, Value } from "@dovetail/graph";
import { type Network, parameterSpec, rewriteGraph, type ScalarInput } from "@dovetail/models";
import {
  activationScale,
  quantizeActivation,
  roundToScale,
  signedLevels,
  unsignedLevels,
  weightScale,
} from "./arithmetic.js";
import { requireUnquantized } from "./order.js";
import { type ActivationPoint, type QuantizationPoints, quantizationPoints, type WeightPoint } from "./points.js";

export interface FakeQuantizeOptions {
  /** Bits of weights where nothing else is fed; 8 by default. */
  readonly weightBits?: number | undefined;
  /** Bits of activations where nothing else is fed; 8 by default. */
  readonly activationBits?: number | undefined;
  /** Share of a batch's largest magnitude in the new range while training; 0.1 by default. */
  readonly rangeMomentum?: number | undefined;
}

/** Names of the rank-0 inputs that take the bit-widths. */
export const bitInputs = { weights: "weightBits", activations: "activationBits" } as const;

/** Name of the parameter that holds an activation's range. */
export function rangeName(activation: string): string {
  return `${activation}:range`;
}

/**
 * The network with weights and stored activations quantized (`quantizationPoints`), symmetric and uniform, in float32
 * arithmetic: weights with one scale an output channel, from their own largest magnitude; activations with one scale a
 * tensor, from a range that training averages; biases in units of both, as an integer accumulator holds them. Gradients
 * pass straight through, except where an activation is clipped. Weights of add layers have the scale of their layer's
 * input, whose range is widened to hold them; weights annotated as powers of two stay as they are.
 *
 * The bit-widths are scalar inputs, `weightBits` and `activationBits` (at least 2; 25 and more change nothing but
 * rounding errors). The ranges are parameters, `<activation>:range`, to be set by `calibrateRanges`. Throws when the
 * network is quantized already.
 */
export function fakeQuantize(network: Network, options: FakeQuantizeOptions = {}): Network {
  const { weightBits = 8, activationBits = 8, rangeMomentum = 0.1 } = options;
  requireUnquantized(network);
  const points = quantizationPoints(network);
  const ranges = points.activations.map(({ value }) =>
    parameterSpec(rangeName(value), [], { role: "activationRange", initialization: { kind: "constant", value: 1 } }),
  );
  const scalars: ScalarInput[] = [
    { name: bitInputs.weights, value: weightBits },
    { name: bitInputs.activations, value: activationBits },
  ];
  const quantize = quantizersOf(points);
  const { graph, find } = rewriteGraph(withInputs(network.graph, [...ranges, ...scalars]), {
    values: (value, g) => g.scope(`quantize/${value.name}`, () => quantize.get(value.name)?.(g, value) ?? value),
  });
  return {
    ...network,
    graph,
    logits: find(network.logits).name,
    parameters: [...network.parameters, ...ranges],
    scalars: [...network.scalars, ...scalars],
    observedRanges: [
      ...network.observedRanges,
      ...points.activations.map(({ value }) => ({
        range: rangeName(value),
        observed: value,
        statistic: "magnitude" as const,
        momentum: rangeMomentum,
      })),
    ],
  };
}

/** What quantizes each value, by name. */
function quantizersOf(points: QuantizationPoints): Map<string, (g: GraphBuilder, value: Value) => Value> {
  const biasOf = new Map(points.biases.map((bias) => [bias.weight.value, bias]));
  const gridOf = (g: GraphBuilder, { value, signed }: ActivationPoint) => {
    const bits = g.value(bitInputs.activations);
    const levels = (signed ? signedLevels : unsignedLevels)(g, bits);
    const range = points.distances
      .filter(({ input }) => input.value === value)
      .reduce(
        (widest, distance) => {
          const weightStep = weightScale(g, g.value(distance.value), { bits: g.value(bitInputs.weights) });
          return g.max(widest, g.mul(g.reshape(weightStep, []), levels));
        },
        g.value(rangeName(value)),
      );
    return { bits, range, signed };
  };
  const inputScale = (g: GraphBuilder, point: ActivationPoint): Value => activationScale(g, gridOf(g, point));
  const scaleOf = (g: GraphBuilder, { value, axis }: WeightPoint): Value => {
    const bias = biasOf.get(value);
    return weightScale(g, g.value(value), {
      bits: g.value(bitInputs.weights),
      axis,
      bias: bias && { value: g.value(bias.value), inputRange: g.value(rangeName(bias.input.value)) },
    });
  };
  return new Map([
    ...points.weights.map(
      (weight) =>
        [weight.value, (g: GraphBuilder, value: Value) => roundToScale(g, value, scaleOf(g, weight))] as const,
    ),
    ...points.biases.map(
      ({ value, weight, input }) =>
        [
          value,
          (g: GraphBuilder, bias: Value) =>
            roundToScale(g, bias, g.mul(g.reshape(scaleOf(g, weight), [-1]), inputScale(g, input))),
        ] as const,
    ),
    ...points.distances.map(
      ({ value, input }) =>
        [value, (g: GraphBuilder, weight: Value) => roundToScale(g, weight, inputScale(g, input))] as const,
    ),
    ...points.activations.map(
      (point) =>
        [
          point.value,
          (g: GraphBuilder, activation: Value) => quantizeActivation(g, activation, gridOf(g, point)),
        ] as const,
    ),
  ]);
}

/** The graph with these further float32 inputs, of rank 0 where no shape is given. */
export function withInputs(
  graph: Graph,
  added: readonly { readonly name: string; readonly shape?: Shape | undefined }[],
): Graph {
  const inputs = added.map(({ name, shape = [] }) => ({ name, type: { elementType: "float32", shape } }) as const);
  return { ...graph, inputs: [...graph.inputs, ...inputs] };
}

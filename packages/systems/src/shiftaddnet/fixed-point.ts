// ShiftAddNet in fixed point: add layers in 8 bit, shift layers in 16, in training as in inference.

import { dovetailDomain, type GraphBuilder, type Node, type Value } from "@dovetail/graph";
import {
  type Network,
  type NodeRewrite,
  type NoiseInput,
  type ObservedRange,
  type ParameterSpec,
  parameterSpec,
  rewriteGraph,
  type ScalarInput,
} from "@dovetail/models";
import {
  gradientQuantizers,
  layersOf,
  magnitudeOf,
  powerOfTwoScale,
  quantizeFixedPoint,
  quantizeLayers,
  quantizeToOwnScale,
  withGradientPrecision,
} from "@dovetail/quant";
import { isAddLayer } from "./networks.js";

export interface FixedPointBits {
  /** Of add layers: weights, inputs, errors (the gradients that arrive) and weight gradients; 8 by default. */
  readonly add?: number | undefined;
  /** Of shift layers: inputs and errors; 16 by default. Their weights are powers of two as they are. */
  readonly shift?: number | undefined;
  /** Of convolutions and matrix products: all four; 8 by default. */
  readonly multiply?: number | undefined;
}

/** Share of a batch's largest magnitude in an input's running one. */
const rangeMomentum = 0.1;

/** Names of the scalar inputs that take the bit-widths. */
export const fixedPointInputs = { add: "add.bits", shift: "shift.bits" } as const;

/**
 * The network as it computes in fixed point, forward and backward. Add layers: input and weight share one power of two as
 * their scale, or they could not be subtracted without being aligned; errors and weight gradients have one a tensor each,
 * and the weight gradient is rounded stochastically, before its layer's adaptive rate. Nothing exceeds its bits: the published
 * code neither scales nor clips inputs and weights, and drops the scale of the weight gradient. Shift layers: inputs and
 * errors with a scale a tensor. Other layers: SBM's affine quantizers (`quantizeLayers`), of all four operands; none is
 * left in full precision. Normalizations are in float32.
 *
 * An input's scale is that of the batch in training, and of a running magnitude in inference.
 */
export function fixedPointNetwork(
  network: Network,
  { add = 8, shift = 16, multiply = 8 }: FixedPointBits = {},
): Network {
  const isShift = (weight: string): boolean => network.graph.annotations.get(weight)?.powerOfTwo ?? false;
  const products = quantizeLayers(network, {
    fullPrecision: ({ weight }) => isShift(weight),
    weightBits: multiply,
    activationBits: multiply,
    errorBits: multiply,
    weightGradientBits: multiply,
  });
  const shiftNodes = new Set(layersOf(products).flatMap(({ node, weight }) => (isShift(weight) ? [node] : [])));
  const scalars: ScalarInput[] = [
    ...(products.graph.nodes.some(isAddLayer) ? [{ name: fixedPointInputs.add, value: add }] : []),
    ...(shiftNodes.size > 0 ? [{ name: fixedPointInputs.shift, value: shift }] : []),
  ];
  const inputs = scalars.map(({ name }) => ({ name, type: { elementType: "float32", shape: [] } }) as const);
  const added: Added = { ranges: [], observedRanges: [], noises: [], magnitudes: new Map() };
  const shiftRule = shiftLayerRule(shiftNodes, added);
  const { graph, find } = rewriteGraph(
    { ...products.graph, inputs: [...products.graph.inputs, ...inputs] },
    {
      nodes: {
        ...Object.fromEntries([...shiftNodes].map(({ operator }) => [operator, shiftRule])),
        [`${dovetailDomain}.AdderConv`]: addLayerRule(added),
      },
    },
  );
  return {
    ...products,
    graph,
    logits: find(products.logits).name,
    parameters: [...products.parameters, ...added.ranges],
    scalars: [...products.scalars, ...scalars],
    observedRanges: [...products.observedRanges, ...added.observedRanges],
    noises: [...products.noises, ...added.noises],
  };
}

/** What quantizers add to a network. */
interface Added {
  readonly ranges: ParameterSpec[];
  readonly observedRanges: ObservedRange[];
  readonly noises: NoiseInput[];
  /** Running magnitudes by the value that they are of. */
  readonly magnitudes: Map<string, Value>;
}

const errorPrecision = (bits: Value) =>
  ({ errorBits: bits, weightGradientBits: bits, quantizer: gradientQuantizers.powerOfTwo }) as const;

function shiftLayerRule(shiftNodes: ReadonlySet<Node>, added: Added): NodeRewrite {
  return ({ node, inputs, g, keep }) => {
    if (!shiftNodes.has(node)) return keep();
    const [x, ...others] = inputs as readonly [Value, ...Value[]];
    const bits = g.value(fixedPointInputs.shift);
    const scale = powerOfTwoScale(g, inputMagnitude(g, x, added));
    const data = g.straightThrough(x, (value) => quantizeFixedPoint(g, value, { bits, scale }));
    return [withGradientPrecision(g, node, [data, ...others], errorPrecision(bits))];
  };
}

function addLayerRule(added: Added): NodeRewrite {
  return ({ node, inputs, g }) => {
    const [x, weight] = inputs as readonly [Value, Value];
    const bits = g.value(fixedPointInputs.add);
    const scale = powerOfTwoScale(g, g.max(inputMagnitude(g, x, added), magnitudeOf(g, weight)));
    const rounded = (of: Value): Value =>
      g.straightThrough(of, (value) => quantizeFixedPoint(g, value, { bits, scale }));
    const noise = g.input(`${weight.name}:noise`, "float32", weight.type.shape!);
    added.noises.push({ input: noise.name, shape: noise.type.shape! });
    const operands = [rounded(x), roundedGradient(g, rounded(weight), bits, noise)];
    return [withGradientPrecision(g, node, operands, errorPrecision(bits))];
  };
}

/** The running magnitude of a layer's input, which training replaces by the batch's. */
function inputMagnitude(g: GraphBuilder, x: Value, { ranges, observedRanges, magnitudes }: Added): Value {
  const known = magnitudes.get(x.name);
  if (known) return known;
  const initialization = { kind: "constant", value: 1 } as const;
  const spec = parameterSpec(`${x.name}:magnitude`, [], { role: "activationRange", initialization });
  const read = g.op("Identity", [g.input(spec.name, "float32", [])], {}, { outputs: [`${spec.name}:read`] });
  ranges.push(spec);
  observedRanges.push({
    range: read.name,
    observed: x.name,
    statistic: "magnitude",
    momentum: rangeMomentum,
    batchInTraining: true,
  });
  magnitudes.set(x.name, read);
  return read;
}

/** The value, whose gradient is rounded stochastically. */
function roundedGradient(g: GraphBuilder, value: Value, bits: Value, noise: Value): Value {
  return g.customGradient(
    [value, bits, noise],
    ([inner]) => [g.identity(inner!)],
    ([gradient], { g: b, inputs: [, held, draw] }) => [
      gradient && quantizeToOwnScale(b, gradient, { bits: held!, noise: draw }),
    ],
  )[0]!;
}

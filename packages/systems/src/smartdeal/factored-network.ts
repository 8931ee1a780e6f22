// The rewrite: every layer's weight becomes coefficients times bases, rebuilt inside the training graph at every step.

import { inputError } from "@dovetail/core";
import {
  type GraphBuilder,
  type LayerWeightShape,
  type StructuredForm,
  structuredFormOf,
  type Value,
} from "@dovetail/graph";
import { type Network, type ParameterSpec, parameterSpec } from "@dovetail/models";
import { layersOf, minMaxOf, quantizeAffine } from "@dovetail/quant";
import { rebuildFilters } from "../structured/rebuild.js";
import { replaceWeights } from "../structured/replace-weights.js";
import { type CodeRange, decode, defaultCodeRange, encode, magnitudeCount } from "./codes.js";

/** How coefficients are kept between steps. */
export type CoefficientForm =
  /** As int8 tensors of four-bit codes. */
  | "codes"
  /** As float32 that every forward pass rounds, beside a mask: what the codes are compared with. */
  | "latent";

export interface FactorOptions {
  readonly form: CoefficientForm;
  readonly range?: CodeRange | undefined;
  /**
   * Bits that rebuilt weights are rounded to, between the ends of each output channel with zero exact, so that rows that
   * are zero stay so; the classifier's are left (as `quantizeLayers` does). Not rounded by default.
   */
  readonly weightBits?: number | undefined;
}

/** A layer whose weight is rebuilt. Names are those of parameters. */
export interface FactoredLayer {
  /** The weight that is no more. */
  readonly weight: string;
  readonly weightShape: readonly number[];
  readonly form: StructuredForm;
  /** [pieces, rows, columns]. */
  readonly coefficients: string;
  /** [pieces, columns, columns], float32, 8 bits a value wherever a weight is rebuilt. */
  readonly basis: string;
  /** int8, of latent coefficients only. */
  readonly mask: string | undefined;
}

export interface FactoredNetwork {
  readonly network: Network;
  readonly form: CoefficientForm;
  readonly range: CodeRange;
  readonly layers: readonly FactoredLayer[];
}

/**
 * The network with parameters `WEIGHT:coefficients` and `WEIGHT:basis` in the place of every layer's weight (SmartDeal:
 * SmartExchange's form kept during training). The rebuilt weight is the product of the coefficients, each zero or a
 * signed power of two, and the bases rounded to 8 bits with a power of two each. Roundings pass gradients straight through.
 * Throws when no layer has a weight that is a parameter, or when the network has been rewritten already.
 */
export function factorLayers(network: Network, options: FactorOptions): FactoredNetwork {
  const { form, range = defaultCodeRange, weightBits } = options;
  const classifiers = new Set(
    layersOf(network)
      .filter(({ role }) => role === "classifier")
      .map(({ weight }) => weight),
  );
  const layers = plan(network, form);
  const byWeight = new Map(layers.map((layer) => [layer.weight, layer]));
  return {
    form,
    range,
    layers,
    network: replaceWeights(network, {
      weights: new Set(byWeight.keys()),
      added: layers.flatMap((layer) => parametersOf(layer, form)),
      rebuild: (g, weight) => {
        const layer = byWeight.get(weight)!;
        const coefficients = readCoefficients(g, layer, form, range);
        return g.scope(`rebuild/${weight}`, () => {
          const rebuilt = rebuild(g, layer, coefficients);
          return weightBits === undefined || classifiers.has(weight) ? rebuilt : rounded(g, rebuilt, weightBits);
        });
      },
    }),
  };
}

function plan(network: Network, form: CoefficientForm): readonly FactoredLayer[] {
  const shapes = new Map(network.parameters.map(({ name, shape }) => [name, shape]));
  const weights = [...new Set(layersOf(network).map(({ weight }) => weight))].filter((name) => shapes.has(name));
  if (weights.length === 0) {
    throw inputError("no_layers", `network "${network.name}" has no layer whose weight can be factored`, {
      hint: "it may be factored already",
    });
  }
  return weights.map((weight) => ({
    weight,
    weightShape: shapes.get(weight)!,
    form: structuredFormOf(layerShape(shapes.get(weight)!)),
    coefficients: `${weight}:coefficients`,
    basis: `${weight}:basis`,
    mask: form === "latent" ? `${weight}:mask` : undefined,
  }));
}

function parametersOf(layer: FactoredLayer, form: CoefficientForm): ParameterSpec[] {
  const { columns, rowsPerPiece, piecesPerFilter } = layer.form;
  const pieces = layer.weightShape[0]! * piecesPerFilter;
  const shape = [pieces, rowsPerPiece, columns];
  const zero = { kind: "constant", value: 0 } as const;
  const coefficients = parameterSpec(layer.coefficients, shape, { role: "coefficient", initialization: zero });
  const basis = parameterSpec(layer.basis, [pieces, columns, columns], { role: "basis", initialization: zero });
  if (form === "codes") {
    return [{ ...coefficients, elementType: "int8", trainedBy: valueName(layer) }, basis];
  }
  const mask = parameterSpec(layer.mask!, shape, { role: "mask", initialization: zero, trainable: false });
  return [coefficients, basis, { ...mask, elementType: "int8" }];
}

/** Name of the decoded coefficients, which the gradient of codes belongs to. */
const valueName = ({ coefficients }: FactoredLayer): string => `${coefficients}:value`;

/** Zero and signed powers of two, float32. */
function readCoefficients(g: GraphBuilder, layer: FactoredLayer, form: CoefficientForm, range: CodeRange): Value {
  const coefficients = g.value(layer.coefficients);
  if (form === "codes") return decode(g, coefficients, range, valueName(layer));
  return g.mul(roundToPowers(g, coefficients, range), g.cast(g.value(layer.mask!), "float32"));
}

/** The layer's weight, of its own shape. */
function rebuild(g: GraphBuilder, { weightShape, form, basis }: FactoredLayer, coefficients: Value): Value {
  const filters = rebuildFilters(g, form, weightShape[0]!, { coefficients, basis: g.value(basis) });
  return g.reshape(filters, weightShape);
}

/** Of `bits` bits between the ends of each output channel; the gradient passes straight through. */
function rounded(g: GraphBuilder, weight: Value, bits: number): Value {
  return quantizeAffine(g, weight, { bits: g.scalar(bits), ...minMaxOf(g, weight, { axis: 0 }), exactZero: true });
}

/** The nearest signed powers of two, or zero; the gradient passes straight through. */
function roundToPowers(g: GraphBuilder, values: Value, range: CodeRange): Value {
  return g.straightThrough(values, (v) => {
    const codes = g.cast(encode(g, v, range), "int8");
    return decode(g, codes, range);
  });
}

/** Sizes of a weight [outputs, inputs] or [outputs, inputs, height, width]. */
export function layerShape([
  outputChannels,
  inputChannels,
  kernelHeight = 1,
  kernelWidth = 1,
]: readonly number[]): LayerWeightShape {
  return { outputChannels: outputChannels!, inputChannels: inputChannels!, kernelHeight, kernelWidth };
}

/** Largest magnitude of a coefficient. */
export function largestMagnitude({ minimumExponent }: CodeRange): number {
  return 2 ** (minimumExponent + magnitudeCount - 1);
}

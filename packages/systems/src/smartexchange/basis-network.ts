// A network in SmartExchange's form whose bases are trained: coefficients are parameters that stay, weights are
// rebuilt in every step.

import {
  basisValues,
  coefficientValues,
  type PackedTensor,
  packedTensors,
  type StructuredTensor,
  unpackTensor,
  type WeightLayer,
} from "@dovetail/compress";
import { type GraphBuilder, type Tensor, tensor, tensorNumbers, type Value } from "@dovetail/graph";
import { type Network, parameterSpec } from "@dovetail/models";
import { fromPieces, inPieces, integerBases, rebuildFilters } from "../structured/rebuild.js";
import { replaceWeights } from "../structured/replace-weights.js";
import type { ProjectedWeights } from "./projection.js";

/** A network that trains the bases of its layers, and all that is in no layer. */
export interface BasisNetwork {
  readonly network: Network;
  /** First values of its parameters, from weights in SmartExchange's form. */
  start(from: ProjectedWeights): Map<string, Tensor>;
  /** The weights that its parameters stand for, exactly: bases are rounded as they are stored. */
  projected(parameters: ReadonlyMap<string, Tensor>): ProjectedWeights;
}

/** Whether tensors of a checkpoint are those of a network that trains its bases. */
export function holdsBases(tensors: ReadonlyMap<string, Tensor>, layers: readonly WeightLayer[]): boolean {
  return layers.some(({ name }) => tensors.has(basisName(name)));
}

/** The network with bases in the place of its layers' weights. Sizes and exponents are those of `form`. */
export function basisNetwork(
  network: Network,
  layers: readonly WeightLayer[],
  form: ReadonlyMap<string, PackedTensor>,
): BasisNetwork {
  const byName = new Map(layers.map(({ name }) => [name, form.get(name) as StructuredTensor]));
  const added = [...byName].flatMap(([name, { layer }]) => {
    const zero = { kind: "constant", value: 0 } as const;
    const [coefficients, basis] = sizesOf(layer);
    return [
      parameterSpec(coefficientsName(name), coefficients, {
        role: "coefficient",
        initialization: zero,
        trainable: false,
      }),
      parameterSpec(basisName(name), basis, { role: "basis", initialization: zero }),
    ];
  });
  return {
    network: replaceWeights(network, {
      weights: new Set(byName.keys()),
      added,
      rebuild: (g, weight) => g.scope(`rebuild/${weight}`, () => rebuild(g, weight, byName.get(weight)!)),
    }),
    start: ({ weights, tensors }) =>
      new Map([
        ...[...weights].filter(([name]) => !byName.has(name)),
        ...[...byName.keys()].flatMap((name) => firstValues(name, tensors.get(name) as StructuredTensor)),
      ]),
    projected: (parameters) => {
      const structured = new Map([...byName].map(([name, packed]) => [name, storedForm(name, packed, parameters)]));
      const weights = new Map(
        network.parameters.map(({ name }) => {
          const packed = structured.get(name);
          return [name, packed ? unpackTensor(packed) : parameters.get(name)!];
        }),
      );
      return { weights, tensors: packedTensors(weights, structured) };
    },
  };
}

const coefficientsName = (weight: string): string => `${weight}:coefficients`;
const basisName = (weight: string): string => `${weight}:basis`;

type Sizes = readonly [pieces: number, rows: number, columns: number];

/** Of the coefficients and of the bases. */
function sizesOf({ shape, form }: StructuredTensor["layer"]): readonly [coefficients: Sizes, basis: Sizes] {
  const pieces = shape.outputChannels * form.piecesPerFilter;
  return [
    [pieces, form.rowsPerPiece, form.columns],
    [pieces, form.columns, form.columns],
  ];
}

function rebuild(g: GraphBuilder, name: string, { layer, dimensions, isTransposed }: StructuredTensor): Value {
  const factors = { coefficients: g.value(coefficientsName(name)), basis: g.value(basisName(name)) };
  const filters = rebuildFilters(g, layer.form, layer.shape.outputChannels, factors);
  return isTransposed ? g.transpose(filters, [1, 0]) : g.reshape(filters, dimensions);
}

function firstValues(name: string, { layer }: StructuredTensor): [string, Tensor][] {
  const [coefficients, basis] = sizesOf(layer);
  const values = inPieces(coefficientValues(layer), layer.shape.outputChannels, layer.form);
  return [
    [coefficientsName(name), tensor("float32", coefficients, values)],
    [basisName(name), tensor("float32", basis, basisValues(layer))],
  ];
}

function storedForm(name: string, packed: StructuredTensor, parameters: ReadonlyMap<string, Tensor>): StructuredTensor {
  const { layer } = packed;
  const { shape, form } = layer;
  const values = fromPieces(tensorNumbers(parameters.get(coefficientsName(name))!), shape.outputChannels, form);
  // Zero is taken as 1 in the logarithm; its sign makes the code 0.
  const codes = Int8Array.from(values, (value) => Math.sign(value) * (1 - Math.log2(Math.abs(value) || 1)));
  return {
    ...packed,
    layer: { ...layer, codes, ...integerBases(tensorNumbers(parameters.get(basisName(name))!), form) },
  };
}

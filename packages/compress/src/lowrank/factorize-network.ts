// A layer as two thinner ones: the low-rank form that SmartExchange is held against.

import { attributeOf, type Node, type Tensor, tensor, type Value } from "@dovetail/graph";
import { type Network, type NodeRewrite, type ParameterSpec, rewriteGraph } from "@dovetail/models";
import { filterSize, filtersOf, type WeightLayer, weightLayersOf } from "../layers/weight-layers.js";
import { type SingularValues, singularValues } from "./truncated-svd.js";

/**
 * `channel`: a convolution as it is, with `rank` output channels, and a 1×1 convolution (Zhang et al. 2016). `spatial`: a
 * k×1 convolution and a 1×k one (Jaderberg et al. 2014). Matrices, and kernels of one value, are the same in both.
 */
export type Factorization = "channel" | "spatial";

export interface FactorizedNetwork {
  readonly network: Network;
  readonly weights: Map<string, Tensor>;
}

/** A layer that may be factorized, with what its factors cost. */
export interface FactorizableLayer {
  readonly layer: WeightLayer;
  readonly form: Factorization;
  readonly values: SingularValues;
  /** Weights of both factors for each rank. */
  readonly weightsPerRank: number;
  /** Output channels of both factors: a rank, and the layer's. */
  readonly outputChannels: number;
}

/** The layers of a network that can be factorized, with their singular values; grouped convolutions cannot. */
export function factorizableLayers(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  preferred: Factorization,
): readonly FactorizableLayer[] {
  return weightLayersOf(network.graph, weights).flatMap((layer): FactorizableLayer[] => {
    const nodes = network.graph.nodes.filter(({ inputs }) => inputs[1] === layer.name);
    if (nodes.some((node) => attributeOf(node, "group", "int", 1) !== 1)) return [];
    const form =
      preferred === "spatial" && nodes.every(isSeparable) && weights.get(layer.name)!.dimensions.length === 4
        ? "spatial"
        : "channel";
    const filters = filtersOf(layer, weights.get(layer.name)!);
    const { outputChannels, inputChannels, kernelHeight, kernelWidth } = layer.shape;
    if (form === "channel") {
      const size = filterSize(layer.shape);
      return [
        {
          layer,
          form,
          values: singularValues(filters, outputChannels, size),
          weightsPerRank: outputChannels + size,
          outputChannels,
        },
      ];
    }
    const rows = inputChannels * kernelHeight;
    const columns = outputChannels * kernelWidth;
    const matrix = new Float32Array(filters.length);
    for (let index = 0; index < filters.length; index++) {
      const output = Math.floor(index / (rows * kernelWidth));
      const row = Math.floor(index / kernelWidth) % rows;
      matrix[row * columns + output * kernelWidth + (index % kernelWidth)] = filters[index]!;
    }
    return [
      { layer, form, values: singularValues(matrix, rows, columns), weightsPerRank: rows + columns, outputChannels },
    ];
  });
}

/** The smallest rank that keeps a part of a layer's sum of squares, at least 1. */
export function rankFor({ values: { squares } }: FactorizableLayer, keptEnergy: number): number {
  const total = squares.reduce((sum, square) => sum + square, 0);
  let sum = 0;
  const last = squares.findIndex((square) => {
    sum += square;
    return sum >= keptEnergy * total;
  });
  return Math.max(1, last < 0 ? squares.length : last + 1);
}

/** The network with layers as two factors of these ranks; a layer without a rank stays as it is. */
export function factorizeNetwork(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  layers: readonly FactorizableLayer[],
  ranks: ReadonlyMap<string, number>,
): FactorizedNetwork {
  const chosen = new Map(layers.filter(({ layer }) => ranks.has(layer.name)).map((entry) => [entry.layer.name, entry]));
  const factors = new Map<string, Tensor>();
  for (const [name, entry] of chosen) {
    const [first, second] = factorTensors(entry, ranks.get(name)!, weights.get(name)!.dimensions);
    factors.set(`${name}.first`, first);
    factors.set(`${name}.second`, second);
  }
  const split: NodeRewrite = ({ node, inputs, g, keep }) => {
    const entry = chosen.get(node.inputs[1] ?? "");
    if (!entry) return keep();
    const [x, , ...bias] = inputs as readonly [Value, Value, ...Value[]];
    const [first, second] = ["first", "second"].map((part) => g.value(`${entry.layer.name}.${part}`)) as [Value, Value];
    const [before, after] = attributesOf(node, entry.form);
    const inner = g.node(node.operator, [x, first], before, { name: `${node.name}/first` })[0]!;
    return g.node(node.operator, [inner, second, ...bias], after, { name: node.name, outputs: node.outputs });
  };
  const inputs = [...factors].map(
    ([name, { dimensions }]) => ({ name, type: { elementType: "float32", shape: dimensions } }) as const,
  );
  const { graph: rewritten, find } = rewriteGraph(
    { ...network.graph, inputs: [...network.graph.inputs, ...inputs] },
    { nodes: { Conv: split, Gemm: split, MatMul: split } },
  );
  const graph = { ...rewritten, inputs: rewritten.inputs.filter(({ name }) => !chosen.has(name)) };
  const parameters = network.parameters.flatMap((parameter): ParameterSpec[] => {
    if (!chosen.has(parameter.name)) return [parameter];
    return ["first", "second"].map((part) => {
      const name = `${parameter.name}.${part}`;
      return { ...parameter, name, shape: factors.get(name)!.dimensions };
    });
  });
  const kept = [...weights].filter(([name]) => !chosen.has(name));
  return {
    network: { ...network, graph, logits: find(network.logits).name, parameters },
    weights: new Map([...kept, ...factors]),
  };
}

function factorTensors(
  { layer, form, values }: FactorizableLayer,
  rank: number,
  dimensions: readonly number[],
): [Tensor, Tensor] {
  const { left, right } = values.factors(rank);
  const { outputChannels, inputChannels, kernelHeight, kernelWidth } = layer.shape;
  if (form === "spatial") {
    // left [inputs · height, rank], right [rank, outputs · width].
    const rows = inputChannels * kernelHeight;
    const first = Float32Array.from(
      { length: rank * rows },
      (_, index) => left[(index % rows) * rank + Math.floor(index / rows)]!,
    );
    const second = Float32Array.from({ length: outputChannels * rank * kernelWidth }, (_, index) => {
      const output = Math.floor(index / (rank * kernelWidth));
      const inner = Math.floor(index / kernelWidth) % rank;
      return right[inner * outputChannels * kernelWidth + output * kernelWidth + (index % kernelWidth)]!;
    });
    return [
      tensor("float32", [rank, inputChannels, kernelHeight, 1], first),
      tensor("float32", [outputChannels, rank, 1, kernelWidth], second),
    ];
  }
  if (layer.operator !== "Conv") {
    if (!layer.isTransposed)
      return [
        tensor("float32", [rank, filterSize(layer.shape)], right),
        tensor("float32", [outputChannels, rank], left),
      ];
    const size = filterSize(layer.shape);
    const first = Float32Array.from(
      { length: right.length },
      (_, index) => right[(index % rank) * size + Math.floor(index / rank)]!,
    );
    const second = Float32Array.from(
      { length: left.length },
      (_, index) => left[(index % outputChannels) * rank + Math.floor(index / outputChannels)]!,
    );
    return [tensor("float32", [size, rank], first), tensor("float32", [rank, outputChannels], second)];
  }
  const ones = dimensions.slice(2).map(() => 1);
  return [
    tensor("float32", [rank, ...dimensions.slice(1)], right),
    tensor("float32", [outputChannels, rank, ...ones], left),
  ];
}

/** Whether height and width of a convolution can be taken apart: its padding is written out. */
function isSeparable(node: Node): boolean {
  return node.operator === "Conv" && attributeOf(node, "auto_pad", "string", "NOTSET") === "NOTSET";
}

type Attributes = Node["attributes"];

function attributesOf(node: Node, form: Factorization): [Attributes, Attributes] {
  const { attributes, operator } = node;
  if (operator === "MatMul") return [{}, {}];
  if (operator === "Gemm") {
    const transB = attributes.transB;
    const { alpha, transA } = attributes;
    return [
      { ...(transB && { transB }), ...(alpha && { alpha }), ...(transA && { transA }) },
      { ...(transB && { transB }), ...(attributes.beta && { beta: attributes.beta }) },
    ];
  }
  const rank = (attributes.kernel_shape?.value as readonly number[] | undefined)?.length;
  if (form === "channel") {
    return [attributes, rank === undefined ? {} : { kernel_shape: ints(new Array(rank).fill(1)) }];
  }
  const list = (name: string, fallback: readonly number[]): readonly number[] =>
    (attributes[name]?.value as readonly number[] | undefined) ?? fallback;
  const [strideHeight, strideWidth] = list("strides", [1, 1]) as [number, number];
  const [dilationHeight, dilationWidth] = list("dilations", [1, 1]) as [number, number];
  const [top, left, bottom, right] = list("pads", [0, 0, 0, 0]) as [number, number, number, number];
  return [
    { strides: ints([strideHeight, 1]), dilations: ints([dilationHeight, 1]), pads: ints([top, 0, bottom, 0]) },
    { strides: ints([1, strideWidth]), dilations: ints([1, dilationWidth]), pads: ints([0, left, 0, right]) },
  ];
}

const ints = (value: readonly number[]) => ({ kind: "ints", value }) as const;

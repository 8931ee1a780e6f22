import { attributeOf, type Graph, type LayerWeightShape, type Node, type Tensor, tensorData } from "@dovetail/graph";

/** A weight tensor of a network that can be compressed: of a convolution or of a product with a matrix. */
export interface WeightLayer {
  /** Name of the weight tensor. */
  readonly name: string;
  readonly operator: "Conv" | "Gemm" | "MatMul";
  readonly shape: LayerWeightShape;
  /** The tensor is [inputs, outputs]: its filters are columns. */
  readonly isTransposed: boolean;
}

/**
 * The weights of a graph that can be compressed, in the order of the nodes: second operands, among `weights`, of every
 * convolution (depth-wise ones too; kernels with one or three sizes count as flat ones) and of every Gemm and MatMul with
 * a matrix. A weight that several nodes share is one layer.
 */
export function weightLayersOf(graph: Graph, weights: ReadonlyMap<string, Tensor>): readonly WeightLayer[] {
  const layers = new Map<string, WeightLayer>();
  for (const node of graph.nodes) {
    const name = node.inputs[1];
    const tensor = name === undefined ? undefined : weights.get(name);
    if (tensor?.elementType !== "float32" || layers.has(name!)) continue;
    const layer = layerOf(node, name!, tensor.dimensions);
    if (layer) layers.set(name!, layer);
  }
  return [...layers.values()];
}

function layerOf(node: Node, name: string, dimensions: readonly number[]): WeightLayer | undefined {
  const { domain, operator } = node;
  if (domain !== "" || dimensions.includes(0)) return undefined;
  if (operator === "Conv") return { name, operator, shape: weightShapeOf(dimensions, false), isTransposed: false };
  if ((operator !== "Gemm" && operator !== "MatMul") || dimensions.length !== 2) return undefined;
  const isTransposed = operator === "MatMul" || attributeOf(node, "transB", "int", 0) === 0;
  return { name, operator, shape: weightShapeOf(dimensions, isTransposed), isTransposed };
}

/** Sizes of a weight tensor [outputs, inputs, …kernel], or [inputs, outputs] where it is transposed. */
export function weightShapeOf(dimensions: readonly number[], isTransposed: boolean): LayerWeightShape {
  const [outputChannels, inputChannels, ...kernel] = (isTransposed ? dimensions.toReversed() : dimensions) as [
    number,
    number,
    ...number[],
  ];
  const kernelHeight = kernel.slice(0, -1).reduce((product, size) => product * size, 1);
  return { outputChannels, inputChannels, kernelHeight, kernelWidth: kernel.at(-1) ?? 1 };
}

/** Weights of one output channel. */
export function filterSize({ inputChannels, kernelHeight, kernelWidth }: LayerWeightShape): number {
  return inputChannels * kernelHeight * kernelWidth;
}

/** The layer's weights filter by filter: [outputChannels, weights of a filter]. Shares the tensor's memory if it can. */
export function filtersOf({ name, shape, isTransposed }: WeightLayer, tensor: Tensor): Float32Array {
  const data = tensorData(tensor, name) as Float32Array;
  return isTransposed ? transposed(data, filterSize(shape), shape.outputChannels) : data;
}

/** The data of the weight tensor with these filters; shares their memory if it can. */
export function dataOfFilters(filters: Float32Array, shape: LayerWeightShape, isTransposed: boolean): Float32Array {
  return isTransposed ? transposed(filters, shape.outputChannels, filterSize(shape)) : filters;
}

function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column]!;
  }
  return result;
}

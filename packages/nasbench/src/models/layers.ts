import { attributeOf, type Graph } from "@dovetail/graph";
import { convolutionProblem, extractWorkloads, type LayerBitWidths, type Problem } from "@dovetail/hardware";
import { type CellOperator, cellCodeOf, cellEdges, cellOperators } from "../spaces/cell.js";
import { type CellDataset, cellNetwork } from "../spaces/cell-network.js";
import { type FbnetDataset, fbnetOperators, fbnetPositionCount, fbnetSkeleton } from "../spaces/fbnet.js";
import { fbnetNetwork } from "../spaces/fbnet-network.js";

/**
 * What a pooling is charged as. `free`: nothing, it multiplies nothing. `moved`: a 1×1 depth-wise convolution on its input,
 * which moves each word once. `depthwise`: a depth-wise convolution of its kernel. `convolution`: a dense one of its
 * kernel, as HW-NAS-Bench's Eyeriss tables charge it.
 */
export const poolingCharges = ["free", "moved", "depthwise", "convolution"] as const;

export type PoolingCharge = (typeof poolingCharges)[number];

export interface LayerOptions {
  readonly pooling: PoolingCharge;
  /** Bits of weights, inputs and outputs. Default 8. */
  readonly bits?: number | undefined;
}

/** Loop nests of a part of a network, for one image. */
export type PartLayers = readonly Problem[];

/** The layers of NAS-Bench-201's networks: those of every network, and those that an operator on one edge adds. */
export interface CellLayers {
  readonly fixed: PartLayers;
  readonly operators: Readonly<Record<CellOperator, PartLayers>>;
}

/** By what decides the cost: an operator costs the same on every edge. */
export function cellLayers(dataset: CellDataset, options: LayerOptions): CellLayers {
  const fixed = problemsOf(cellNetwork(0, dataset).graph, options);
  const operators = {} as Record<CellOperator, PartLayers>;
  for (const [digit, operator] of cellOperators.entries()) {
    // The edge from the cell's input to its output, beside nothing else.
    const digits = cellEdges.map(([from, to]) => (from === 0 && to === 3 ? digit : 0));
    const graph = cellNetwork(cellCodeOf(digits), dataset).graph;
    operators[operator] = problemsOf(graph, options).filter(({ name }) => name.includes("edge03"));
  }
  return { fixed: fixed.filter(({ name }) => !name.includes("edge")), operators };
}

/** The layers of FBNet's networks. */
export interface FbnetLayers {
  readonly stem: PartLayers;
  /** [position][operator]. */
  readonly positions: readonly (readonly PartLayers[])[];
  readonly header: PartLayers;
  readonly pool: PartLayers;
  readonly classifier: PartLayers;
}

/** By the parts that the authors' tables have an entry for. */
export function fbnetLayers(dataset: FbnetDataset, options: LayerOptions): FbnetLayers {
  const networks = fbnetOperators.map((_, operator) => {
    const graph = fbnetNetwork(new Array<number>(fbnetPositionCount).fill(operator), dataset).graph;
    return problemsOf(graph, options);
  });
  const part = (problems: readonly Problem[], name: string): PartLayers =>
    problems.filter((problem) => problem.name.startsWith(`${name}/`));
  const [any] = networks;
  const { pool } = fbnetSkeleton(dataset);
  return {
    stem: part(any!, "stem"),
    positions: Array.from({ length: fbnetPositionCount }, (_, position) =>
      networks.map((problems) => part(problems, `block${position + 1}`)),
    ),
    header: part(any!, "header"),
    pool: poolingProblems("pool", pool.outputChannels, pool.inputSize, pool.inputSize, pool.inputSize, options),
    classifier: part(any!, "classifier"),
  };
}

/** Convolutions, matrix products, and poolings as they are charged; the names are those of the nodes. */
function problemsOf(graph: Graph, options: LayerOptions): Problem[] {
  const { layers, operations } = extractWorkloads(graph, { bitWidths: widths(options) });
  const problems = layers.map(({ name, problem }) => ({ ...problem, name }));
  for (const { name, operator } of operations) {
    if (operator !== "AveragePool") continue;
    const node = graph.nodes.find((candidate) => candidate.name === name)!;
    const [, channels, size] = graph.types.get(node.inputs[0]!)!.shape as number[];
    const [kernel] = attributeOf(node, "kernel_shape", "ints", []);
    const [stride = 1] = attributeOf(node, "strides", "ints", []);
    problems.push(...poolingProblems(name, channels!, size!, kernel!, stride, options));
  }
  return problems;
}

function poolingProblems(
  name: string,
  channels: number,
  inputSize: number,
  kernel: number,
  stride: number,
  options: LayerOptions,
): Problem[] {
  const { pooling } = options;
  if (pooling === "free") return [];
  const size = pooling === "moved" ? 1 : kernel;
  const step = pooling === "moved" ? 1 : stride;
  return [
    convolutionProblem({
      name,
      inputChannels: channels,
      outputChannels: channels,
      outputHeight: inputSize / step,
      outputWidth: inputSize / step,
      kernelHeight: size,
      kernelWidth: size,
      strideHeight: step,
      strideWidth: step,
      groups: pooling === "convolution" ? 1 : channels,
      bitWidths: widths(options),
    }),
  ];
}

function widths({ bits = 8 }: LayerOptions): LayerBitWidths {
  return { weights: bits, inputs: bits, outputs: bits };
}

// What gates add to a network, known before its graph is built anew.

import type { Graph, Node } from "@dovetail/graph";
import {
  type Network,
  type NoiseInput,
  nodeMacs,
  type ObservedRange,
  type ParameterSpec,
  parameterSpec,
} from "@dovetail/models";
import { type Choice, isSkip } from "./cost.js";
import { gateParameters } from "./gate.js";
import type { ResidualBlock } from "./residual-blocks.js";

/** Names of what the gates add to a network. */
export const gatedNames = {
  /** Scalar input: bits of the blocks' weights. */
  weightBits: "branchWeightBits",
  /** Scalar input: factor of the cost in the loss. */
  costFactor: "costFactor",
  /** Value of rank 0: mean cost of the blocks' products over batch, blocks and products: cp as a fraction. */
  cost: "gates/cost",
  /** Value [blocks, choices]: how many samples of the batch got each choice. */
  counts: "gates/counts",
} as const;

/** A convolution of a branch, with its work for one image. */
export interface BranchLayer {
  readonly name: string;
  readonly block: number;
  readonly macs: number;
}

export interface GatePlan {
  readonly choices: readonly Choice[];
  /** Distinct bit-widths of activations and of gradients, without the skip's 0, rising. */
  readonly activationBits: readonly number[];
  readonly gradientBits: readonly number[];
  readonly blocks: readonly ResidualBlock[];
  readonly layers: readonly BranchLayer[];
  /** Block of each node of a branch, and of each block's sum. */
  readonly blockOfNode: ReadonlyMap<Node, number>;
  readonly blockOfSum: ReadonlyMap<Node, number>;
  readonly parameters: readonly ParameterSpec[];
  readonly noises: readonly NoiseInput[];
  readonly observedRanges: readonly ObservedRange[];
}

export function planGates(
  { graph }: Network,
  blocks: readonly ResidualBlock[],
  choices: readonly Choice[],
  rangeMomentum: number,
): GatePlan {
  const distinct = (pick: (choice: Choice) => number): number[] =>
    [...new Set(choices.filter((choice) => !isSkip(choice)).map(pick))].sort((a, b) => a - b);
  const blockOfNode = new Map(blocks.flatMap(({ branch }, index) => branch.map((node) => [node, index] as const)));
  const convolutions = nodeMacs(graph).filter(({ node }) => node.operator === "Conv" && blockOfNode.has(node));
  const layers = convolutions.map(({ node, macs }) => ({ name: node.name, block: blockOfNode.get(node)!, macs }));
  const channels = blocks.map(({ input }) => graph.types.get(input)!.shape![1] as number);
  const activationBits = distinct((choice) => choice.activationBits);
  return {
    choices,
    activationBits,
    gradientBits: distinct((choice) => choice.gradientBits),
    blocks,
    layers,
    blockOfNode,
    blockOfSum: new Map(blocks.map(({ sum }, index) => [sum, index])),
    parameters: [
      ...gateParameters(channels, choices.length),
      ...layers.flatMap(({ name }) => rangeParameters(name, activationBits.length)),
    ],
    noises: convolutions.map(({ node }) => ({
      input: noiseName(node.name),
      shape: graph.types.get(node.outputs[0]!)!.shape!,
    })),
    observedRanges: layers.flatMap(({ name }) => observedRanges(name, rangeMomentum)),
  };
}

export const rangeEnds = ["min", "max"] as const;
type RangeEnd = (typeof rangeEnds)[number];

export const noiseName = (layer: string): string => `${layer}:noise`;

/** Parameter with an end of the ranges of a layer's input, one a bit-width. */
export const rangeName = (layer: string, end: RangeEnd): string => `${layer}:input:${end}`;

/** Value that the parameter is read by, and the one that the training form takes the batch's from. */
export const rangeRead = (layer: string, end: RangeEnd): string => `${rangeName(layer, end)}:read`;
export const rangeObserved = (layer: string, end: RangeEnd): string => `${rangeName(layer, end)}:observed`;

/** Ranges start at [0, 1]. */
function rangeParameters(layer: string, count: number): ParameterSpec[] {
  return rangeEnds.map((end) =>
    parameterSpec(rangeName(layer, end), [count], {
      role: "activationRange",
      initialization: { kind: "constant", value: end === "min" ? 0 : 1 },
    }),
  );
}

function observedRanges(layer: string, momentum: number): ObservedRange[] {
  return rangeEnds.map((end) => ({
    range: rangeRead(layer, end),
    observed: rangeObserved(layer, end),
    statistic: end,
    axis: 1,
    momentum,
    batchInTraining: true,
  }));
}

/** The graph with the inputs that the gates add. */
export function withGateInputs(graph: Graph, { parameters, noises }: GatePlan): Graph {
  const added = [
    ...parameters,
    { name: gatedNames.weightBits, shape: [] },
    { name: gatedNames.costFactor, shape: [] },
    ...noises.map(({ input, shape }) => ({ name: input, shape })),
  ];
  const inputs = added.map(({ name, shape }) => ({ name, type: { elementType: "float32", shape } }) as const);
  return { ...graph, inputs: [...graph.inputs, ...inputs] };
}

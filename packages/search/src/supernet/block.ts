// A block of the supernet as compiled segments: forward, backward with the optimizer's step, backward to the input alone.
import { differentiate, extractSubgraph, type Graph, GraphBuilder, type Node, type Value } from "@dovetail/graph";
import { type Network, type NetworkBuilder, type ParameterSpec, trainingForm } from "@dovetail/models";
import { applyOptimizer, type Loss, type Optimizer, type ParameterUpdates } from "@dovetail/train";
import { blockNetwork } from "../space/block-network.js";

/** The graphs of one block at a fixed batch size. Values have the same names in all of them. */
export interface BlockGraphs extends ParameterUpdates {
  /** Inference form, batch symbolic: what the hardware side reads. */
  readonly inference: Graph;
  readonly parameters: readonly ParameterSpec[];
  readonly outputShape: readonly number[];
  /** x, parameters → y and what the backward pass needs. */
  readonly forward: Graph;
  /** Gradient of y, x, what forward saved, parameters, optimizer memory and inputs → gradient of x, new parameters. */
  readonly backward: Graph;
  /** As backward, to the gradient of x alone; absent where there is no input to differentiate. */
  readonly inputGradient?: Graph | undefined;
}

/** Names of the values that blocks hand to each other. */
export const blockNames = {
  input: "image",
  output: "block:output",
  outputGradient: "block:output:gradient",
  inputGradient: "image:gradient",
  target: "target",
  loss: "loss",
} as const;

export interface BlockOptions {
  readonly name: string;
  /** Shape of the input without the batch. */
  readonly inputShape: readonly number[];
  readonly batchSize: number;
  readonly optimizer: Optimizer;
  /** Whether x gets a gradient; the stem's does not. */
  readonly differentiateInput: boolean;
}

/** Builds a block's graphs from a function that builds its inference form on an image-like input. */
export function buildBlock(build: (n: NetworkBuilder, x: Value) => Value, options: BlockOptions): BlockGraphs {
  const { network, g, output } = openTrainingForm(build, options);
  const outputGradient = g.input(blockNames.outputGradient, "float32", output.type.shape!);
  g.output(output, blockNames.output);
  const updates = addGradients(g, network, output, options, outputGradient);
  return {
    ...cut(g.build(), Object.values(updates.statePairs), options),
    ...updates,
    inference: network.graph,
    parameters: network.parameters,
  };
}

/** The last block: classifier and loss. Both graphs take x and the target, and give the loss. */
export interface LossBlockGraphs extends ParameterUpdates {
  readonly inference: Graph;
  readonly parameters: readonly ParameterSpec[];
  /** To the gradient of x and the new parameters. */
  readonly step: Graph;
  /** To the gradient of x alone. */
  readonly inputGradient: Graph;
}

/** As `buildBlock`, for the block that ends in a loss. */
export function buildLossBlock(
  build: (n: NetworkBuilder, x: Value) => Value,
  loss: Loss,
  options: BlockOptions,
): LossBlockGraphs {
  const { network, g, output } = openTrainingForm(build, options);
  const { elementType, shape } = loss.target(output.type.shape!);
  const lossValue = loss.build(g, output, g.input(blockNames.target, elementType, shape));
  g.output(lossValue, blockNames.loss);
  const updates = addGradients(g, network, lossValue, options);
  const joint = g.build();
  const outputs = [blockNames.loss, blockNames.inputGradient];
  return {
    ...updates,
    inference: network.graph,
    parameters: network.parameters,
    step: extractUsed(joint, inputNames(joint), [...outputs, ...Object.values(updates.statePairs)]),
    inputGradient: extractUsed(joint, inputNames(joint), outputs),
  };
}

function openTrainingForm(
  build: (n: NetworkBuilder, x: Value) => Value,
  options: BlockOptions,
): { network: Network; g: GraphBuilder; output: Value } {
  const network = blockNetwork(build, options.name, options.inputShape);
  const form = trainingForm(network, options);
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  return { network, g, output: g.value(form.logits) };
}

/** Adds the backward pass and the optimizer; its outputs are the new parameters and the gradient of the input. */
function addGradients(
  g: GraphBuilder,
  network: Network,
  output: Value,
  { optimizer, differentiateInput }: BlockOptions,
  outputGradient?: Value,
): ParameterUpdates {
  const trained = network.parameters.filter(({ trainable }) => trainable);
  const withRespectTo = trained.map(({ name }) => g.value(name));
  if (differentiateInput) withRespectTo.push(g.value(blockNames.input));
  const gradients = differentiate(g, { loss: output, withRespectTo, lossGradient: outputGradient });
  const scalars = Object.fromEntries(optimizer.inputs.map((name) => [name, g.input(name, "float32", [])]));
  const updates = applyOptimizer(g, optimizer, trained, gradients, scalars);
  if (differentiateInput) g.output(gradients.at(-1)!, blockNames.inputGradient);
  return updates;
}

/** Cuts the joint graph into what is computed before the gradient of the output is known, and the rest. */
function cut(
  joint: Graph,
  updates: readonly string[],
  { differentiateInput }: BlockOptions,
): Pick<BlockGraphs, "forward" | "backward" | "inputGradient" | "outputShape"> {
  const forwardNodes = new Set(ancestors(joint, blockNames.output));
  const produced = new Set([...forwardNodes].flatMap(({ outputs }) => outputs));
  const saved = new Set<string>();
  for (const node of joint.nodes) {
    if (!forwardNodes.has(node)) for (const name of node.inputs) if (produced.has(name)) saved.add(name);
  }
  saved.delete(blockNames.output);
  const boundary = [...inputNames(joint), blockNames.output, ...saved];
  const gradient = differentiateInput ? [blockNames.inputGradient] : [];
  return {
    outputShape: joint.types.get(blockNames.output)!.shape as readonly number[],
    forward: extractUsed(joint, inputNames(joint), [blockNames.output, ...saved]),
    backward: extractUsed(joint, boundary, [...gradient, ...updates]),
    inputGradient: differentiateInput ? extractUsed(joint, boundary, gradient) : undefined,
  };
}

function inputNames(graph: Graph): string[] {
  return graph.inputs.map(({ name }) => name);
}

/** The part of a graph between these values, with those inputs only that it uses. */
function extractUsed(graph: Graph, inputs: readonly string[], outputs: readonly string[]): Graph {
  const part = extractSubgraph(graph, inputs, outputs);
  const used = new Set([...part.nodes.flatMap((node) => node.inputs), ...outputs]);
  return extractSubgraph(
    graph,
    inputs.filter((name) => used.has(name)),
    outputs,
  );
}

function ancestors(graph: Graph, output: string): Node[] {
  const needed = new Set([output]);
  const found: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    found.push(node);
    for (const name of node.inputs) needed.add(name);
  }
  return found.reverse();
}

import {
  attributeOf,
  elementCount,
  float,
  type Graph,
  GraphBuilder,
  isStatic,
  tensorNumbers,
  type Value,
} from "@dovetail/graph";
import { batchStatistic } from "./batch-statistic.js";
import type { Network, ParameterSpec, SampleSelection } from "./network.js";
import { type NodeRewrite, type RewriteContext, rewriteGraph } from "./rewrite.js";
import { isChosenRow } from "./rows.js";
import { selectedNormalization } from "./selected-normalization.js";

/** An input that the trainer fills with a fresh dropout mask each step: 0 with probability `rate`, else 1 / (1 − rate). */
export interface DropoutMask {
  readonly input: string;
  readonly shape: readonly number[];
  readonly rate: number;
}

/** A network as it is trained: batch statistics, active dropout, a fixed batch size. */
export interface TrainingForm {
  /** Inputs as the network's, then the masks. Outputs: logits, then the new values of what `updates` names. */
  readonly graph: Graph;
  readonly logits: string;
  /** From each parameter that changes without the optimizer (running statistics, ranges) to the output that replaces it. */
  readonly updates: ReadonlyMap<string, string>;
  readonly masks: readonly DropoutMask[];
  /** The network's noises, with their sizes. */
  readonly noises: readonly { readonly input: string; readonly shape: readonly number[] }[];
}

/**
 * The training form of a network. Batch normalization uses the batch's statistics and averages them as PyTorch does:
 * running = (1 − momentum) · running + momentum · batch, with the unbiased variance. Observed ranges are averaged too.
 * Dropout multiplies by a mask.
 */
export function trainingForm(network: Network, options: { readonly batchSize: number }): TrainingForm {
  const updates = new Map<string, Value>();
  const masks: DropoutMask[] = [];
  const read = parametersRead(network);
  const average: Average = (g, name, next) => {
    const spec = read.get(name);
    if (spec) updates.set(spec.name, updated(g, spec, next(g.value(name))));
  };
  const ofBatch = new Map(
    network.observedRanges.flatMap((range) => (range.batchInTraining ? [[range.range, range]] : [])),
  );
  const image = network.graph.types.get(network.image)!.shape!;
  const { graph, find } = rewriteGraph(network.graph, {
    dimensions: { [image[0]!]: options.batchSize },
    nodes: {
      BatchNormalization: batchNormalization(network, average),
      Dropout: dropout(network.graph, masks),
    },
    values: (value, g) => {
      const range = ofBatch.get(value.name);
      return range ? batchStatistic(g, g.value(range.observed), range) : value;
    },
  });
  const g = GraphBuilder.from({ ...graph, outputs: [] });
  g.output(find(network.logits));
  for (const range of network.observedRanges) {
    const observed = range.batchInTraining ? find(range.range) : batchStatistic(g, find(range.observed), range);
    average(g, range.range, (old) => movingAverage(g, old, observed, range.momentum));
  }
  const outputs = new Map<string, string>();
  for (const [parameter, value] of updates) {
    g.output(value, `${parameter}:next`);
    outputs.set(parameter, `${parameter}:next`);
  }
  const noises = network.noises.map(({ input }) => ({ input, shape: g.value(input).type.shape as readonly number[] }));
  return { graph: g.build(), logits: find(network.logits).name, updates: outputs, masks, noises };
}

/** From each value that is a parameter, an Identity of one, or the chosen row of one, to the parameter. */
function parametersRead({ graph, parameters }: Network): ReadonlyMap<string, ParameterSpec> {
  const read = new Map(parameters.map((spec) => [spec.name, spec]));
  for (const { operator, inputs, outputs } of graph.nodes) {
    const spec = read.get(inputs[0] ?? "");
    if (spec && (operator === "Identity" || (operator === "Gather" && spec.row))) read.set(outputs[0]!, spec);
  }
  return read;
}

/** Notes what replaces the parameter that a value reads, if it reads one. */
type Average = (g: GraphBuilder, name: string, next: (old: Value) => Value) => void;

/** The parameter with `next` in its place, or in that of its chosen row; other rows keep their bits. */
function updated(g: GraphBuilder, { name, row }: ParameterSpec, next: Value): Value {
  if (row === undefined) return next;
  const parameter = g.value(name);
  return g.where(isChosenRow(g, parameter, g.value(row)), g.unsqueeze(next, [0]), parameter);
}

/** (1 − momentum) · old + momentum · observed. */
function movingAverage(g: GraphBuilder, old: Value, observed: Value, momentum: number): Value {
  return g.add(g.mul(old, 1 - momentum), g.mul(observed, momentum));
}

function batchNormalization({ selections = [] }: Network, average: Average): NodeRewrite {
  const selectionOf = new Map(selections.map((selection) => [selection.node, selection]));
  return (context) => {
    const { node, inputs, g } = context;
    const [x, scale, shift] = inputs as readonly Value[];
    const selection = selectionOf.get(node.name);
    if (selection) return [normalizeSelected(context, selection, average)];
    const [y, mean, variance] = g.ownNode(
      "BatchNormalizationTraining",
      [x, scale, shift],
      { epsilon: float(attributeOf(node, "epsilon", "float", 1e-5)) },
      { name: node.name, outputs: [node.outputs[0]!, `${node.name}:batchMean`, `${node.name}:batchVariance`] },
    );
    const momentum = 1 - attributeOf(node, "momentum", "float", 0.9);
    const count = elementCount(x!.type.shape!.filter((_, axis) => axis !== 1) as number[]);
    const unbiased = (momentum * count) / Math.max(count - 1, 1);
    average(g, node.inputs[3]!, (old) => movingAverage(g, old, mean!, momentum));
    average(g, node.inputs[4]!, (old) => g.add(g.mul(old, 1 - momentum), g.mul(variance!, unbiased)));
    return [y!];
  };
}

/** As `batchNormalization`, of the active samples; without any, running statistics stay. */
function normalizeSelected({ node, inputs, g }: RewriteContext, selection: SampleSelection, average: Average): Value {
  const [input, scale, shift] = inputs as readonly [Value, Value, Value];
  const active = g.value(selection.active);
  const shape = [-1, ...input.type.shape!.slice(1).map(() => 1)];
  const x = selection.isZeroElsewhere ? input : g.where(g.greater(g.reshape(active, shape), 0), input, 0);
  const { y, mean, variance, count } = selectedNormalization(g, node, { x, scale, shift, active });
  const momentum = 1 - attributeOf(node, "momentum", "float", 0.9);
  const values = g.mul(count, elementCount(x.type.shape!.slice(2) as number[]));
  const unbiased = g.div(g.mul(variance, values), g.max(g.sub(values, 1), 1));
  const isAny = g.greater(count, 0);
  const kept = (old: Value, observed: Value): Value => g.where(isAny, movingAverage(g, old, observed, momentum), old);
  average(g, node.inputs[3]!, (old) => kept(old, mean));
  average(g, node.inputs[4]!, (old) => kept(old, unbiased));
  return y;
}

function dropout(graph: Graph, masks: DropoutMask[]): NodeRewrite {
  return ({ node, inputs, g, keep }) => {
    const x = inputs[0]!;
    const ratio = graph.initializers.get(node.inputs[1] ?? "");
    const rate = ratio ? tensorNumbers(ratio)[0]! : 0.5;
    if (rate === 0 || !isStatic(x.type.shape)) return keep();
    const input = `${node.name}:mask`;
    masks.push({ input, shape: x.type.shape, rate });
    const mask = g.input(input, "float32", x.type.shape);
    return g.node("Mul", [x, mask], {}, { name: node.name, outputs: [node.outputs[0]!] });
  };
}

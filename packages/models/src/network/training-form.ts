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
import type { Network } from "./network.js";
import { type NodeRewrite, rewriteGraph } from "./rewrite.js";

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
}

/**
 * The training form of a network. Batch normalization uses the batch's statistics and averages them as PyTorch does:
 * running = (1 − momentum) · running + momentum · batch, with the unbiased variance. Dropout multiplies by a mask.
 */
export function trainingForm(network: Network, options: { readonly batchSize: number }): TrainingForm {
  const updates = new Map<string, Value>();
  const masks: DropoutMask[] = [];
  const parameters = new Set(network.parameters.map(({ name }) => name));
  const image = network.graph.types.get(network.image)!.shape!;
  const { graph, find } = rewriteGraph(network.graph, {
    dimensions: { [image[0]!]: options.batchSize },
    nodes: {
      BatchNormalization: batchNormalization(parameters, updates),
      Dropout: dropout(network.graph, masks),
    },
  });
  const g = GraphBuilder.from({ ...graph, outputs: [] });
  g.output(find(network.logits));
  for (const range of network.observedRanges) {
    const observed = find(range.observed);
    const magnitude = g.max(
      g.op("ReduceMax", [observed], { keepdims: 0 }),
      g.neg(g.op("ReduceMin", [observed], { keepdims: 0 })),
    );
    updates.set(range.parameter, movingAverage(g, find(range.parameter), magnitude, range.momentum));
  }
  const outputs = new Map<string, string>();
  for (const [parameter, value] of updates) {
    g.output(value, `${parameter}:next`);
    outputs.set(parameter, `${parameter}:next`);
  }
  return { graph: g.build(), logits: find(network.logits).name, updates: outputs, masks };
}

/** (1 − momentum) · old + momentum · observed. */
function movingAverage(g: GraphBuilder, old: Value, observed: Value, momentum: number): Value {
  return g.add(g.mul(old, 1 - momentum), g.mul(observed, momentum));
}

function batchNormalization(parameters: ReadonlySet<string>, updates: Map<string, Value>): NodeRewrite {
  return ({ node, inputs, g }) => {
    const [x, scale, shift, runningMean, runningVariance] = inputs as readonly Value[];
    const [y, mean, variance] = g.ownNode(
      "BatchNormalizationTraining",
      [x, scale, shift],
      { epsilon: float(attributeOf(node, "epsilon", "float", 1e-5)) },
      { name: node.name, outputs: [node.outputs[0]!, `${node.name}:batchMean`, `${node.name}:batchVariance`] },
    );
    const momentum = 1 - attributeOf(node, "momentum", "float", 0.9);
    const count = elementCount(x!.type.shape!.filter((_, axis) => axis !== 1) as number[]);
    if (parameters.has(runningMean!.name)) {
      updates.set(runningMean!.name, movingAverage(g, runningMean!, mean!, momentum));
    }
    if (parameters.has(runningVariance!.name)) {
      const unbiased = (momentum * count) / Math.max(count - 1, 1);
      updates.set(runningVariance!.name, g.add(g.mul(runningVariance!, 1 - momentum), g.mul(variance!, unbiased)));
    }
    return [y!];
  };
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

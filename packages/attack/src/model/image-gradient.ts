import { inputError } from "@dovetail/core";
import { differentiate, type Graph, GraphBuilder, tensor, type Value } from "@dovetail/graph";
import { type DropoutMask, type Network, predictionGraph, rewriteGraph, trainingForm } from "@dovetail/models";
import type { AttackLoss } from "../losses/loss.js";

export interface ImageGradientOptions {
  readonly loss: AttackLoss;
  /** Number of images of a run; fixed, so that the graph runs on the fastest kernels. */
  readonly batchSize: number;
  /** `inference` by default: running statistics. `training`: the batch's statistics, and the gradient through them. */
  readonly form?: "inference" | "training" | undefined;
  /** False leaves the backward pass out. */
  readonly withGradient?: boolean | undefined;
}

/** Losses of a batch of images and their gradients with respect to the images, as one graph. */
export interface ImageGradient {
  readonly graph: Graph;
  /** Input: float32 [batch, channels, height, width], in the network's image range. */
  readonly image: string;
  /** Input: int64 [batch]. */
  readonly label: string;
  /** Input of the target classes, int64 [batch]; only where the loss has them. */
  readonly target: string | undefined;
  /** Output: float32 [batch, classes]. */
  readonly logits: string;
  /** Output: one loss an image, float32 [batch]. */
  readonly losses: string;
  /** Output: gradient of the losses' sum, of the image's shape; in inference form each image's own gradient. */
  readonly gradient: string | undefined;
  /** Training form: from each running statistic to the output that may replace it. */
  readonly updates: ReadonlyMap<string, string>;
  readonly masks: readonly DropoutMask[];
  /** Training form: inputs of noise, for stochastic rounding of gradients. */
  readonly noises: readonly { readonly input: string; readonly shape: readonly number[] }[];
}

/**
 * Builds the graph. In inference form gradients pass unrounded, whatever precision a training gives them. Its further inputs are the network's parameters and scalars. Throws an input error when the network
 * has fewer classes than the loss needs.
 */
export function buildImageGradient(network: Network, options: ImageGradientOptions): ImageGradient {
  const { loss, batchSize, withGradient = true } = options;
  if (network.classCount < loss.leastClasses) {
    throw inputError("too_few_classes", `loss "${loss.name}" on network "${network.name}"`, {
      expected: `at least ${loss.leastClasses} classes`,
      received: `${network.classCount}`,
    });
  }
  const form: Form =
    options.form === "training" ? trainingForm(network, { batchSize }) : inferenceForm(network, batchSize);
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  const logits = g.value(form.logits);
  const [label, target] = ["attack/label", loss.isTargeted ? "attack/target" : undefined];
  const maskOf = (name: string): Value => classMask(g, g.input(name, "int64", [batchSize]), network.classCount);
  const losses = g.scope("attack", () =>
    loss.build(g, logits, maskOf(label), target === undefined ? undefined : maskOf(target)),
  );
  g.output(logits, "attack/logits");
  g.output(losses, "attack/losses");
  if (withGradient) {
    const [gradient] = differentiate(g, { loss: losses, withRespectTo: [g.value(network.image)] });
    g.output(gradient!, "attack/gradient");
  }
  for (const output of form.updates.values()) g.output(g.value(output));
  return {
    graph: g.build(),
    image: network.image,
    label,
    target,
    logits: "attack/logits",
    losses: "attack/losses",
    gradient: withGradient ? "attack/gradient" : undefined,
    updates: form.updates,
    masks: form.masks,
    noises: form.noises,
  };
}

type Form = Pick<ReturnType<typeof trainingForm>, "graph" | "logits" | "updates" | "masks" | "noises">;

function inferenceForm(network: Network, batchSize: number): Form {
  const batch = network.graph.types.get(network.image)!.shape![0]!;
  const { graph, find } = rewriteGraph(predictionGraph(network), { dimensions: { [batch]: batchSize } });
  return { graph, logits: find(network.logits).name, updates: new Map(), masks: [], noises: [] };
}

/** Class numbers [N] → bool [N, classes]. */
function classMask(g: GraphBuilder, classes: Value, classCount: number): Value {
  const all = g.constant(
    tensor(
      "int64",
      [1, classCount],
      Array.from({ length: classCount }, (_, index) => index),
    ),
  );
  return g.equal(g.unsqueeze(classes, [1]), all);
}

import { createRandomStream } from "@dovetail/core";
import {
  differentiate,
  eliminateDeadCode,
  type Graph,
  GraphBuilder,
  type Node,
  scalar,
  type Tensor,
  tensor,
  tensorNumbers,
} from "@dovetail/graph";
import { initializeParameters, type Network, trainingForm } from "@dovetail/models";
import { uniformNoise } from "@dovetail/train";
import { distinct } from "../quantizers/testing/draws.js";

const random = createRandomStream(11);

export interface TrainingGraph {
  readonly graph: Graph;
  readonly feeds: Record<string, Tensor>;
  /** From each statistic to the output that replaces it. */
  readonly updates: ReadonlyMap<string, string>;
}

/** First values of a network's parameters, the same for parameters of the same name. */
export const initialParameters = (network: Network): Map<string, Tensor> =>
  initializeParameters(network, random.split("weights"));

/** A batch of 3×8×8 images. */
export function images(batchSize: number): Tensor {
  const draw = random.split("images");
  const pixels = Array.from({ length: batchSize * 192 }, () => draw.integer(256));
  return tensor("float32", [batchSize, 3, 8, 8], pixels);
}

/** The training form with the gradients of Σ logits² to all weights, `gradient/<name>`, and what it is fed. */
export function trainingGraph(
  network: Network,
  scalars: Readonly<Record<string, number>> = {},
  batchSize = 6,
): TrainingGraph {
  const form = trainingForm(network, { batchSize });
  const g = GraphBuilder.from(form.graph);
  const logits = g.value(form.logits);
  const weights = network.parameters.filter(({ role }) => role === "weight").map(({ name }) => g.value(name));
  const gradients = differentiate(g, { loss: g.mul(logits, logits), withRespectTo: weights });
  gradients.forEach((gradient, index) => {
    g.output(gradient, `gradient/${weights[index]!.name}`);
  });
  const feeds: Record<string, Tensor> = {
    ...Object.fromEntries(initialParameters(network)),
    [network.image]: images(batchSize),
    ...scalarFeeds(network, scalars),
  };
  for (const { input, shape } of form.noises) feeds[input] = uniformNoise(random.split(input), shape);
  return { graph: eliminateDeadCode({ ...g.build(), customGradients: [] }), feeds, updates: form.updates };
}

export const scalarFeeds = (network: Network, scalars: Readonly<Record<string, number>>): Record<string, Tensor> =>
  Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(scalars[name] ?? value)]));

/** An operator with its domain. */
export const keyOf = ({ domain, operator }: Node): string => (domain === "" ? operator : `${domain}.${operator}`);

export type OperandKind = "activationBits" | "weightBits" | "errorBits" | "weightGradientBits";

/** What the two operands of a convolution's products are. */
export const operandKinds: Readonly<Record<string, readonly [OperandKind, OperandKind]>> = {
  Conv: ["activationBits", "weightBits"],
  "ai.dovetail.ConvInputGradient": ["errorBits", "weightBits"],
  "ai.dovetail.ConvWeightGradient": ["activationBits", "weightGradientBits"],
};

/** The most distinct values that any slice along an axis has; of the whole tensor without one. */
export function mostDistinct(found: Tensor, axis: number | undefined): number {
  const values = tensorNumbers(found);
  if (axis === undefined) return distinct(values);
  const inner = found.dimensions.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = found.dimensions[axis]!;
  const slices = Array.from({ length: size }, (_, slice) =>
    values.filter((_value, index) => Math.floor(index / inner) % size === slice),
  );
  return Math.max(...slices.map(distinct));
}

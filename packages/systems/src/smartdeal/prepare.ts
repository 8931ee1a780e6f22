// From a dense network and a rule to what is trained: the factored network, its first values, its optimizer.

import { rebuildWeights, structuredAnnotation } from "@dovetail/compress";
import { type Tensor, tensorFromData } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Optimizer } from "@dovetail/train";
import { type FactoredNetwork, factorLayers } from "./factored-network.js";
import type { FactoredMethod } from "./methods.js";
import { smartDealOptimizer } from "./rules.js";
import { decomposedStart, structuredLayers } from "./structured-tensors.js";
import { wordBits } from "./training-machine.js";

export interface FactoringOptions {
  /** First values of the dense network's parameters. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly stepsPerEpoch: number;
}

/** A network whose weights are coefficients and bases, ready to be trained. */
export interface FactoredTraining {
  readonly factored: FactoredNetwork;
  /** First values of coefficients, bases and masks. */
  readonly factors: ReadonlyMap<string, Tensor>;
  readonly optimizer: Optimizer;
}

/** Factors every layer of a network for a rule. Throws where no layer has a weight that is a parameter. */
export function prepareFactored(
  network: Network,
  method: FactoredMethod,
  { weights, ...options }: FactoringOptions,
): FactoredTraining {
  const factored = factorLayers(network, {
    form: method.kind === "latent" ? "latent" : "codes",
    ...(method.arithmetic === "integer8" && { weightBits: wordBits.integer8 }),
  });
  return {
    factored,
    factors: decomposedStart(factored, weights, method),
    optimizer: smartDealOptimizer({ ...method, ...options, rule: method.kind }),
  };
}

/**
 * The dense network that computes the same as the factored one, to the bit of each weight, with what these take in
 * SmartExchange's form as annotations.
 */
export function denseNetwork(
  network: Network,
  factored: FactoredNetwork,
  trained: ReadonlyMap<string, Tensor>,
): { readonly network: Network; readonly weights: Map<string, Tensor> } {
  const structured = structuredLayers(factored, trained);
  const own = new Set(factored.layers.flatMap(({ coefficients, basis, mask }) => [coefficients, basis, mask]));
  const weights = new Map([...trained].filter(([name]) => !own.has(name)));
  const annotations = new Map(network.graph.annotations);
  for (const { weight, weightShape } of factored.layers) {
    const layer = structured.get(weight)!;
    weights.set(weight, tensorFromData("float32", weightShape, rebuildWeights(layer)));
    annotations.set(weight, { structured: structuredAnnotation(layer) });
  }
  return { network: { ...network, graph: { ...network.graph, annotations } }, weights };
}

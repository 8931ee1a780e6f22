// From a network and a method to what is trained, and by which controller.

import type { Network } from "@dovetail/models";
import { layersOf, quantizeLayers, weightGradientLevels } from "@dovetail/quant";
import { type Loss, softmaxCrossEntropy } from "@dovetail/train";
import {
  bitsOfPair,
  type CountingController,
  createGateController,
  createPairController,
  fullPrecision,
  type OuterLayers,
} from "./controllers.js";
import { type OperandBits, skipChoice } from "./cost.js";
import { lossWithCost } from "./cost-loss.js";
import type { LossWatchOptions } from "./epoch-losses.js";
import { type GatedNetwork, gateBlocks } from "./gated-network.js";
import { countedLayers } from "./layers.js";
import type { Method } from "./methods.js";
import { residualBlocks } from "./residual-blocks.js";
import { type CostTarget, dfqTarget, fracTrainTarget } from "./target-control.js";

export interface PrepareOptions {
  readonly batchSize: number;
  /** Optimizer steps of the whole training. */
  readonly steps: number;
  /** Softmax cross-entropy by default. */
  readonly loss?: Loss | undefined;
}

/** A network ready to be trained by a method. */
export interface PreparedTraining {
  readonly network: Network;
  readonly loss: Loss;
  readonly controller: CountingController;
  readonly gated?: GatedNetwork | undefined;
}

/** Precision of stem, shortcuts and gates beside gated blocks, which the published counters leave out, in 32 bit. */
const outerBits: OperandBits = { weightBits: 8, activationBits: 8, gradientBits: 8 };

/** The published epochs are 400 of 64,000 steps. */
const publishedEpochs = 160;

/** Bits of the gated blocks' weights. */
const branchWeightBits = 4;

/**
 * The network as the method trains it. All convolutions are quantized, stem and shortcuts too (at 8 bits where blocks have
 * gates, as the gates' own layers); the classifier is in full precision, as published. Throws where a gated method finds no residual blocks.
 */
export function prepareTraining(network: Network, method: Method, options: PrepareOptions): PreparedTraining {
  const { loss = softmaxCrossEntropy() } = options;
  const layers = convolutions(network);
  const pairs = (prepared: Network, precisions: readonly OperandBits[], more: PairOptions = {}): PreparedTraining => ({
    network: prepared,
    loss,
    controller: createPairController({
      layers: countedLayers(prepared),
      batchSize: options.batchSize,
      quantized: new Set(layers),
      precisions,
      ...more,
    }),
  });
  switch (method.kind) {
    case "float32":
      return pairs(network, [fullPrecision], { quantized: new Set() });
    case "static":
      return pairs(quantizeLayers(network), [bitsOf(method)]);
    case "static-blocks": {
      const outer = outerLayers(network, "outer");
      const group = ({ node }: { readonly node: { readonly name: string } }): string | undefined =>
        outer.layers.has(node.name) ? outer.group : undefined;
      const inner = new Set(layers.filter((name) => !outer.layers.has(name)));
      return pairs(quantizeLayers(network, { group }), [bitsOf(method)], { outer, quantized: inner });
    }
    // The first layer of these two is in full precision.
    case "dorefa":
      return pairs(quantizeLayers(network, { quantizer: "dorefa" }), [bitsOf(method)], {
        quantized: new Set(layers.slice(1)),
      });
    case "wageubn":
      return pairs(quantizeLayers(network, { quantizer: "wageubn" }), [bitsOf(method)], {
        quantized: new Set(layers.slice(1)),
        further: (steps) => ({ [weightGradientLevels]: wageubnLevels(steps / options.steps) }),
      });
    case "pfq":
      return pairs(quantizeLayers(network), method.pairs.map(bitsOfPair), { watch: watchOf(method, options) });
    case "dfq":
      return prepareGated(network, method, options, () => ({
        ...dfqTarget(method.target),
        proportion: method.proportion,
      }));
    case "fractrain": {
      const { firstTarget: first, targetStep: step, proportion } = method;
      return prepareGated(
        network,
        method,
        options,
        (turned) => ({ ...fracTrainTarget(turned, { first, step }), proportion }),
        watchOf(method, options),
      );
    }
  }
}

type PairOptions = Partial<
  Pick<Parameters<typeof createPairController>[0], "quantized" | "outer" | "watch" | "further">
>;

/** K, the levels of weight gradients, at a share of the training: as published at epochs 60, 80 and 90 of 100. */
function wageubnLevels(share: number): number {
  if (share < 0.6) return 128;
  if (share < 0.8) return 32;
  return share < 0.9 ? 8 : 2;
}

function prepareGated(
  network: Network,
  { beta, skip, choices }: Pick<Extract<Method, { kind: "dfq" }>, "beta" | "skip" | "choices">,
  { batchSize, loss = softmaxCrossEntropy() }: PrepareOptions,
  target: (turningPoints: number) => CostTarget,
  watch?: LossWatchOptions,
): PreparedTraining {
  const gated = gateBlocks(network, {
    weightBits: branchWeightBits,
    choices: skip ? [skipChoice, ...choices] : choices,
  });
  const outside = outerLayers(network);
  const outer = { ...outside, layers: new Set([...outside.layers, ...gateLayers(gated.network)]) };
  const prepared = quantizeLayers(gated.network, { fullPrecision: ({ node }) => !outer.layers.has(node.name) });
  return {
    network: prepared,
    gated,
    loss: lossWithCost(loss),
    controller: createGateController({
      gated,
      layers: countedLayers(prepared),
      batchSize,
      outer,
      weightBits: branchWeightBits,
      beta,
      target,
      watch,
    }),
  };
}

/** The gates' own layers: products with a parameter, not the selections by constants. */
function gateLayers(network: Network): readonly string[] {
  return layersOf(network)
    .filter(({ node, weight }) => node.name.startsWith("gates/") && !network.graph.initializers.has(weight))
    .map(({ node }) => node.name);
}

function bitsOf({ weightBits, activationBits, gradientBits }: OperandBits): OperandBits {
  return { weightBits, activationBits, gradientBits };
}

function watchOf(
  { epsilon, alpha, epochSteps }: Extract<Method, { kind: "pfq" | "fractrain" }>,
  { steps }: PrepareOptions,
): LossWatchOptions {
  return { epsilon, alpha, epochSteps: epochSteps ?? Math.max(1, Math.round(steps / publishedEpochs)) };
}

/** The convolutions outside residual branches. */
function outerLayers(network: Network, group?: string): OuterLayers {
  const branches = new Set(residualBlocks(network).flatMap(({ branch }) => branch.map(({ name }) => name)));
  return { layers: new Set(convolutions(network).filter((name) => !branches.has(name))), bits: outerBits, group };
}

/** Names of the convolutions, in the graph's order. */
function convolutions({ graph }: Network): readonly string[] {
  return graph.nodes.filter(({ operator }) => operator === "Conv").map(({ name }) => name);
}

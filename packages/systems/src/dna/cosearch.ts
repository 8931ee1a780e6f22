// The main job: search network and accelerator together, then train, quantize, map, export and measure what was found,
// beside baselines that get the same.
import { inputError, type RandomStream, type Watch } from "@dovetail/core";
import type { Graph, Tensor } from "@dovetail/graph";
import { countPoints, initializeParameters, type Network, type PixelOptions, resNet } from "@dovetail/models";
import { withBitWidths } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import { drawUniformly, networkOf, pieceNetworks, type SearchSpace, smallImageSpace } from "@dovetail/search";
import type { ImageDataset } from "@dovetail/train";
import {
  type CandidateOptions,
  measureFloat32,
  measureModel,
  type TrainedCandidate,
  type TrainingContext,
  trainCandidate,
} from "./candidate.js";
import { requireConstraints } from "./constraints.js";
import { operatorSets } from "./operators.js";
import { type CoSearchOptions, chargedPrecision } from "./options.js";
import type { CandidateResult, CoSearchResult } from "./result.js";
import type { StageStore } from "./stages.js";
import type { DesignedHardware, DesignRequest, SpaceGraphs, Target } from "./target.js";
import { createTarget } from "./targets.js";

export interface CoSearchTask {
  readonly options: CoSearchOptions;
  readonly dataset: ImageDataset;
  readonly runtime: Runtime;
  readonly random: RandomStream;
  readonly stages: StageStore;
  readonly watch?: Watch | undefined;
  /** Trains what was found and makes the file that is delivered, in the place of `trainCandidate`. */
  readonly deliver?: ((context: TrainingContext, candidate: CandidateOptions) => Promise<TrainedCandidate>) | undefined;
}

/** A network with its hardware, trained, but not yet held against the test images. */
interface Prepared {
  readonly name: string;
  readonly candidate: TrainedCandidate;
  readonly designed: DesignedHardware;
  readonly operators?: readonly string[] | undefined;
}

/** How a network for these images normalizes its input: by the training part's statistics. */
export function pixelsOf({ imageShape, channelMean, channelStandardDeviation }: ImageDataset): PixelOptions {
  const [, height, width] = imageShape;
  return { height, width, mean: channelMean, standardDeviation: channelStandardDeviation };
}

/**
 * Runs the whole job. Goes on from what `stages` hold. The same task gives the same bits, whether or not it was
 * interrupted. Test images are read once, at the end. Throws the cancelling signal's reason, and input errors where
 * constraints cannot be met.
 */
export async function runCoSearch(task: CoSearchTask): Promise<CoSearchResult> {
  const { options, dataset, runtime, random, stages, watch = {} } = task;
  requireFullBatches(dataset, options);
  const target = createTarget(options, random.split("hardware"));
  const pixels = pixelsOf(dataset);
  const operators = operatorSets[options.search.operators];
  const space = smallImageSpace({ pixels, classCount: dataset.classNames.length, operators });
  requireSearchBudget(space, options);
  const searched = await target.search({
    space,
    dataset,
    graphs: spaceGraphs(space, options),
    referenceGraph: withBitWidths(referenceNetwork(space), chargedPrecision(options)),
    effort: options.effort,
    settings: options.search,
    training: options.training,
    runtime,
    random: random.split("search"),
    stages,
    watch,
  });
  const context: TrainingContext = { options, dataset, runtime, random: random.split("training"), stages, watch };
  const network = networkOf(space, searched.choices, "found");
  const found = await prepare(context, target, {
    name: "found",
    network,
    weights: inheritedWeights(network, searched.weights, random.split("inherit")),
    trainingMacs: options.effort.trainingMacs - searched.trainingMacs,
    accelerator: "searched",
    train: task.deliver,
    designState: searched.designState,
    operators: searched.choices.map((choice) => space.operators[choice]!.name),
  });
  const baselines = await prepareBaselines(context, target, space);
  const results = [];
  for (const prepared of [found, ...baselines]) results.push(await measure(context, prepared));
  const [result, ...others] = results as [CandidateResult, ...CandidateResult[]];
  const ours = {
    ...result,
    trainingMacs: result.trainingMacs + searched.trainingMacs,
    optimizerSteps: result.optimizerSteps + searched.optimizerSteps,
  };
  return {
    found: ours,
    baselines: others,
    constraints: target.constraints(ours.hardware),
    trace: { ...searched.trace, acceleratorTrace: found.designed.trace },
    effort: {
      trainingMacs: ours.trainingMacs,
      optimizerSteps: ours.optimizerSteps,
      evaluations: searched.evaluations + found.designed.evaluations,
    },
  };
}

/** Graphs of the space's pieces at the delivered precision. */
function spaceGraphs(space: SearchSpace, options: CoSearchOptions): SpaceGraphs {
  const { stem, positions, head } = pieceNetworks(space);
  const withPrecision = (network: Network): Graph => withBitWidths(network, chargedPrecision(options));
  return {
    fixed: [withPrecision(stem), withPrecision(head)],
    positions: positions.map((operators) => operators.map(withPrecision)),
  };
}

/** What the found network takes over from the supernet; running statistics start afresh. */
function inheritedWeights(
  network: Network,
  supernet: ReadonlyMap<string, Tensor>,
  random: RandomStream,
): Map<string, Tensor> {
  const weights = initializeParameters(network, random);
  for (const { name, trainable } of network.parameters) {
    const trained = trainable ? supernet.get(name) : undefined;
    if (trained) weights.set(name, trained);
  }
  return weights;
}

interface PrepareOptions extends Pick<DesignRequest, "accelerator" | "designState"> {
  readonly name: string;
  readonly network: Network;
  readonly weights?: ReadonlyMap<string, Tensor> | undefined;
  readonly trainingMacs: number;
  readonly operators?: readonly string[] | undefined;
  /** `trainCandidate` by default. */
  readonly train?: CoSearchTask["deliver"];
}

/** Trains a network within its budget and gives it its hardware. */
async function prepare(context: TrainingContext, target: Target, options: PrepareOptions): Promise<Prepared> {
  const { name, network, weights, trainingMacs, operators, train = trainCandidate } = options;
  requireBudget(name, network, trainingMacs, context.options);
  const design = async (graph: Graph): Promise<DesignedHardware> => {
    const designed = await target.design({
      graph,
      accelerator: options.accelerator,
      designState: options.designState,
      random: context.random.split("accelerator").split(name),
      watch: context.watch,
    });
    if (name === "found") requireConstraints(target.constraints(designed.hardware));
    return designed;
  };
  const training = () => train(context, { name, network, weights, trainingMacs });
  // What compressed weights take is known only when they are.
  if (name === "found" && context.options.compress !== "none") {
    const candidate = await training();
    return { name, candidate, designed: await design(candidate.graph), operators };
  }
  const designed = await design(withBitWidths(network, chargedPrecision(context.options)));
  return { name, candidate: await training(), designed, operators };
}

/** ResNet-8 for the same images: what results are compared with. */
function referenceNetwork({ pixels, classCount }: SearchSpace): Network {
  return resNet({ depth: 8, pixels, classCount });
}

/** The baselines of the recipe, (a), (b), (c) in this order. */
async function prepareBaselines(context: TrainingContext, target: Target, space: SearchSpace): Promise<Prepared[]> {
  const { baselines, effort, target: hardware } = context.options;
  const { trainingMacs } = effort;
  const network = referenceNetwork(space);
  const reference = await prepare(context, target, {
    name: "resnet8",
    network,
    trainingMacs,
    accelerator: "reference",
  });
  const prepared = [reference];
  if (baselines.referenceNetworkOnSearchedAccelerator && hardware.kind === "asic") {
    const designed = await target.design({
      graph: withBitWidths(network, chargedPrecision(context.options)),
      accelerator: "searched",
      random: context.random.split("accelerator").split("resnet8"),
      watch: context.watch,
    });
    prepared.push({ ...reference, name: "resnet8-searched-accelerator", designed });
  }
  for (let index = 0; index < baselines.randomNetworks; index++) {
    const name = `random${index}`;
    const choices = drawUniformly(space, context.random.split("random networks").split(index));
    const operators = choices.map((choice) => space.operators[choice]!.name);
    const drawn = networkOf(space, choices, name);
    prepared.push(
      await prepare(context, target, { name, network: drawn, trainingMacs, accelerator: "searched", operators }),
    );
  }
  return prepared;
}

function requireFullBatches({ parts }: ImageDataset, { effort }: CoSearchOptions): void {
  for (const part of ["train", "validation"] as const) {
    if (parts[part].count >= effort.batchSize) continue;
    throw inputError("batch_size", `the ${part} part of the data has fewer images than a batch`, {
      path: ["effort", "batchSize"],
      expected: `at most ${parts[part].count}`,
      received: `${effort.batchSize}`,
    });
  }
}

/**
 * Refuses an effort that the search alone would use up even if it drew the cheapest path at every step, before anything
 * is spent. What the drawn paths really cost is only known afterwards: `requireBudget` looks again.
 */
function requireSearchBudget(space: SearchSpace, { effort }: CoSearchOptions): void {
  const { stem, positions, head } = pieceNetworks(space);
  const macsOf = ({ graph }: Network): number => countPoints(graph);
  const cheapest = positions.reduce(
    (sum, operators) => sum + Math.min(...operators.map(macsOf)),
    macsOf(stem) + macsOf(head),
  );
  // A step of the search takes two products at least, one of a training three; a training has two steps at least.
  const searched = 2 * cheapest * (effort.warmUpSteps + effort.searchSteps);
  const least = effort.batchSize * Math.max(searched + 6 * cheapest, 6 * macsOf(referenceNetwork(space)));
  if (effort.trainingMacs >= least) return;
  throw inputError("effort_too_small", "the search and the training of what it finds need more", {
    path: ["effort", "trainingMacs"],
    expected: `at least ${Math.ceil(least)}`,
    received: `${effort.trainingMacs}`,
    hint: "more multiply-accumulates or fewer search steps",
  });
}

function requireBudget(name: string, network: Network, trainingMacs: number, { effort }: CoSearchOptions): void {
  const least = 2 * 3 * countPoints(network.graph) * effort.batchSize;
  if (trainingMacs >= least) return;
  throw inputError("effort_too_small", `nothing is left to train network "${name}" with`, {
    path: ["effort", "trainingMacs"],
    expected: `at least ${Math.ceil(effort.trainingMacs - trainingMacs + least)}`,
    received: `${effort.trainingMacs}`,
    hint: "the search spends a part of it: more multiply-accumulates or fewer search steps",
  });
}

/** Accuracies on the test images. */
async function measure(
  context: TrainingContext,
  { name, candidate, designed, operators }: Prepared,
): Promise<CandidateResult> {
  const delivered = await measureModel(candidate.onnx, context, "test");
  const float32 = await measureFloat32(candidate, context, "test");
  return {
    name,
    onnx: candidate.onnx,
    weights: candidate.weights,
    operators,
    accuracyFraction: delivered.accuracyFraction,
    float32AccuracyFraction: float32.accuracyFraction,
    validationAccuracyFraction: candidate.validationAccuracyFraction,
    testPredictions: Uint16Array.from(delivered.predictions),
    trainingMacs: candidate.trainingMacs,
    optimizerSteps: candidate.optimizerSteps,
    macs: candidate.macs,
    parameters: candidate.parameters,
    accelerator: designed.accelerator,
    hardware: designed.hardware,
    layers: designed.layers,
  };
}

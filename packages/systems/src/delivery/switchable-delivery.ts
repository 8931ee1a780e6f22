// The main job with `precision: switchable` or `defence: rps`: what was found is trained for all precisions at once, and
// delivered as a bundle beside the network at 8 bit. Puts systems together: it may know all of them.
import { inputError, internalError, type RandomStream } from "@dovetail/core";
import type { Architecture, Mapping } from "@dovetail/hardware";
import { countMacs, initializeParameters, type Network, parameterCount } from "@dovetail/models";
import { type SwitchableNetwork, spreadOverPrecisions, switchableNetwork, withBitWidths } from "@dovetail/quant";
import type { TrainingResult } from "@dovetail/train";
import { exportPrecision, isInteger, weightsAtPrecision } from "../bundle/export-precision.js";
import { graphAtPrecision } from "../bundle/graph-at-precision.js";
import { bundleFiles, type PrecisionDelivery } from "../bundle/make-bundle.js";
import { mapPrecision } from "../bundle/map-precision.js";
import { type CandidateOptions, measureModel, type TrainedCandidate, type TrainingContext } from "../dna/candidate.js";
import { chargedPrecision } from "../dna/options.js";
import type { AcceleratorResult } from "../dna/result.js";
import { trainSwitchable } from "../instantnet/train-switchable.js";
import { robustStepFactor, trainRobust } from "../two-in-one/train-robust.js";

/** How a `defence: rps` is trained. */
const defenceMethod = "pgd-7";

export interface SwitchableDelivery {
  /** For `runCoSearch`: trains what was found and makes its 8-bit file. */
  deliver(context: TrainingContext, candidate: CandidateOptions): Promise<TrainedCandidate>;
  /** The bundle's files by their paths inside it. To be called after `deliver`; reads the test images. */
  bundle(name: string, accelerator: AcceleratorResult, random: RandomStream): Promise<Map<string, string | Uint8Array>>;
}

interface Trained {
  readonly context: TrainingContext;
  readonly base: Network;
  readonly switchable: SwitchableNetwork;
  readonly weights: TrainingResult["weights"];
}

export function createSwitchableDelivery(): SwitchableDelivery {
  let trained: Trained | undefined;
  return {
    deliver: async (context, candidate) => {
      const { precisions } = context.options;
      const switchable = switchableNetwork(candidate.network, { bitWidths: precisions.toSorted((a, b) => a - b) });
      const { weights, effort } = await trainWithin(context, candidate, switchable);
      trained = { context, base: candidate.network, switchable, weights };
      return candidateOf(trained, candidate.name, effort);
    },
    bundle: (name, accelerator, random) => {
      if (!trained) throw internalError("nothing_delivered", "no switchable network has been trained yet");
      return filesOf(trained, name, accelerator, random);
    },
  };
}

interface Effort {
  readonly trainingMacs: number;
  readonly optimizerSteps: number;
}

/** Trains within the budget, at all precisions in each step or at a drawn one, attack included. */
async function trainWithin(
  { options, dataset, runtime, random, stages, watch }: TrainingContext,
  { name, network, weights, trainingMacs }: CandidateOptions,
  switchable: SwitchableNetwork,
): Promise<{ readonly weights: TrainingResult["weights"]; readonly effort: Effort }> {
  const { effort, training, defence, precisions } = options;
  const stream = random.split(name);
  const isDefence = defence === "rps";
  const macsOfStep =
    countMacs(network.graph) * effort.batchSize * (isDefence ? robustStepFactor(defenceMethod) : 3 * precisions.length);
  const steps = Math.floor(trainingMacs / macsOfStep);
  if (steps < 1) {
    throw inputError("effort_too_small", `nothing is left to train network "${name}" with`, {
      path: ["effort", "trainingMacs"],
      expected: `at least ${Math.ceil(effort.trainingMacs - trainingMacs + macsOfStep)}`,
      received: `${effort.trainingMacs}`,
    });
  }
  const first = weights ?? initializeParameters(network, stream.split("weights"));
  const stage = `${name}-switchable`;
  const common = {
    runtime,
    dataset,
    switchable,
    weights: new Map([
      ...initializeParameters(switchable.network, stream.split("ranges")),
      ...spreadOverPrecisions(switchable, first),
    ]),
    batchSize: effort.batchSize,
    epochs: Number.POSITIVE_INFINITY,
    steps,
    weightDecay: training.weightDecay,
    random: stream.split("switchable"),
    watch,
    resume: await stages.load(stage),
    onCheckpoint: (checkpoint: Parameters<typeof stages.save>[1]) => stages.save(stage, checkpoint),
    checkpointEverySteps: effort.checkpointEvery,
  };
  const result = isDefence
    ? await trainRobust({ ...common, method: defenceMethod, precisions })
    : await trainSwitchable(common);
  return { weights: result.weights, effort: { trainingMacs: steps * macsOfStep, optimizerSteps: steps } };
}

async function candidateOf(trained: Trained, name: string, effort: Effort): Promise<TrainedCandidate> {
  const { context, base, switchable, weights } = trained;
  const { runtime, dataset, options } = context;
  const { onnx } = await exportPrecision({ runtime, base, switchable, weights, bits: 8, dataset });
  const highest = Math.max(...switchable.bitWidths);
  return {
    name,
    onnx,
    weights,
    validationAccuracyFraction: (await measureModel(onnx, context, "validation")).accuracyFraction,
    ...effort,
    macs: countMacs(base.graph),
    parameters: parameterCount(base, { trainableOnly: true }),
    graph: withBitWidths(base, chargedPrecision(options)),
    float32: { network: base, weights: weightsAtPrecision(base, switchable, weights, highest) },
  };
}

/** A file, its accuracy and, on an ASIC, a mapping set for each precision. */
async function filesOf(
  { context, base, switchable, weights }: Trained,
  name: string,
  accelerator: AcceleratorResult,
  random: RandomStream,
): Promise<Map<string, string | Uint8Array>> {
  const { runtime, dataset, options, watch } = context;
  const architecture = accelerator.kind === "asic" ? accelerator.architecture : undefined;
  const precisions: PrecisionDelivery[] = [];
  let known: ReadonlyMap<string, Mapping> = new Map();
  for (const bits of switchable.bitWidths.toReversed()) {
    watch.signal?.throwIfAborted();
    const exported = await exportPrecision({ runtime, base, switchable, weights, bits, dataset });
    const { accuracyFraction } = await measureModel(exported.onnx, context, "test");
    const hardware = architecture && mappedAt(architecture, bits);
    precisions.push({ bits, ...exported, accuracyFraction, hardware });
  }
  return bundleFiles({
    name,
    classNames: dataset.classNames,
    imageShape: dataset.imageShape,
    precisions,
    randomSet: options.defence === "rps" ? switchable.bitWidths : undefined,
    architecture,
  });

  /** The widest first, so that what is found there serves narrower ones too: fewer bits never cost more. */
  function mappedAt(of: Architecture, bits: number): PrecisionDelivery["hardware"] {
    const mapped = mapPrecision({
      // Integer files have stem and classifier at these bits too.
      graph: isInteger(bits)
        ? withBitWidths(base, { weightBits: bits, activationBits: bits })
        : graphAtPrecision(base, bits),
      architecture: of,
      clockHz: options.target.clockHz,
      evaluations: options.effort.finalMapperEvaluations,
      known,
      random: random.split(bits),
      watch,
    });
    known = new Map(mapped.layers.map(({ name: layer, mapping }) => [layer, mapping]));
    return mapped;
  }
}

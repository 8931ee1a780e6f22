// SP-NAS: the operators of a switchable network are searched for by gradient (InstantNet, DAC 2021). All operators of a
// position run, weighted by Gumbel-softmax shares. In turn: shares on the validation half at the lowest precision plus
// λ · multiply-accumulates, weights on the training half at all precisions by cascade distillation.
import { inputError, type RandomStream, type Watch } from "@dovetail/core";
import { differentiate, GraphBuilder, scalar, type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import { initializeParameters, type Network, trainingForm } from "@dovetail/models";
import { type SwitchableNetwork, spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import type { Runtime, StateStore } from "@dovetail/runtime";
import { adamStep, argmax, type Categorical, createCategorical, drawGumbel } from "@dovetail/search";
import {
  type Batch,
  type BatchStream,
  type Checkpoint,
  type CompiledStep,
  cosine,
  createBatchStream,
  type DatasetPart,
  flipAndCrop,
  type ImageDataset,
  type Json,
  planStep,
  type StepPlan,
  sgd,
  softmaxCrossEntropy,
} from "@dovetail/train";
import {
  type FbnetSpace,
  fbnetSupernet,
  fixedMacs,
  operatorMacs,
  operatorNames,
  operatorShares,
} from "./fbnet-space.js";
import { type PassOptions, precisionPasses } from "./passes.js";

export interface SpNasOptions {
  readonly runtime: Runtime;
  /** Its parts `train` and `validation` are the halves. */
  readonly dataset: ImageDataset;
  readonly space: FbnetSpace;
  readonly bitWidths: readonly number[];
  readonly passes?: PassOptions | undefined;
  /** 64 by default. */
  readonly batchSize?: number | undefined;
  /** 25 as published. */
  readonly epochs: number;
  /** Window in which the multiply-accumulates of the derived network are to lie; as published 1.2e8 to 1.3e8. */
  readonly macsWindow: readonly [number, number];
  /** First λ, of one multiply-accumulate; 1e-10 by default. */
  readonly costWeight?: number | undefined;
  /** Of SGD on the weights, along a cosine to 0.001; 0.025 by default. */
  readonly weightLearningRate?: number | undefined;
  /** Of Adam (betas 0.5, 0.999) on the logits; 3e-4 by default. */
  readonly operatorLearningRate?: number | undefined;
  /** Of the Gumbel softmax at first; 3 by default. */
  readonly temperature?: number | undefined;
  /** It is multiplied by this after each epoch; 0.88 by default. */
  readonly temperatureDecay?: number | undefined;
  /** Only its identity counts. */
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
  readonly resume?: Checkpoint | undefined;
  /** After each epoch. */
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => Promise<void>) | undefined;
}

export interface SpNasEpoch {
  readonly trainingLoss: number;
  readonly validationLoss: number;
  /** Multiply-accumulates of the derived network. */
  readonly macs: number;
  readonly costWeight: number;
  readonly choices: readonly number[];
}

export interface SpNasResult {
  /** The likeliest operator of each position. */
  readonly choices: readonly number[];
  readonly operators: readonly string[];
  /** Multiply-accumulates of an image in the derived network. */
  readonly macs: number;
  readonly history: readonly SpNasEpoch[];
}

interface Progress {
  epoch: number;
  operators: Categorical[];
  costWeight: number;
  history: SpNasEpoch[];
}

/** Logits start alike; the public code starts them within 1e-3 of each other. */
export async function searchNetwork(options: SpNasOptions): Promise<SpNasResult> {
  const { runtime, space, random, resume, costWeight = 1e-10 } = options;
  const supernet = fbnetSupernet(space);
  const switchable = switchableNetwork(supernet, { bitWidths: options.bitWidths, fullPrecision: isFixed });
  const search = openCosts(space);
  const progress: Progress = resume
    ? (resume.state as unknown as Progress)
    : {
        epoch: 0,
        operators: space.positions.map(() => createCategorical(operatorNames.length)),
        costWeight,
        history: [],
      };
  const plan = planWeightStep(options, switchable);
  const initial = spreadOverPrecisions(switchable, initializeParameters(supernet, random.split("weights")));
  const ranges = initializeParameters(switchable.network, random.split("ranges"));
  const state = runtime.createState(resume?.tensors ?? new Map([...ranges, ...initial, ...plan.initialMemory()]));
  const weightStep = await plan.compile(runtime, state);
  const shareGradient = await compileShareGradient(options, switchable, state);
  try {
    while (progress.epoch < options.epochs) {
      await runEpoch({ options, switchable, state, plan, weightStep, shareGradient, progress, costs: search });
      await options.onCheckpoint?.({
        tensors: state.snapshot(),
        state: JSON.parse(JSON.stringify(progress)) as Json,
      });
    }
  } finally {
    await weightStep.release();
    await shareGradient.release();
  }
  const choices = progress.operators.map(({ logits }) => argmax(logits));
  return {
    choices,
    operators: choices.map((choice) => operatorNames[choice]!),
    macs: search.macsOf(choices),
    history: progress.history,
  };
}

/** Stem, header and classifier stay in full precision. */
export function isFixed({ role, name }: { readonly role: string; readonly name: string }): boolean {
  return role === "stem" || role === "classifier" || name.startsWith("header");
}

interface Costs {
  /** [position][operator]. */
  readonly macs: readonly (readonly number[])[];
  macsOf(choices: readonly number[]): number;
}

function openCosts(space: FbnetSpace): Costs {
  const macs = operatorMacs(space);
  const fixed = fixedMacs(space);
  return {
    macs,
    macsOf: (choices) => choices.reduce((sum, choice, position) => sum + macs[position]![choice]!, fixed),
  };
}

function planWeightStep({ batchSize = 64, passes }: SpNasOptions, switchable: SwitchableNetwork): StepPlan {
  return planStep(
    switchable.network,
    { loss: softmaxCrossEntropy(), optimizer: sgd({ momentum: 0.9, weightDecay: 5e-4 }), batchSize },
    precisionPasses(switchable, passes),
  );
}

interface ShareGradient {
  /** Loss of the batch at the lowest precision, and its gradient to the shares, [positions × operators]. */
  run(images: Tensor, labels: Tensor): Promise<{ readonly loss: number; readonly gradient: Float32Array }>;
  release(): Promise<void>;
}

async function compileShareGradient(
  { runtime, batchSize = 64 }: SpNasOptions,
  { network, bitWidths, setting }: SwitchableNetwork,
  state: StateStore,
): Promise<ShareGradient> {
  const form = trainingForm(network, { batchSize });
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  const loss = softmaxCrossEntropy();
  const logits = g.value(form.logits);
  const { elementType, shape } = loss.target(logits.type.shape!);
  const value = loss.build(g, logits, g.input("target", elementType, shape));
  const [gradient] = differentiate(g, { loss: value, withRespectTo: [g.value(operatorShares)] });
  g.output(value, "loss");
  g.output(gradient!, "gradient");
  const segment = await runtime.compile(g.build(), { state });
  const lowest = Object.entries(setting(Math.min(...bitWidths))).map(([name, bits]) => [name, scalar(bits)]);
  return {
    run: async (images, labels) => {
      const outputs = await segment.run({ ...Object.fromEntries(lowest), [network.image]: images, target: labels });
      return { loss: tensorNumbers(outputs.loss!)[0]!, gradient: outputs.gradient!.data as Float32Array };
    },
    release: () => segment.release(),
  };
}

interface EpochParts {
  readonly options: SpNasOptions;
  readonly switchable: SwitchableNetwork;
  readonly state: StateStore;
  readonly plan: StepPlan;
  readonly weightStep: CompiledStep;
  readonly shareGradient: ShareGradient;
  readonly progress: Progress;
  readonly costs: Costs;
}

async function runEpoch(parts: EpochParts): Promise<void> {
  const { options, progress, costs } = parts;
  const { temperature = 3, temperatureDecay = 0.88, random, watch } = options;
  const train = openBatches(options, "train", progress.epoch);
  const validation = openBatches(options, "validation", progress.epoch);
  const { stepsPerEpoch } = train;
  const sums = { training: 0, validation: 0 };
  try {
    for (let step = 0; step < stepsPerEpoch; step++) {
      watch?.signal?.throwIfAborted();
      const index = progress.epoch * stepsPerEpoch + step;
      const stream = random.split("step").split(index);
      const heat = temperature * temperatureDecay ** progress.epoch;
      sums.validation += await operatorStep(parts, (await validation.next())!, heat, stream.split("operators"));
      writeShares(parts, draw(progress, heat, stream.split("weights")));
      sums.training += await stepWeights(parts, (await train.next())!, index, options.epochs * stepsPerEpoch);
      watch?.onProgress?.({
        task: "search operators",
        done: index + 1,
        total: options.epochs * stepsPerEpoch,
        unit: "steps",
        figures: { loss: sums.training / (step + 1) },
      });
    }
  } finally {
    await train.close();
    await validation.close();
  }
  const choices = progress.operators.map(({ logits }) => argmax(logits));
  const macs = costs.macsOf(choices);
  progress.history.push({
    trainingLoss: sums.training / stepsPerEpoch,
    validationLoss: sums.validation / stepsPerEpoch,
    macs,
    costWeight: progress.costWeight,
    choices,
  });
  const [least, most] = options.macsWindow;
  if (macs < least) progress.costWeight /= 2;
  if (macs > most) progress.costWeight *= 2;
  progress.epoch++;
}

function openBatches(
  { dataset, batchSize = 64, random }: SpNasOptions,
  part: Exclude<DatasetPart, "test">,
  epoch: number,
): BatchStream {
  if (dataset.parts[part].count < batchSize) {
    throw inputError("batch_size", `the ${part} part of the data has fewer images than a batch`, {
      expected: `at most ${dataset.parts[part].count}`,
      received: `${batchSize}`,
    });
  }
  return createBatchStream({
    dataset,
    part,
    batchSize,
    random: random.split(`batches/${part}`),
    augmentation: flipAndCrop,
    start: { epoch, step: 0 },
  });
}

/** Gumbel-softmax shares of all positions. */
function draw({ operators }: Progress, temperature: number, random: RandomStream): (readonly number[])[] {
  return operators.map(({ logits }, position) => drawGumbel(logits, temperature, random.split(position)).soft);
}

function writeShares({ state }: EpochParts, shares: readonly (readonly number[])[]): void {
  const { dimensions } = state.read(operatorShares);
  state.write(operatorShares, tensorFromData("float32", dimensions, Float32Array.from(shares.flat())));
}

/** A step of Adam on the logits: loss at the lowest precision + λ · expected multiply-accumulates. Returns the loss. */
async function operatorStep(
  parts: EpochParts,
  batch: Batch,
  temperature: number,
  random: RandomStream,
): Promise<number> {
  const { options, progress, costs, shareGradient } = parts;
  const shares = draw(progress, temperature, random);
  writeShares(parts, shares);
  const { loss, gradient } = await shareGradient.run(imagesOf(options, batch), labelsOf(batch));
  progress.operators.forEach((operator, position) => {
    const row = shares[position]!;
    const slopes = row.map(
      (_, index) => gradient[position * row.length + index]! + progress.costWeight * costs.macs[position]![index]!,
    );
    const mean = row.reduce((sum, share, index) => sum + share * slopes[index]!, 0);
    // Through the softmax of (logits + noise) / temperature.
    const ofLogits = row.map((share, index) => (share * (slopes[index]! - mean)) / temperature);
    adamStep(operator, ofLogits, { learningRate: options.operatorLearningRate ?? 3e-4 });
  });
  return loss;
}

async function stepWeights(
  { options, switchable, plan, weightStep }: EpochParts,
  batch: Batch,
  index: number,
  total: number,
): Promise<number> {
  const schedule = cosine({ value: options.weightLearningRate ?? 0.025, final: 0.001, steps: total });
  const values: Readonly<Record<string, number>> = { learningRate: schedule(index), momentum: 0.9, weightDecay: 5e-4 };
  const feeds: Record<string, Tensor> = {
    [plan.image]: imagesOf(options, batch),
    [plan.target]: labelsOf(batch),
    ...settingFeeds(switchable.network),
  };
  for (const [name, input] of Object.entries(plan.hyperparameters)) feeds[input] = scalar(values[name]!);
  const outputs = await weightStep.run(feeds, index);
  return tensorNumbers(outputs[plan.loss]!)[0]!;
}

function settingFeeds({ scalars }: Network): Record<string, Tensor> {
  return Object.fromEntries(scalars.map(({ name, value }) => [name, scalar(value)]));
}

function imagesOf({ dataset }: SpNasOptions, batch: Batch): Tensor {
  return tensorFromData("float32", [batch.count, ...dataset.imageShape], batch.images);
}

function labelsOf({ count, labels }: Batch): Tensor {
  return tensorFromData("int64", [count], labels);
}

// DNA: differentiable network–accelerator co-search (Zhang, Fu et al., arXiv 2010.14778).
//   min over α: L_val(w*, net(α)) + λ·log cost(hw(γ*), net(α));  w* = argmin L_train;  γ* = argmin cost(hw(γ), net(α))
// Weights, operators and accelerator are stepped in turn. Single-path forward; the two most probable draws of each
// position carry the gradient to the operators (seeds-hardware.md §2.2, §2.3).
import type { RandomStream, Watch } from "@dovetail/core";
import { type Tensor, tensorFromData } from "@dovetail/graph";
import type { Runtime } from "@dovetail/runtime";
import {
  argmax,
  type Categorical,
  createCategorical,
  createSupernet,
  drawTop,
  entropyFraction,
  type HardwareModel,
  type OperatorPrices,
  probabilities,
  proxyHardGradient,
  proxyHardStep,
  type SearchSpace,
  type SpaceLayers,
  type Supernet,
  type SupernetBatch,
} from "@dovetail/search";
import {
  type Batch,
  type BatchStream,
  type Checkpoint,
  cosine,
  createBatchStream,
  type ImageDataset,
  type Json,
  softmaxCrossEntropy,
} from "@dovetail/train";
import type { Effort, SearchSettings, TrainingSettings } from "./options.js";
import type { SearchPoint, SearchTrace } from "./result.js";
import type { StageStore } from "./stages.js";
import { weightOptimizer } from "./weight-optimizer.js";

export interface AlternateOptions<Layer, Design, State> {
  readonly space: SearchSpace;
  readonly dataset: ImageDataset;
  readonly hardware: HardwareModel<Layer, Design, State>;
  /** Layers of every operator at the precision that will be delivered. */
  readonly layers: SpaceLayers<Layer>;
  readonly effort: Effort;
  readonly settings: SearchSettings;
  readonly training: TrainingSettings;
  readonly runtime: Runtime;
  readonly random: RandomStream;
  readonly stages: StageStore;
  readonly watch: Watch;
  /** Layers of the reference network: `settings.costTarget` is a fraction of its cost on the reference design. */
  readonly referenceLayers: readonly Layer[];
  /** Distributions of the accelerator's parameters, for the trace. */
  readonly describeDesigns: (state: State) => SearchTrace["acceleratorDistributions"][number]["parameters"];
}

/** Everything that changes in the course of the search, but tensors. Plain JSON. */
interface Progress<Design, State> {
  step: number;
  operators: Categorical[];
  design: Design;
  designState: State | null;
  prices: OperatorPrices;
  hardwareWeight: number;
  evaluations: number;
  trainingMacs: number;
  lossSum: number;
  lossCount: number;
  points: SearchPoint[];
  operatorDistributions: { step: number; probabilities: number[][] }[];
  acceleratorDistributions: {
    step: number;
    parameters: SearchTrace["acceleratorDistributions"][number]["parameters"];
  }[];
}

export interface AlternateResult<Design, State> {
  /** The likeliest operator of each position. */
  readonly choices: readonly number[];
  /** Parameters of the supernet: the found network's have the same names there. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly design: Design;
  readonly designState: State | undefined;
  readonly trace: Omit<SearchTrace, "acceleratorTrace">;
  readonly trainingMacs: number;
  readonly optimizerSteps: number;
  readonly evaluations: number;
}

const stageName = "search";
/** Steps between two points of the trace. */
const traceEvery = 5;

/** Runs the alternating search from its last checkpoint, or from the beginning. */
export async function alternate<Layer, Design, State>(
  options: AlternateOptions<Layer, Design, State>,
): Promise<AlternateResult<Design, State>> {
  const { space, effort, runtime, random, stages, watch } = options;
  const supernet = createSupernet({
    space,
    runtime,
    batchSize: effort.batchSize,
    optimizer: weightOptimizer({ momentum: 0.9, weightDecay: options.training.weightDecay }),
    loss: softmaxCrossEntropy(),
    random: random.split("weights"),
  });
  try {
    const saved = await stages.load(stageName);
    const progress = saved ? (saved.state as unknown as Progress<Design, State>) : beginning(options);
    for (const [name, tensor] of saved?.tensors ?? []) supernet.state.write(name, tensor);
    await steps(options, supernet, progress);
    return {
      choices: progress.operators.map(({ logits }) => argmax(logits)),
      weights: supernet.state.snapshot(),
      design: progress.design,
      designState: progress.designState ?? undefined,
      trace: {
        positions: space.positions.map(({ name }) => name),
        operators: space.operators.map(({ name }) => name),
        points: progress.points,
        operatorDistributions: progress.operatorDistributions,
        acceleratorDistributions: progress.acceleratorDistributions,
      },
      trainingMacs: progress.trainingMacs,
      optimizerSteps: progress.step,
      evaluations: progress.evaluations,
    };
  } finally {
    await supernet.release();
    watch.signal?.throwIfAborted();
  }
}

function beginning<Layer, Design, State>({
  space,
  hardware,
  layers,
  settings,
}: AlternateOptions<Layer, Design, State>): Progress<Design, State> {
  const operators = space.positions.map(() => createCategorical(space.operators.length));
  return {
    step: 0,
    operators,
    design: hardware.referenceDesign,
    designState: null,
    prices: hardware.operatorPrices(
      layers,
      operators.map(({ logits }) => probabilities(logits)),
      hardware.referenceDesign,
    ),
    hardwareWeight: settings.hardwareWeight,
    evaluations: 0,
    trainingMacs: 0,
    lossSum: 0,
    lossCount: 0,
    points: [],
    operatorDistributions: [],
    acceleratorDistributions: [],
  };
}

async function steps<Layer, Design, State>(
  options: AlternateOptions<Layer, Design, State>,
  supernet: Supernet,
  progress: Progress<Design, State>,
): Promise<void> {
  const { effort, random, stages, watch } = options;
  const total = effort.warmUpSteps + effort.searchSteps;
  const trainBatches = openBatches(options, "train", progress.step);
  const validationBatches = openBatches(options, "validation", Math.max(0, progress.step - effort.warmUpSteps));
  const save = (): Promise<void> =>
    stages.save(stageName, {
      tensors: supernet.state.snapshot(),
      state: progress as unknown as Json,
    } satisfies Checkpoint);
  try {
    while (progress.step < total) {
      if (watch.signal?.aborted) {
        await save();
        throw watch.signal.reason;
      }
      const stream = random.split("step").split(progress.step);
      await weightStep(options, supernet, progress, await next(trainBatches), stream.split("path"));
      const searching = progress.step >= effort.warmUpSteps;
      let validationLoss: number | undefined;
      if (searching) {
        validationLoss = await operatorStep(
          options,
          supernet,
          progress,
          await next(validationBatches),
          stream.split("active"),
        );
        const searched = progress.step - effort.warmUpSteps + 1;
        if (searched % effort.acceleratorEvery === 0)
          await acceleratorStep(options, progress, stream.split("accelerator"));
      }
      record(options, progress, validationLoss);
      progress.step++;
      watch.onProgress?.({
        task: "search network and accelerator",
        done: progress.step,
        total,
        unit: "steps",
        figures: { loss: progress.points.at(-1)?.trainingLoss ?? 0, entropyFraction: meanEntropy(progress.operators) },
      });
      if (progress.step % effort.checkpointEvery === 0 || progress.step === total) await save();
    }
  } finally {
    await trainBatches.close();
    await validationBatches.close();
  }
}

function openBatches<Layer, Design, State>(
  { dataset, effort, random, training }: AlternateOptions<Layer, Design, State>,
  part: "train" | "validation",
  step: number,
): BatchStream {
  const stepsPerEpoch = Math.floor(dataset.parts[part].count / effort.batchSize);
  return createBatchStream({
    dataset,
    part,
    batchSize: effort.batchSize,
    random: random.split(`batches/${part}`),
    augmentation: { flip: training.flip, cropPadding: part === "train" ? training.cropPadding : 0, cutout: 0 },
    start: { epoch: Math.floor(step / stepsPerEpoch), step: step % stepsPerEpoch },
  });
}

async function next(stream: BatchStream): Promise<Batch> {
  return (await stream.next())!;
}

function tensorsOf({ imageShape }: ImageDataset, batch: Batch): SupernetBatch {
  return {
    images: tensorFromData("float32", [batch.count, ...imageShape], batch.images),
    labels: tensorFromData("int64", [batch.count], batch.labels),
  };
}

/** w: one optimizer step on the weights of one drawn path. While warming up all operators are equally likely. */
async function weightStep<Layer, Design, State>(
  options: AlternateOptions<Layer, Design, State>,
  supernet: Supernet,
  progress: Progress<Design, State>,
  batch: Batch,
  random: RandomStream,
): Promise<void> {
  const { effort, settings, dataset } = options;
  const path = progress.operators.map(({ logits }) => drawTop(logits, 1, 1, random)[0]!);
  const total = effort.warmUpSteps + effort.searchSteps;
  const learningRate = cosine({ value: settings.weightLearningRate, steps: total })(progress.step);
  progress.lossSum += await supernet.trainPath(path, tensorsOf(dataset, batch), { learningRate });
  progress.lossCount++;
  progress.trainingMacs += supernet.trainingMacs(path);
}

function temperatureAt({ effort, settings }: { effort: Effort; settings: SearchSettings }, step: number): number {
  const share = Math.max(0, step - effort.warmUpSteps) / Math.max(1, effort.searchSteps - 1);
  return settings.initialTemperature * (settings.finalTemperature / settings.initialTemperature) ** share;
}

/** α: one step of Adam on the logits of two drawn operators a position, from validation images and the hardware's prices. */
async function operatorStep<Layer, Design, State>(
  options: AlternateOptions<Layer, Design, State>,
  supernet: Supernet,
  progress: Progress<Design, State>,
  batch: Batch,
  random: RandomStream,
): Promise<number> {
  const { settings, dataset } = options;
  const temperature = temperatureAt(options, progress.step);
  const active = progress.operators.map(({ logits }) => drawTop(logits, 2, temperature, random) as [number, number]);
  const { loss, products } = await supernet.probe(active, tensorsOf(dataset, batch));
  progress.operators.forEach((operator, position) => {
    const pair = active[position]!;
    const price = progress.prices.prices[position]!;
    const signal = pair.map((choice, index) => products[position]![index]! + progress.hardwareWeight * price[choice]!);
    const logits = [operator.logits[pair[0]]!, operator.logits[pair[1]]!] as const;
    const gradient = proxyHardGradient(logits, signal as [number, number]);
    proxyHardStep(operator, pair, gradient, { learningRate: settings.operatorLearningRate });
  });
  progress.trainingMacs += supernet.probeMacs(active);
  return loss;
}

/** γ: the accelerator is designed anew for the likeliest network, and the operators are priced on it. */
async function acceleratorStep<Layer, Design, State>(
  options: AlternateOptions<Layer, Design, State>,
  progress: Progress<Design, State>,
  random: RandomStream,
): Promise<void> {
  const { hardware, layers, effort, settings, watch } = options;
  const choices = progress.operators.map(({ logits }) => argmax(logits));
  const network = [...layers.fixed, ...choices.flatMap((operator, position) => layers.positions[position]![operator]!)];
  const redesign = await hardware.redesign(network, progress.designState ?? undefined, {
    evaluations: effort.acceleratorEvaluations,
    random,
    watch: { signal: watch.signal },
  });
  progress.design = redesign.design;
  progress.designState = redesign.state;
  progress.evaluations += redesign.evaluations;
  const distributions = progress.operators.map(({ logits }) => probabilities(logits));
  progress.prices = hardware.operatorPrices(layers, distributions, redesign.design);
  const target = hardware.logCost(options.referenceLayers, hardware.referenceDesign) + Math.log(settings.costTarget);
  progress.hardwareWeight *= Math.exp(settings.hardwareWeightRate * (progress.prices.logCost - target));
  progress.acceleratorDistributions.push({ step: progress.step, parameters: options.describeDesigns(redesign.state) });
}

function meanEntropy(operators: readonly Categorical[]): number {
  return operators.reduce((sum, { logits }) => sum + entropyFraction(logits), 0) / operators.length;
}

function record<Layer, Design, State>(
  options: AlternateOptions<Layer, Design, State>,
  progress: Progress<Design, State>,
  validationLoss: number | undefined,
): void {
  const { step } = progress;
  const isLast = step === options.effort.warmUpSteps + options.effort.searchSteps - 1;
  if (step % traceEvery !== 0 && !isLast) return;
  const searching = step >= options.effort.warmUpSteps;
  progress.points.push({
    step,
    phase: searching ? "search" : "warm-up",
    trainingLoss: progress.lossSum / progress.lossCount,
    ...(validationLoss === undefined ? {} : { validationLoss }),
    temperature: temperatureAt(options, step),
    expectedLogCost: progress.prices.logCost,
    hardwareWeight: progress.hardwareWeight,
    meanEntropyFraction: meanEntropy(progress.operators),
  });
  progress.lossSum = 0;
  progress.lossCount = 0;
  progress.operatorDistributions.push({
    step,
    probabilities: progress.operators.map(({ logits }) => probabilities(logits)),
  });
}

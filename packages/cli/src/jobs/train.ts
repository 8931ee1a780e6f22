import { join } from "node:path";
import { createRandomStream, inputError, type Log, type RandomStream } from "@dovetail/core";
import { readModel, type Tensor, writeModel } from "@dovetail/graph";
import {
  exportModel,
  initializeParameters,
  type Network,
  networkOfModel,
  withoutParameterNotes,
  zooNetwork,
} from "@dovetail/models";
import { valuesFrom } from "@dovetail/quant";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import {
  denseNetwork,
  factoredMethodOf,
  isShiftAdd,
  isSmartDeal,
  methodOf,
  type PreparedTraining,
  prepareFactored,
  prepareShiftAdd,
  prepareTraining,
  type SmartDealMethod,
} from "@dovetail/systems";
import {
  adam,
  adamW,
  type BatchPosition,
  constant,
  cosine,
  createBatchStream,
  encodeSafetensors,
  evaluateModel,
  type ImageDataset,
  type Loss,
  linearWarmUp,
  loadDataset,
  type Optimizer,
  oneCycle,
  radam,
  readWholeFile,
  type Schedule,
  sgd,
  softmaxCrossEntropy,
  stepSchedule,
  type TrainingResult,
  train,
} from "@dovetail/train";
import { readDocumentFile } from "../files/read-text.js";
import { readTraining } from "../recipes/read-training.js";
import type { TrainingRecipe } from "../recipes/training-schema.js";
import { runFiles } from "../runs/layout.js";
import { type TrainMetrics, taskFigures, trainMetricsSchema } from "../runs/metrics.js";
import { originOf } from "../runs/origin.js";
import type { FileContents } from "../runs/run.js";
import { cacheFolder } from "../terminal/cache-folder.js";
import type { Job, JobContext } from "./job.js";
import { jsonText } from "./json-text.js";

/** `dovetail train`: weights for a network of the zoo or of the user's own. */
export const trainJob: Job = async (context) => {
  const { run, watch, environment } = context;
  const path = join(run.folder, runFiles.training);
  const recipe = await readDocumentFile(path, readTraining);
  const { baseFolder } = run.record;
  const place = { baseFolder, environment, cacheFolder: cacheFolder(environment) };
  const dataset = await loadDataset(recipe.data, { ...place, ...watch });
  const random = createRandomStream(recipe.seed);
  const subject = await subjectOf(context, recipe, dataset, random.split("weights"));
  const plan = planOf(recipe, dataset, subject);
  const { weights, history, effort, delivered } = await trainSubject(context, recipe, dataset, plan, random);
  const { classNames } = dataset;
  const scalars = plan.controller?.scalars();
  const onnx = writeModel(exportModel(delivered.network, delivered.weights, { classNames, scalars }));
  const test = await evaluateModel(onnx, { dataset, part: "test", watch });
  const validation =
    dataset.parts.validation.count > 0 ? await evaluateModel(onnx, { dataset, part: "validation", watch }) : undefined;
  const { accuracyFraction } = test;
  const given = new Map<string, Uint8Array>([
    [runFiles.training, await readWholeFile(path, 2 ** 26)],
    ...(subject.file ? [[runFiles.input, subject.file] as const] : []),
  ]);
  const metrics: TrainMetrics = trainMetricsSchema.parse({
    task: taskFigures(
      {
        accuracyFraction,
        // What is delivered is in float32 itself.
        float32AccuracyFraction: accuracyFraction,
        validationAccuracyFraction: validation?.accuracyFraction,
      },
      dataset.parts.test.count,
    ),
    effort: { ...effort, ...(recipe.method && plan.controller && { bitMacs: plan.controller.bits().total }) },
    ...originOf(run.record, recipe.seed, dataset, given),
  });
  return new Map<string, FileContents>([
    [runFiles.network, onnx],
    [runFiles.weights, encodeSafetensors(weights)],
    [runFiles.history, jsonText(history)],
    [runFiles.metrics, jsonText(metrics)],
  ]);
};

/** What is trained. */
interface Subject {
  readonly network: Network;
  /** First values of its parameters. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The user's own file. */
  readonly file?: Uint8Array | undefined;
}

async function subjectOf(
  { run, watch }: JobContext,
  { network: name, fromScratch }: TrainingRecipe,
  dataset: ImageDataset,
  random: RandomStream,
): Promise<Subject> {
  const { imageShape, classNames, channelMean, channelStandardDeviation } = dataset;
  if (name !== undefined) {
    const [, height, width] = imageShape;
    const pixels = { height, width, mean: channelMean, standardDeviation: channelStandardDeviation };
    const network = zooNetwork(name, { classCount: classNames.length, pixels });
    return { network, weights: initializeParameters(network, random) };
  }
  const file = await readWholeFile(join(run.folder, runFiles.input), 2 ** 31 - 1);
  const { network: given, weights } = networkOfModel(readModel(file));
  requireImages(given, dataset);
  warnOfComputedWeights(given, watch.log);
  const network = withoutParameterNotes(given);
  return { network, weights: fromScratch ? initializeParameters(network, random) : weights, file };
}

const products = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul", "AdderConv"]);

/** In quantized files and in those of fixed point weights come out of constants by operators: no training finds them. */
function warnOfComputedWeights(network: Network, log: Log): void {
  const trained = new Set(network.parameters.map(({ name }) => name));
  const data = valuesFrom(network, new Set([network.image]));
  const weights = network.graph.nodes.flatMap(({ operator, inputs: [, weight] }) =>
    products.has(operator) && weight !== undefined && !data.has(weight) ? [weight] : [],
  );
  const computed = weights.filter((weight) => !trained.has(weight));
  if (computed.length === 0) return;
  log.warn(
    `${computed.length} of ${weights.length} layers compute their weights inside the file, as quantized and fixed-point networks do: these weights are not trained; begin with the float32 file`,
  );
}

/** Throws the input error `data_mismatch` when the user's network is not made for the data set's images. */
export function requireImages({ graph, image, classCount }: Network, dataset: ImageDataset): void {
  const shape = graph.types.get(image)?.shape?.slice(1) ?? [];
  const { imageShape, classNames, name } = dataset;
  if (shape.join("×") === imageShape.join("×") && classCount === classNames.length) return;
  throw inputError("data_mismatch", "the network does not fit the data set", {
    file: "--network",
    expected: `images of ${imageShape.join("×")}, ${classNames.length} classes (${name})`,
    received: `images of ${shape.join("×")}, ${classCount} classes`,
  });
}

/** The subject as the recipe's method trains it. */
interface TrainingPlan {
  readonly network: Network;
  /** First values; parameters that the method adds beside these are drawn. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly controller?: PreparedTraining["controller"] | undefined;
  /** What stands for the trained network in the file. */
  delivered(trained: ReadonlyMap<string, Tensor>, runtime: Runtime): Subject | Promise<Subject>;
}

function planOf(recipe: TrainingRecipe, dataset: ImageDataset, subject: Subject): TrainingPlan {
  const { method = methodOf({ kind: "float32" }), batchSize, epochs, labelSmoothing, optimizer } = recipe;
  const stepsPerEpoch = stepsPerEpochOf(dataset, batchSize);
  const loss = softmaxCrossEntropy({ labelSmoothing });
  if (isSmartDeal(method)) return { ...factoredPlan(recipe, method, subject, stepsPerEpoch), loss };
  if (isShiftAdd(method)) {
    const trained = recipe.fromScratch ? undefined : subject.weights;
    return { ...prepareShiftAdd(subject.network, method, { trained, optimizer: optimizers[optimizer](recipe) }), loss };
  }
  const prepared = prepareTraining(subject.network, method, { batchSize, steps: epochs * stepsPerEpoch, loss });
  return {
    ...prepared,
    weights: subject.weights,
    optimizer: optimizers[optimizer](recipe),
    delivered: (weights) => ({ network: prepared.network, weights }),
  };
}

/** Coefficients and bases; the file has the weights that they are, as any other network. */
function factoredPlan(
  { momentum, weightDecay, optimizer, nesterov }: TrainingRecipe,
  method: SmartDealMethod,
  { network, weights }: Subject,
  stepsPerEpoch: number,
): Omit<TrainingPlan, "loss"> {
  if (optimizer !== "sgd" || nesterov) {
    throw inputError("method_optimizer", `method ${method.kind} has steps of its own`, {
      file: "--optimizer",
      expected: "sgd without --nesterov",
      received: nesterov ? `${optimizer} with --nesterov` : optimizer,
    });
  }
  const options = { weights, momentum, weightDecay, stepsPerEpoch };
  const { factored, factors, optimizer: own } = prepareFactored(network, factoredMethodOf(method), options);
  return {
    network: factored.network,
    weights: new Map([...weights, ...factors]),
    optimizer: own,
    delivered: (trained) => denseNetwork(network, factored, trained),
  };
}

/** Throws the input error `batch_size` where a batch is larger than the training part. */
function stepsPerEpochOf(dataset: ImageDataset, batchSize: number): number {
  const { count } = dataset.parts.train;
  if (batchSize <= count) return Math.floor(count / batchSize);
  throw inputError("batch_size", "a batch is larger than the training part", {
    file: "--batch-size",
    expected: `at most ${count}`,
    received: `${batchSize}`,
  });
}

async function trainSubject(
  { run, watch }: JobContext,
  recipe: TrainingRecipe,
  dataset: ImageDataset,
  { network, weights, loss, optimizer, controller, delivered }: TrainingPlan,
  random: RandomStream,
): Promise<TrainingResult & { readonly delivered: Subject }> {
  const { batchSize, epochs, augmentation, maximumNorm, checkpointEvery } = recipe;
  const stepsPerEpoch = stepsPerEpochOf(dataset, batchSize);
  const added = initializeParameters(network, random.split("weights"));
  const order = random.split("batches");
  const { provider, threads } = run.record;
  const runtime = await createRuntime({ provider, threads });
  try {
    const result = await train({
      runtime,
      network,
      weights: new Map([...added, ...weights]),
      batches: (start: BatchPosition) =>
        createBatchStream({ dataset, part: "train", batchSize, random: order, augmentation, start }),
      batchSize,
      epochs,
      optimizer,
      learningRate: scheduleOf(recipe, stepsPerEpoch),
      loss,
      controller: recipe.method && controller,
      maximumNorm,
      random: random.split("dropout"),
      validation: dataset.parts.validation.count > 0 ? { dataset, part: "validation" } : undefined,
      watch,
      checkpointEverySteps: checkpointEvery,
      onCheckpoint: (checkpoint) => run.stages.save("train", checkpoint),
      resume: await run.stages.load("train"),
    });
    return { ...result, delivered: await delivered(result.weights, runtime) };
  } finally {
    await runtime.release();
  }
}

const optimizers: Readonly<Record<TrainingRecipe["optimizer"], (recipe: TrainingRecipe) => Optimizer>> = {
  sgd: ({ momentum, nesterov, weightDecay }) => sgd({ momentum, nesterov, weightDecay }),
  adam: ({ weightDecay }) => adam({ weightDecay }),
  adamw: ({ weightDecay }) => adamW({ weightDecay }),
  radam: ({ weightDecay }) => radam({ weightDecay }),
};

/** Schedules over `steps` steps whose highest value is `value`. */
const schedules: Readonly<Record<TrainingRecipe["schedule"], (value: number, steps: number) => Schedule>> = {
  constant: (value) => constant(value),
  step: (value, steps) => stepSchedule({ value, milestones: [Math.floor(steps / 2), Math.floor((3 * steps) / 4)] }),
  cosine: (value, steps) => cosine({ value, steps }),
  "one-cycle": (maximum, steps) => oneCycle({ maximum, steps }),
};

/** Where a warm-up begins, as a share of the value that it leads to. */
const warmUpStart = 0.1;

function scheduleOf({ schedule, learningRate, epochs, warmUpEpochs }: TrainingRecipe, stepsPerEpoch: number): Schedule {
  const steps = epochs * stepsPerEpoch;
  const warmUp = Math.round(warmUpEpochs * stepsPerEpoch);
  if (warmUp === 0) return schedules[schedule](learningRate, steps);
  const next = schedules[schedule](learningRate, Math.max(1, steps - warmUp));
  return linearWarmUp({ steps: warmUp, startFactor: warmUpStart, next });
}

import { basename } from "node:path";
import { inputError, nearestWord } from "@dovetail/core";
import { checkDocument } from "@dovetail/hardware";
import { zoo } from "@dovetail/models";
import type { ProviderName } from "@dovetail/runtime";
import { type TrainingMethodKind, trainingMethodSchema } from "@dovetail/systems";
import { isPresent } from "@dovetail/train";
import { type Command, Option } from "commander";
import { readNetwork } from "../files/read-network.js";
import { carryOut } from "../jobs/carry-out.js";
import { dataDescription, dataOptionHelp, parseAssignment } from "../recipes/data-option.js";
import { printTraining } from "../recipes/read-training.js";
import { type TrainingRecipe, trainingSchema } from "../recipes/training-schema.js";
import { runFiles } from "../runs/layout.js";
import { beginRun, type Run } from "../runs/run.js";
import { type CommandIo, type CommonOptions, withWatch } from "../terminal/command-io.js";
import { currentVersions } from "../terminal/versions.js";
import { defineCommand, numberBetween, repeated, wholeNumber } from "./define.js";
import {
  cropPaddingOption,
  noFlipOption,
  providerOption,
  runFolderOption,
  seedOption,
  threadsOption,
} from "./options.js";
import { recordedCommand } from "./recorded-command.js";
import { printRun } from "./run-summary.js";

interface TrainOptions extends CommonOptions {
  readonly network: string;
  readonly fromScratch?: boolean;
  readonly data: string;
  readonly dataOption?: readonly string[];
  readonly method: TrainingMethodKind;
  readonly methodOption?: readonly string[];
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: TrainingRecipe["optimizer"];
  readonly learningRate?: number;
  readonly schedule: TrainingRecipe["schedule"];
  readonly warmUpEpochs: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly maximumNorm?: number;
  readonly flip: boolean;
  readonly cropPadding: number;
  readonly cutout: number;
  readonly checkpointEvery: number;
  readonly seed: number;
  readonly runFolder?: string;
  readonly provider: ProviderName;
  readonly threads?: number;
}

/** `dovetail train`: weights for a network of the zoo or of the user's own. */
export function trainCommand(io: CommandIo): Command {
  const any = Number.POSITIVE_INFINITY;
  return defineCommand("train", {
    summary: "train a network of the zoo, or your own ONNX file, on a data set",
    description: [
      "The result lies in a run folder: the network as ONNX, weights, figures, the course of the training. Test images",
      "are read once, at the end. An interrupted run goes on with `dovetail run resume FOLDER`.",
      "With --method the products of the layers are computed in few bits while training, or (smartdeal) every weight is",
      "power-of-two coefficients times a small basis at each step, or layers shift (deepshift), add (addernet) or do one",
      "after the other (shiftaddnet); what is delivered computes as it was trained.",
      `\n\nNetworks of the zoo: ${Object.keys(zoo).join(", ")}.`,
    ].join(" "),
    examples: [
      ["dovetail train --network resnet20 --data cifar10-jpeg --epochs 15", "one-cycle, flip and crop, as by default"],
      ["dovetail train --network resnet8 --data-option trainImagesPerClass=100 --epochs 2", "on a part of the images"],
      ["dovetail train --network model.onnx --epochs 1 --learning-rate 0.01", "fine-tune your own network"],
      ["dovetail train --network resnet20 --method fractrain", "gates choose each image's precision, block by block"],
      ["dovetail train --network resnet20 --method dfq --method-option target=0.02", "another cost, of float32's"],
      [
        "dovetail train --network resnet38 --method smartdeal --learning-rate 0.1",
        "coefficients and bases, no weights",
      ],
      [
        "dovetail train --network resnet20 --method shiftaddnet",
        "shifts and additions in the place of multiplications",
      ],
      [
        "dovetail train --network model.onnx --method deepshift --method-option precision=fixed8",
        "your network's weights as powers of two, at 8 bits",
      ],
    ],
  })
    .requiredOption("--network <name>", "a network of the zoo, or an ONNX file that takes raw pixels")
    .option("--from-scratch", "draw first weights for an ONNX file instead of taking its own")
    .option("--data <name>", dataOptionHelp, "cifar10-bundled")
    .option("--data-option <field=value>", "a field of the data set's description; may be repeated", repeated)
    .addOption(
      new Option("--method <name>", "precision while training, what stands for weights, or what layers do")
        .choices(methods)
        .default("float32"),
    )
    .option(
      "--method-option <field=value>",
      "a field of the method's settings (all: docs/tutorials/training-methods.md); may be repeated",
      repeated,
    )
    .option("--epochs <n>", "how often every image is seen", wholeNumber(1), 15)
    .option("--batch-size <n>", "images in a step", wholeNumber(1), 128)
    .addOption(new Option("--optimizer <name>", "optimizer").choices(["sgd", "adam", "adamw", "radam"]).default("sgd"))
    .option("--learning-rate <x>", "the highest; default: 0.2 for sgd, 0.002 for adam", numberBetween(0, any))
    .addOption(
      new Option("--schedule <name>", "course of the learning rate")
        .choices(["one-cycle", "cosine", "step", "constant"])
        .default("one-cycle"),
    )
    .option("--warm-up-epochs <x>", "linear rise before the schedule", numberBetween(0, any), 0)
    .option("--momentum <x>", "of sgd", numberBetween(0, 1), 0.9)
    .option("--nesterov", "sgd with Nesterov's momentum", false)
    .option("--weight-decay <x>", "weight decay", numberBetween(0, any), 5e-4)
    .option("--label-smoothing <x>", "share of the target that goes to all classes", numberBetween(0, 0.5), 0)
    .option("--maximum-norm <x>", "clip gradients to this norm", numberBetween(0, any))
    .addOption(noFlipOption())
    .addOption(cropPaddingOption())
    .option("--cutout <n>", "side of a square that is cut out of each image", wholeNumber(0), 0)
    .option("--checkpoint-every <n>", "steps between two checkpoints", wholeNumber(1), 100)
    .addOption(seedOption().default(0))
    .addOption(runFolderOption())
    .addOption(providerOption())
    .addOption(threadsOption())
    .action(async (options: TrainOptions, command: Command) => {
      const run = await begin(options, command);
      await withWatch(io, options, (watch) => carryOut(run, watch, io.environment));
      await printRun(io, options, run.folder);
    });
}

const methods = trainingMethodSchema.options.map((option) => option.shape.kind.value);

const learningRates: Readonly<Record<TrainingRecipe["optimizer"], number>> = {
  sgd: 0.2,
  adam: 0.002,
  adamw: 0.002,
  radam: 0.002,
};

async function begin(options: TrainOptions, command: Command): Promise<Run> {
  const ofZoo = Object.hasOwn(zoo, options.network);
  const file = ofZoo ? undefined : await ownNetwork(options.network);
  const recipe = await recipeOf(options, ofZoo);
  const { runFolder: folder, provider, threads } = options;
  return beginRun({
    folder,
    name: `${recipe.name}-seed${recipe.seed}`,
    files: new Map<string, string | Uint8Array>([
      [runFiles.training, printTraining(recipe)],
      ...(file ? [[runFiles.input, file] as const] : []),
    ]),
    record: {
      format: "dovetail run",
      version: 1,
      kind: "train",
      command: recordedCommand(command),
      versions: await currentVersions(),
      baseFolder: process.cwd(),
      provider,
      ...(threads !== undefined && { threads }),
    },
  });
}

async function ownNetwork(name: string): Promise<Uint8Array> {
  if (name.endsWith(".onnx") || (await isPresent(name))) return (await readNetwork(name)).bytes;
  const near = nearestWord(name, Object.keys(zoo));
  throw inputError("unknown_network", "no such network", {
    file: "--network",
    expected: `an ONNX file, or one of ${Object.keys(zoo).join(", ")}`,
    received: name,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

async function recipeOf(options: TrainOptions, ofZoo: boolean): Promise<TrainingRecipe> {
  const { network, data, dataOption, flip, cropPadding, cutout, optimizer, maximumNorm } = options;
  return checkDocument<TrainingRecipe>(trainingSchema, {
    name: ofZoo ? network : basename(network, ".onnx").replaceAll(/[^A-Za-z0-9._-]/g, "-"),
    seed: options.seed,
    ...(ofZoo && { network }),
    fromScratch: ofZoo || (options.fromScratch ?? false),
    data: await dataDescription(data, dataOption),
    ...methodField(options),
    epochs: options.epochs,
    batchSize: options.batchSize,
    optimizer,
    learningRate: options.learningRate ?? learningRates[optimizer],
    schedule: options.schedule,
    warmUpEpochs: options.warmUpEpochs,
    momentum: options.momentum,
    nesterov: options.nesterov,
    weightDecay: options.weightDecay,
    labelSmoothing: options.labelSmoothing,
    ...(maximumNorm !== undefined && { maximumNorm }),
    augmentation: { flip, cropPadding, cutout },
    checkpointEvery: options.checkpointEvery,
  });
}

/** The recipe's field `method`; none where all is in float32 anyway. */
function methodField({ method, methodOption = [] }: TrainOptions): { method?: object } {
  if (method === "float32" && methodOption.length === 0) return {};
  if (methodOption.some((text) => /^kind\s*=/.test(text))) {
    throw inputError("method_option", "the method has an option of its own", {
      path: ["--method-option"],
      expected: "a field of the method",
      received: "kind",
      hint: "name the method with --method",
    });
  }
  return {
    method: {
      kind: method,
      ...Object.fromEntries(methodOption.map((text) => parseAssignment("--method-option", text))),
    },
  };
}

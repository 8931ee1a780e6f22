import { inputError } from "@dovetail/core";
import type { ProviderName } from "@dovetail/runtime";
import {
  confusionMatrix,
  type DatasetDescription,
  type DatasetPart,
  type Evaluation,
  evaluatePredictor,
  type ImageDataset,
  loadDataset,
  wilsonInterval95,
} from "@dovetail/train";
import type { Command } from "commander";
import { type Classifier, openClassifier } from "../evaluation/classifier.js";
import { networkPath, readNetwork } from "../files/read-network.js";
import { dataDescription, dataOptionHelp } from "../recipes/data-option.js";
import { dataOfRun } from "../runs/data-of-run.js";
import { cacheFolder } from "../terminal/cache-folder.js";
import { type CommandIo, type CommonOptions, printResult, withWatch } from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import { defineCommand, repeated } from "./define.js";
import { parts, pixelRange, providerOption, threadsOption } from "./options.js";

interface EvalOptions extends CommonOptions {
  readonly data?: string;
  readonly dataOption?: readonly string[];
  readonly part: DatasetPart;
  readonly pixelRange: readonly [number, number];
  readonly provider: ProviderName;
  readonly threads?: number;
}

/** `dovetail eval`: accuracy of an ONNX file, as anyone else would measure it. */
export function evalCommand(io: CommandIo): Command {
  return defineCommand("eval", {
    summary: "accuracy of an ONNX file or of a run's network, in all and by class",
    description:
      "The file runs in ONNX Runtime as it stands. It takes one image, channels first or last, float32 or uint8.",
    examples: [
      ["dovetail eval runs/quickstart-seed0", "a run's network on the test images of its own data set"],
      ["dovetail eval model.onnx --data cifar10-bundled", "any classifier of raw pixels"],
      ["dovetail eval model.onnx --data image-folder:./photos --pixel-range 0,1", "one that takes values from 0 to 1"],
    ],
  })
    .argument("<model>", "an ONNX file, or a run folder")
    .option("--data <name>", `${dataOptionHelp}; default: the run's own, else cifar10-bundled`)
    .option("--data-option <field=value>", "a field of the data set's description; may be repeated", repeated)
    .addOption(parts())
    .addOption(pixelRange())
    .addOption(providerOption())
    .addOption(threadsOption())
    .action(async (path: string, options: EvalOptions) => {
      const evaluation = await withWatch(io, options, async (watch) => {
        const network = await readNetwork(await networkPath(path));
        const classifier = await openClassifier(network, options);
        try {
          const dataset = await loadDataset(await dataFor(path, classifier, options), {
            ...watch,
            environment: io.environment,
            cacheFolder: cacheFolder(io.environment),
          });
          requireFit(network.path, classifier, dataset);
          const { part } = options;
          return describe(dataset, part, await evaluatePredictor(classifier, { dataset, part, watch }));
        } finally {
          await classifier.release();
        }
      });
      printResult(io, options, evaluation, () => [
        ...formatTable(
          ["class", "images", "correct", "accuracy"],
          evaluation.classes.map(({ name, images, correct }) => [
            name,
            `${images}`,
            `${correct}`,
            percent(images === 0 ? 0 : correct / images),
          ]),
        ),
        `accuracy ${percent(evaluation.accuracyFraction)} on ${evaluation.images} ${evaluation.part} images ` +
          `(95 % interval ${evaluation.interval95.map(percent).join(" to ")})`,
      ]);
    });
}

async function dataFor(
  path: string,
  { imageShape }: Classifier,
  { data, dataOption }: EvalOptions,
): Promise<DatasetDescription> {
  const ofRun = data === undefined && dataOption === undefined ? await dataOfRun(path) : undefined;
  return ofRun ?? dataDescription(data ?? "cifar10-bundled", dataOption, imageShape);
}

/** Throws input errors when the model and the data set do not go together. */
export function requireFit(
  file: string,
  { imageShape, classCount }: Pick<Classifier, "imageShape" | "classCount">,
  dataset: ImageDataset,
): void {
  const differs = imageShape.join("×") !== dataset.imageShape.join("×");
  if (!differs && classCount === dataset.classNames.length) return;
  throw inputError("data_mismatch", "the model does not fit the data set", {
    file,
    expected: `images of ${dataset.imageShape.join("×")}, ${dataset.classNames.length} classes (${dataset.name})`,
    received: `images of ${imageShape.join("×")}, ${classCount} classes`,
  });
}

function describe(dataset: ImageDataset, part: DatasetPart, { accuracyFraction, loss, predictions }: Evaluation) {
  const labels = dataset.labels(part);
  const confusion = confusionMatrix(predictions, labels, dataset.classNames.length);
  return {
    dataset: dataset.name,
    part,
    images: labels.length,
    accuracyFraction,
    interval95: wilsonInterval95(Math.round(accuracyFraction * labels.length), labels.length),
    loss,
    classes: dataset.classNames.map((name, label) => ({
      name,
      images: confusion[label]!.reduce((sum, count) => sum + count, 0),
      correct: confusion[label]![label]!,
    })),
    confusion,
  };
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

import type { ProviderName } from "@dovetail/runtime";
import {
  confusionMatrix,
  type DatasetPart,
  type Evaluation,
  type ImageDataset,
  wilsonInterval95,
} from "@dovetail/train";
import type { Command } from "commander";
import { evaluateWithData } from "../evaluation/evaluate-file.js";
import { networkPath, readNetwork } from "../files/read-network.js";
import { dataOptionHelp } from "../recipes/data-option.js";
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
      const described = await withWatch(io, options, async (watch) => {
        const network = await readNetwork(await networkPath(path));
        const { dataset, evaluation } = await evaluateWithData(path, network, options, io, watch);
        return describe(dataset, options.part, evaluation);
      });
      printResult(io, options, described, () => [
        ...formatTable(
          ["class", "images", "correct", "accuracy"],
          described.classes.map(({ name, images, correct }) => [
            name,
            `${images}`,
            `${correct}`,
            percent(images === 0 ? 0 : correct / images),
          ]),
        ),
        `accuracy ${percent(described.accuracyFraction)} on ${described.images} ${described.part} images ` +
          `(95 % interval ${described.interval95.map(percent).join(" to ")})`,
      ]);
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

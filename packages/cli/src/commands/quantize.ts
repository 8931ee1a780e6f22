import { basename } from "node:path";
import { withPlace } from "@dovetail/core";
import { writeModel } from "@dovetail/graph";
import { classNamesOf, networkOfModel, withoutParameterNotes } from "@dovetail/models";
import { exportQdqModel, prepareQuantization } from "@dovetail/quant";
import { createRuntime } from "@dovetail/runtime";
import {
  type DatasetPart,
  type Evaluation,
  type ImageDataset,
  type Interval,
  wilsonInterval95,
  writeFileAtomically,
} from "@dovetail/train";
import { type Command, Option } from "commander";
import { evaluateFile, evaluateWithData } from "../evaluation/evaluate-file.js";
import { type NetworkFile, networkPath, readNetwork } from "../files/read-network.js";
import { dataOptionHelp } from "../recipes/data-option.js";
import {
  type CommandIo,
  type CommandWatch,
  type CommonOptions,
  printResult,
  withWatch,
} from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import { defineCommand, repeated, wholeNumber } from "./define.js";
import { parts, pixelRange, threadsOption } from "./options.js";

interface QuantizeOptions extends CommonOptions {
  readonly data?: string;
  readonly dataOption?: readonly string[];
  readonly bits: number;
  readonly weightBits?: number;
  readonly activationBits?: number;
  readonly containers: "smallest" | "bytes";
  readonly calibrationImages: number;
  readonly part: DatasetPart;
  readonly pixelRange: readonly [number, number];
  readonly output?: string;
  readonly threads?: number;
}

interface Measured {
  readonly accuracyFraction: number;
  readonly interval95: Interval;
  readonly loss: number;
  /** Of the file. */
  readonly bytes: number;
}

interface QuantizeResult {
  readonly model: string;
  readonly output: string;
  readonly weightBits: number;
  readonly activationBits: number;
  readonly dataset: string;
  readonly calibrationImages: number;
  readonly part: DatasetPart;
  readonly images: number;
  readonly before: Measured;
  readonly after: Measured;
  /** Images whose prediction is another one. */
  readonly changedPredictions: number;
}

/** `dovetail quantize`: a trained network with integers, without training. */
export function quantizeCommand(io: CommandIo): Command {
  const bits = wholeNumber(2, 16);
  return defineCommand("quantize", {
    summary: "a trained network with integer weights and activations, as ONNX (post-training quantization)",
    description: [
      "Ranges of activations are measured on training images. The file is written in ONNX's QDQ form, which ONNX Runtime",
      "executes with integers at 5 to 8 bits. Its accuracy is measured as anyone would, beside that of the original.",
    ].join(" "),
    examples: [
      ["dovetail quantize model.onnx --data cifar10-jpeg --bits 8", "writes model-w8a8.onnx"],
      ["dovetail quantize runs/quickstart-seed0 -o small.onnx --weight-bits 4", "a run's network, weights of 4 bits"],
      ["dovetail quantize model.onnx --data image-folder:./photos --pixel-range 0,1 --json", "one that takes 0 to 1"],
    ],
  })
    .argument("<model>", "an ONNX file, or a run folder")
    .option("--data <name>", `${dataOptionHelp}; default: the run's own, else cifar10-bundled`)
    .option("--data-option <field=value>", "a field of the data set's description; may be repeated", repeated)
    .option("--bits <n>", "of weights and activations, 2 to 16", bits, 8)
    .option("--weight-bits <n>", "of weights; default: --bits", bits)
    .option("--activation-bits <n>", "of activations; default: --bits", bits)
    .addOption(
      new Option("--containers <which>", "what holds 4 bits and less: 4-bit tensors, or bytes to compute with")
        .choices(["smallest", "bytes"])
        .default("smallest"),
    )
    .option("--calibration-images <n>", "training images that ranges are measured on", wholeNumber(1), 1000)
    .addOption(parts())
    .addOption(pixelRange())
    .option("-o, --output <file>", "the file to write; default: the model's name with -wNaM.onnx, in this folder")
    .addOption(threadsOption())
    .action(async (path: string, options: QuantizeOptions) => {
      const result = await withWatch(io, options, (watch) => quantize(path, options, io, watch));
      printResult(io, options, result, () => describe(result));
    });
}

async function quantize(
  path: string,
  options: QuantizeOptions,
  io: CommandIo,
  watch: CommandWatch,
): Promise<QuantizeResult> {
  const { bits, weightBits = bits, activationBits = bits, containers, calibrationImages, part } = options;
  const file = await readNetwork(await networkPath(path));
  const output = options.output ?? `${basename(file.path, ".onnx")}-w${weightBits}a${activationBits}.onnx`;
  const { dataset, evaluation: before } = await evaluateWithData(path, file, options, io, watch);
  const bytes = await quantizedModel(file, dataset, { ...options, weightBits, activationBits, containers });
  watch.signal.throwIfAborted();
  const quantizedFile: NetworkFile = { path: output, model: file.model, bytes };
  const after = await evaluateFile(quantizedFile, dataset, options, watch);
  await writeFileAtomically(output, bytes);
  const images = dataset.labels(part).length;
  const measured = ({ accuracyFraction, loss }: Evaluation, size: number): Measured => ({
    accuracyFraction,
    interval95: wilsonInterval95(Math.round(accuracyFraction * images), images),
    loss,
    bytes: size,
  });
  return {
    model: file.path,
    output,
    weightBits,
    activationBits,
    dataset: dataset.name,
    calibrationImages: Math.min(calibrationImages, dataset.parts.train.count),
    part,
    images,
    before: measured(before, file.bytes.length),
    after: measured(after, bytes.length),
    changedPredictions: after.predictions.filter((prediction, image) => prediction !== before.predictions[image])
      .length,
  };
}

type QuantizedModelOptions = Pick<QuantizeOptions, "pixelRange" | "calibrationImages" | "threads" | "containers"> & {
  readonly weightBits: number;
  readonly activationBits: number;
};

async function quantizedModel(
  { path, model }: NetworkFile,
  dataset: ImageDataset,
  { pixelRange: imageRange, calibrationImages: images, threads, ...widths }: QuantizedModelOptions,
): Promise<Uint8Array> {
  const runtime = await createRuntime({ threads });
  try {
    const { network: given, weights: floats } = networkOfModel(model, { imageRange });
    // Integers of each channel are no products of bases.
    const network = withoutParameterNotes(given, ["structured"]);
    const { folded, weights } = await prepareQuantization({ runtime, network, weights: floats, dataset, images });
    const { weightBits, activationBits, containers } = widths;
    const metadata = Object.fromEntries(model.metadata);
    const classNames = classNamesOf(model);
    return writeModel(
      exportQdqModel(folded, weights, { weightBits, activationBits, containers, metadata, classNames }),
    );
  } catch (error) {
    throw withPlace(error, { file: path });
  } finally {
    await runtime.release();
  }
}

function describe(result: QuantizeResult): string[] {
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
  const row = (name: string, { accuracyFraction, interval95, loss, bytes }: Measured): string[] => [
    name,
    percent(accuracyFraction),
    interval95.map(percent).join(" to "),
    loss.toFixed(4),
    `${(bytes / 1e3).toFixed(1)} kB`,
  ];
  const { before, after, weightBits, activationBits, images, part, changedPredictions } = result;
  const points = 100 * (after.accuracyFraction - before.accuracyFraction);
  return [
    ...formatTable(
      ["network", "accuracy", "95 % interval", "loss", "file"],
      [row(result.model, before), row(`weights ${weightBits}, activations ${activationBits} bits`, after)],
    ),
    `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(2)} points on ${images} ${part} images of ${result.dataset}; ` +
      `${changedPredictions} predictions changed`,
    `wrote ${result.output}`,
  ];
}

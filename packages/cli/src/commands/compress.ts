import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { decodePacked, isPacked, modelOfPacked, storageOf } from "@dovetail/compress";
import { inputError, withPlace } from "@dovetail/core";
import { writeModel } from "@dovetail/graph";
import { readWholeFile, writeFileAtomically } from "@dovetail/train";
import { type Command, Option } from "commander";
import { dataOptionHelp } from "../recipes/data-option.js";
import { type CommandIo, printResult, withWatch } from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import { type CompressOptions, type CompressResult, compressModel } from "./compress-model.js";
import {
  defineCommand,
  numberBetween,
  type OptionRequirement,
  repeated,
  requireOptions,
  wholeNumber,
} from "./define.js";
import { cropPaddingOption, noFlipOption, parts, pixelRange, seedOption, threadsOption } from "./options.js";

const mostPackedBytes = 2 ** 31 - 1;

/** `dovetail compress`: a trained network with compressed weights, as a packed file and as ONNX. */
export function compressCommand(io: CommandIo): Command {
  const any = Number.MAX_VALUE;
  return defineCommand("compress", {
    summary: "a trained network with compressed weights (SmartExchange, pruning, low rank), packed and as ONNX",
    description: [
      "SmartExchange: weights as 4-bit powers of two times small 8-bit bases. prune: 8-bit weights of which the smallest are",
      "zero. low-rank: two 8-bit factors a layer. The folder gets network.packed, network.onnx with the rebuilt weights and",
      "annotations for `map` and `cost`, and compression.json. With --data the accuracy is measured and batch normalizations are recalibrated; with --epochs too the",
      "network is retrained, and can be resumed by the same command after an interruption.",
      "A packed file instead of a model is rebuilt to the ONNX file that it stands for.",
    ].join(" "),
    examples: [
      ["dovetail compress model.onnx", "SmartExchange without retraining, into model-smartexchange/"],
      ["dovetail compress model.onnx --rate 8 --data cifar10-jpeg --epochs 4", "8 times smaller, retrained"],
      ["dovetail compress model.onnx --method prune --rate 10 --data image-folder:./photos", "pruned, measured"],
      ["dovetail compress model-smartexchange/network.packed -o model.onnx", "the ONNX file that it stands for"],
    ],
  })
    .argument("<model>", "an ONNX file, a run folder, or a packed file to rebuild")
    .addOption(
      new Option("--method <name>", "how weights are compressed")
        .choices(["smartexchange", "prune", "low-rank"])
        .default("smartexchange"),
    )
    .option("--rate <x>", "compression rate to reach; SmartExchange keeps all rows without it", numberBetween(1, 1000))
    .addOption(
      new Option("--rows <rule>", "smartexchange, instead of --rate: how rows are chosen by --row-bar")
        .choices(["share", "value", "energy"])
        .default("energy"),
    )
    .option(
      "--row-bar <x>",
      "share that is pruned, least mean magnitude, or part of the energy kept",
      numberBetween(0, any),
    )
    .option("--group-filters <n>", "filters that share a pattern of zero rows (published: 32)", wholeNumber(1), 1)
    .option("--threshold <x>", "smartexchange: smaller coefficients become zero", numberBetween(0, any), 0)
    .option("--iterations <n>", "smartexchange: rounds of least squares", wholeNumber(0, 10_000), 32)
    .option("--exponents <n>", "smartexchange: powers of two of a coefficient, 1 to 7", wholeNumber(1, 7), 7)
    .addOption(
      new Option("--scope <which>", "prune: magnitudes of all layers, or of each")
        .choices(["global", "layer"])
        .default("global"),
    )
    .addOption(
      new Option("--factors <form>", "low-rank: k×k and 1×1, or k×1 and 1×k")
        .choices(["channel", "spatial"])
        .default("channel"),
    )
    .option("--data <name>", dataOptionHelp)
    .option("--data-option <field=value>", "a field of the data set's description; may be repeated", repeated)
    .option("--epochs <n>", "of retraining; SmartExchange is projected after each", wholeNumber(0), 0)
    .option(
      "--basis-epochs <n>",
      "smartexchange: so many of these, the last ones, train bases with coefficients left as they are",
      wholeNumber(0),
      0,
    )
    .option(
      "--recalibrate <n>",
      "steps of rate 0 after it, in which batch normalizations take up new statistics",
      wholeNumber(0),
      30,
    )
    .option("--batch-size <n>", "images in a step", wholeNumber(1), 128)
    .option("--learning-rate <x>", "the first, falling as a cosine", numberBetween(0, any), 0.02)
    .addOption(noFlipOption())
    .addOption(cropPaddingOption())
    .addOption(parts())
    .addOption(pixelRange())
    .addOption(seedOption().default(0))
    .option(
      "-o, --output <path>",
      "folder to write, or the ONNX file of a packed one; default: the model's name and method",
    )
    .addOption(threadsOption())
    .action(async (path: string, options: CompressOptions, command: Command) => {
      if (isPackedFile(path)) {
        requireOptions(command, [{ only: ["output", "threads", "json", "quiet"], needs: "a model to compress" }]);
        const result = await rebuild(path, options);
        printResult(io, options, result, () => [`wrote ${result.output}`]);
        return;
      }
      requireOptions(command, requirements(options));
      const result = await withWatch(io, options, (watch) => compressModel(path, options, io, watch));
      printResult(io, options, result, () => describe(result));
    });
}

/** What options need to mean anything. */
function requirements({ method, rowBar, data, epochs, basisEpochs }: CompressOptions): readonly OptionRequirement[] {
  const structured = ["rows", "rowBar", "groupFilters", "threshold", "iterations", "exponents", "basisEpochs"];
  return [
    { options: structured, isMet: method === "smartexchange", needs: "--method smartexchange" },
    { options: ["scope"], isMet: method === "prune", needs: "--method prune" },
    { options: ["factors"], isMet: method === "low-rank", needs: "--method low-rank" },
    { options: ["rows"], isMet: rowBar !== undefined, needs: "--row-bar" },
    { options: ["dataOption", "part", "recalibrate"], isMet: data !== undefined, needs: "--data" },
    { options: ["basisEpochs", "learningRate", "flip", "cropPadding"], isMet: epochs > 0, needs: "--epochs" },
    { options: ["basisEpochs"], isMet: basisEpochs <= epochs, needs: "at least as many --epochs" },
  ];
}

function isPackedFile(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const beginning = Buffer.alloc(16);
  const file = openSync(path, "r");
  try {
    readSync(file, beginning);
  } finally {
    closeSync(file);
  }
  return path.endsWith(".packed") || isPacked(beginning);
}

async function rebuild(path: string, options: CompressOptions) {
  const { output = `${basename(path, ".packed")}.onnx` } = options;
  if (output === "" || resolve(output) === resolve(path) || (options.output === undefined && existsSync(output))) {
    throw inputError("output_file", "nothing is replaced that was not named", {
      path: ["--output"],
      expected: "the name of the ONNX file to write",
      received: output === "" ? "an empty one" : `${output}, which is there`,
    });
  }
  const bytes = await readWholeFile(path, mostPackedBytes);
  try {
    const packed = decodePacked(bytes);
    const { bits } = storageOf(packed.tensors);
    await writeFileAtomically(output, writeModel(modelOfPacked(packed)));
    return { packed: path, output, bits, metadata: packed.metadata };
  } catch (error) {
    throw withPlace(error, { file: path });
  }
}

function describe(result: CompressResult): string[] {
  const { accuracyBefore, accuracyAfter, compressionRate, packedBytes, layers, output, part, dataset } = result;
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
  return [
    ...formatTable(
      ["layer", "form", "weights", "bits a weight"],
      layers.map(({ name, form, weights, bits }) => [name, form, `${weights}`, (bits / weights).toFixed(2)]),
    ),
    `${compressionRate.toFixed(2)} times smaller than float32 (${(packedBytes / 1e3).toFixed(1)} kB with its graph)`,
    ...(accuracyBefore !== undefined && accuracyAfter !== undefined
      ? [`accuracy ${percent(accuracyBefore)} before, ${percent(accuracyAfter)} now (${part} images of ${dataset})`]
      : []),
    `wrote ${output}`,
  ];
}

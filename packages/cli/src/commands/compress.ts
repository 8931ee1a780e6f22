import { basename, join } from "node:path";
import {
  decodePacked,
  encodePacked,
  modelOfPacked,
  packNetwork,
  type RowPruningRule,
  storageOf,
} from "@dovetail/compress";
import { createRandomStream, inputError, withPlace } from "@dovetail/core";
import { type Tensor, writeModel } from "@dovetail/graph";
import { networkOfModel } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { type CompressionMethod, type PreparedMethod, prepareCompression, trainProjected } from "@dovetail/systems";
import {
  type Checkpoint,
  cosine,
  type DatasetPart,
  digestOfBytes,
  evaluatePredictor,
  type ImageDataset,
  readCheckpoint,
  readWholeFile,
  removeCheckpoint,
  writeCheckpoint,
  writeFileAtomically,
} from "@dovetail/train";
import { type Command, Option } from "commander";
import { openClassifier } from "../evaluation/classifier.js";
import { datasetFor } from "../evaluation/dataset-for.js";
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
import { defineCommand, numberBetween, repeated, wholeNumber } from "./define.js";
import { parts, pixelRange, seedOption, threadsOption } from "./options.js";

interface CompressOptions extends CommonOptions {
  readonly method: "smartexchange" | "prune" | "low-rank";
  readonly rate?: number;
  readonly rows: "share" | "value" | "energy";
  readonly rowBar?: number;
  readonly groupFilters: number;
  readonly threshold: number;
  readonly iterations: number;
  readonly exponents: number;
  readonly scope: "global" | "layer";
  readonly factors: "channel" | "spatial";
  readonly data?: string;
  readonly dataOption?: readonly string[];
  readonly epochs: number;
  readonly recalibrate: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly part: DatasetPart;
  readonly pixelRange: readonly [number, number];
  readonly seed: number;
  readonly output?: string;
  readonly threads?: number;
}

interface CompressResult {
  readonly model: string;
  readonly output: string;
  readonly method: CompressOptions["method"];
  /** 32 bits a value over the bits that are stored, normalization and biases included. */
  readonly compressionRate: number;
  readonly bits: number;
  readonly packedBytes: number;
  readonly epochs: number;
  readonly dataset?: string;
  readonly part?: DatasetPart;
  readonly accuracyBefore?: number;
  readonly accuracyAfter?: number;
  readonly layers: readonly {
    readonly name: string;
    readonly form: string;
    readonly weights: number;
    readonly bits: number;
  }[];
}

const files = { network: "network.onnx", packed: "network.packed", figures: "compression.json" } as const;
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
      "--recalibrate <n>",
      "steps of rate 0 after it, in which batch normalizations take up new statistics",
      wholeNumber(0),
      30,
    )
    .option("--batch-size <n>", "images in a step", wholeNumber(1), 128)
    .option("--learning-rate <x>", "the first, falling as a cosine", numberBetween(0, any), 0.02)
    .addOption(parts())
    .addOption(pixelRange())
    .addOption(seedOption().default(0))
    .option(
      "-o, --output <path>",
      "folder to write, or the ONNX file of a packed one; default: the model's name and method",
    )
    .addOption(threadsOption())
    .action(async (path: string, options: CompressOptions) => {
      if (path.endsWith(".packed")) {
        const result = await rebuild(path, options);
        printResult(io, options, result, () => [`wrote ${result.output}`]);
        return;
      }
      const result = await withWatch(io, options, (watch) => compress(path, options, io, watch));
      printResult(io, options, result, () => describe(result));
    });
}

async function rebuild(path: string, { output = `${basename(path, ".packed")}.onnx` }: CompressOptions) {
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

async function compress(
  path: string,
  options: CompressOptions,
  io: CommandIo,
  watch: CommandWatch,
): Promise<CompressResult> {
  const { method, epochs, part, pixelRange: imageRange } = options;
  const file = await readNetwork(await networkPath(path));
  const output = options.output ?? `${basename(file.path, ".onnx")}-${method}`;
  if (epochs > 0 && options.data === undefined) {
    throw inputError("retraining_data", "retraining needs images", {
      path: ["--data"],
      expected: "a data set",
      received: "none",
    });
  }
  const before = options.data === undefined ? undefined : await evaluateFirst(path, file, options, io, watch);
  const { network, weights } = imported(file, imageRange);
  const checkpointName = checkpointNameOf(file, options);
  const prepared = prepare(file.path, network, weights, options);
  const tensors =
    before && (epochs > 0 || options.recalibrate > 0)
      ? await retrain(prepared, before.dataset, { folder: output, name: checkpointName }, options, watch)
      : prepared.projection.project(prepared.weights).tensors;
  watch.signal.throwIfAborted();
  const packed = packNetwork(prepared.network, tensors, {
    modelMetadata: file.model.metadata,
    metadata: { method, epochs: `${epochs}` },
  });
  const bytes = encodePacked(packed);
  // The model comes out of the file itself: what is evaluated is what anyone will rebuild.
  const rebuilt = modelOfPacked(decodePacked(bytes));
  const onnx: NetworkFile = { path: join(output, files.network), model: rebuilt, bytes: writeModel(rebuilt) };
  const after = before && (await accuracyOf(onnx, before.dataset, options, watch));
  const { bits, compressionRate } = storageOf(tensors, elementsOf(weights));
  const result: CompressResult = {
    model: file.path,
    output,
    method,
    compressionRate,
    bits,
    packedBytes: bytes.length,
    epochs,
    ...(before && { dataset: before.dataset.name, part, accuracyBefore: before.accuracyFraction }),
    ...(after !== undefined && { accuracyAfter: after }),
    layers: [...tensors].flatMap(([name, packedTensor]) => {
      if (packedTensor.kind === "plain") return [];
      const storage = storageOf(new Map([[name, packedTensor]]));
      return [{ name, form: packedTensor.kind, weights: storage.elements, bits: storage.bits }];
    }),
  };
  await writeFileAtomically(join(output, files.packed), bytes);
  await writeFileAtomically(onnx.path, onnx.bytes);
  await writeFileAtomically(join(output, files.figures), `${JSON.stringify(result, null, 2)}\n`);
  await removeCheckpoint(output, checkpointName);
  return result;
}

/** What was saved with other settings, or for another model, is not gone on from. */
function checkpointNameOf({ bytes }: NetworkFile, options: CompressOptions): string {
  const { json: _, quiet: __, output: ___, threads: ____, ...settings } = options;
  return `retraining-${digestOfBytes(bytes, JSON.stringify(settings)).slice(0, 16)}`;
}

function imported(file: NetworkFile, imageRange: readonly [number, number]) {
  try {
    return networkOfModel(file.model, { imageRange });
  } catch (error) {
    throw withPlace(error, { file: file.path });
  }
}

const methodNames: Readonly<Record<CompressOptions["method"], CompressionMethod>> = {
  smartexchange: "smartexchange",
  prune: "pruning",
  "low-rank": "low-rank",
};

function prepare(
  path: string,
  network: PreparedMethod["network"],
  weights: ReadonlyMap<string, Tensor>,
  options: CompressOptions,
): PreparedMethod {
  const { method, rate, groupFilters, scope, factors, threshold, iterations, exponents } = options;
  if (method !== "smartexchange" && rate === undefined) {
    throw inputError("compression_rate", `${method} needs a compression rate`, {
      path: ["--rate"],
      expected: "a number above 1",
      received: "none",
    });
  }
  try {
    const prepared = prepareCompression(methodNames[method], network, weights, {
      bits: rate === undefined ? undefined : Math.floor((32 * elementsOf(weights)) / rate),
      groupFilters,
      rows: rowRule(options),
      decomposition: { threshold, iterations, exponents, rescales: true },
      scope,
      factorization: factors,
    });
    if (prepared.layers.length > 0) return prepared;
  } catch (error) {
    throw withPlace(error, { file: path });
  }
  throw inputError("no_layers", "there are no weights to compress", {
    file: path,
    expected: "Conv, Gemm or MatMul with constant weights",
  });
}

function elementsOf(weights: ReadonlyMap<string, Tensor>): number {
  return [...weights.values()].reduce((sum, { data }) => sum + (data as Float32Array).length, 0);
}

function rowRule({ rows, rowBar }: CompressOptions): RowPruningRule | undefined {
  if (rowBar === undefined) return undefined;
  if (rows === "share") return { by: "share", share: rowBar };
  return rows === "value" ? { by: "value", value: rowBar } : { by: "energy", kept: rowBar };
}

async function retrain(
  prepared: PreparedMethod,
  dataset: ImageDataset,
  { folder, name }: { readonly folder: string; readonly name: string },
  { epochs, recalibrate, batchSize, learningRate, seed, threads }: CompressOptions,
  watch: CommandWatch,
) {
  const runtime = await createRuntime({ threads });
  const steps = epochs * Math.floor(dataset.parts.train.count / batchSize);
  let saved: Checkpoint | undefined;
  try {
    const { final } = await trainProjected({
      ...prepared,
      runtime,
      dataset,
      epochs,
      batchSize,
      learningRate: epochs === 0 ? 0 : cosine({ value: learningRate, steps }),
      recalibrationSteps: recalibrate,
      random: createRandomStream(seed).split("retraining"),
      watch,
      resume: await readCheckpoint(folder, name),
      onCheckpoint: async (checkpoint) => {
        saved = checkpoint;
        await writeCheckpoint(folder, name, checkpoint);
      },
    });
    return final.tensors;
  } catch (error) {
    if (watch.signal.aborted && saved) watch.log.info("the same command goes on from here");
    throw error;
  } finally {
    await runtime.release();
  }
}

async function evaluateFirst(
  path: string,
  file: NetworkFile,
  options: CompressOptions,
  io: CommandIo,
  watch: CommandWatch,
) {
  const classifier = await openClassifier(file, options);
  try {
    const dataset = await datasetFor({ ...classifier, path: file.path, runFolder: path }, options, io, watch);
    const { accuracyFraction } = await evaluatePredictor(classifier, { dataset, part: options.part, watch });
    return { dataset, accuracyFraction };
  } finally {
    await classifier.release();
  }
}

async function accuracyOf(
  file: NetworkFile,
  dataset: ImageDataset,
  options: CompressOptions,
  watch: CommandWatch,
): Promise<number> {
  const classifier = await openClassifier(file, options);
  try {
    return (await evaluatePredictor(classifier, { dataset, part: options.part, watch })).accuracyFraction;
  } finally {
    await classifier.release();
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

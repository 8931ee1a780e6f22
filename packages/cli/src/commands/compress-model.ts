import { basename, dirname, join, resolve } from "node:path";
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
import { networkOfModel, withoutParameterNotes } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { type CompressionMethod, type PreparedMethod, prepareCompression, trainProjected } from "@dovetail/systems";
import {
  type Checkpoint,
  cosine,
  type DatasetPart,
  digestOfBytes,
  type ImageDataset,
  noAugmentation,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
  writeFileAtomically,
} from "@dovetail/train";
import { evaluateFile, evaluateWithData } from "../evaluation/evaluate-file.js";
import { requireWritable } from "../files/output-folder.js";
import { type NetworkFile, networkPath, readNetwork } from "../files/read-network.js";
import { runFiles } from "../runs/layout.js";
import type { CommandIo, CommandWatch, CommonOptions } from "../terminal/command-io.js";

export interface CompressOptions extends CommonOptions {
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
  readonly basisEpochs: number;
  readonly recalibrate: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly flip: boolean;
  readonly cropPadding: number;
  readonly part: DatasetPart;
  readonly pixelRange: readonly [number, number];
  readonly seed: number;
  readonly output?: string;
  readonly threads?: number;
}

export interface CompressResult {
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
/** What a folder that was written before, or is being written, has. */
const ownFiles = /^(network\.packed|compression\.json|retraining-.*)$/;

/** The file's name, or its folder's where the name says nothing. */
function nameOf(path: string): string {
  const name = basename(path).replace(/\.onnx$/i, "");
  return basename(path) === runFiles.network ? basename(dirname(resolve(path))) || name : name;
}

/**
 * Compresses a model, retrains it if that is asked for, and writes the folder: the packed file, the model that it is rebuilt
 * to, the figures.
 */
export async function compressModel(
  path: string,
  options: CompressOptions,
  io: CommandIo,
  watch: CommandWatch,
): Promise<CompressResult> {
  const { method, epochs, part, pixelRange: imageRange } = options;
  const file = await readNetwork(await networkPath(path));
  const output = options.output ?? `${nameOf(file.path)}-${method}`;
  await requireWritable(output, (name) => ownFiles.test(name));
  if (resolve(output, files.network) === resolve(file.path)) {
    throw inputError("output_folder", "the model would be replaced by its compressed form", {
      path: ["--output"],
      expected: "another folder than the model's",
      received: output,
    });
  }
  if (epochs > 0 && options.data === undefined) {
    throw inputError("retraining_data", "retraining needs images", {
      path: ["--data"],
      expected: "a data set",
      received: "none",
    });
  }
  const before = options.data === undefined ? undefined : await evaluateWithData(path, file, options, io, watch);
  const { network, weights } = imported(file, imageRange);
  const checkpointName = checkpointNameOf(file, options);
  const prepared = prepare(file.path, network, weights, options);
  const tensors =
    before && (epochs > 0 || options.recalibrate > 0)
      ? await retrain(prepared, before.dataset, { folder: output, name: checkpointName }, options, watch)
      : (await prepared.projection.project(prepared.weights, { watch })).tensors;
  watch.signal.throwIfAborted();
  const packed = packNetwork(prepared.network, tensors, {
    modelMetadata: file.model.metadata,
    metadata: { method, epochs: `${epochs}` },
  });
  const bytes = encodePacked(packed);
  // The model comes out of the file itself: what is evaluated is what anyone will rebuild.
  const rebuilt = modelOfPacked(decodePacked(bytes));
  const onnx: NetworkFile = { path: join(output, files.network), model: rebuilt, bytes: writeModel(rebuilt) };
  const after = before && (await evaluateFile(onnx, before.dataset, options, watch));
  const { bits, compressionRate } = storageOf(tensors, elementsOf(weights));
  const result: CompressResult = {
    model: file.path,
    output,
    method,
    compressionRate,
    bits,
    packedBytes: bytes.length,
    epochs,
    ...(before && { dataset: before.dataset.name, part, accuracyBefore: before.evaluation.accuracyFraction }),
    ...(after && { accuracyAfter: after.accuracyFraction }),
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
    const { network, weights } = networkOfModel(file.model, { imageRange });
    requireFinite(weights);
    return { network: withoutParameterNotes(network), weights };
  } catch (error) {
    throw withPlace(error, { file: file.path });
  }
}

function requireFinite(weights: ReadonlyMap<string, Tensor>): void {
  for (const [name, { data }] of weights) {
    const found = (data as Float32Array).find((value) => !Number.isFinite(value));
    if (found === undefined) continue;
    throw inputError("weights", "a weight cannot be compressed", {
      path: [name],
      expected: "finite numbers",
      received: `${found}`,
    });
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
  if (rate !== undefined && options.rowBar !== undefined) {
    throw inputError("rows", "rows are chosen by a rate or by a bar, not by both", {
      path: ["--row-bar"],
      expected: "--rate or --row-bar",
      received: "both",
    });
  }
  if (method !== "smartexchange" && rate === undefined) {
    throw inputError("compression_rate", `${method} needs a compression rate`, {
      path: ["--rate"],
      expected: "a number above 1",
      received: "none",
    });
  }
  try {
    const prepared = prepareCompression(methodNames[method], network, weights, {
      bits: rate === undefined ? undefined : (32 * elementsOf(weights)) / rate,
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
    expected: "Conv, Gemm or MatMul whose weights are float32 initializers",
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
  { epochs, basisEpochs, recalibrate, learningRate, flip, cropPadding, seed, threads, ...options }: CompressOptions,
  watch: CommandWatch,
) {
  const runtime = await createRuntime({ threads });
  const { count } = dataset.parts.train;
  // Who does not retrain has not chosen a batch size.
  const batchSize = epochs === 0 ? Math.min(options.batchSize, count) : options.batchSize;
  const steps = epochs * Math.floor(count / batchSize);
  let saved: Checkpoint | undefined;
  try {
    const { final } = await trainProjected({
      ...prepared,
      runtime,
      dataset,
      epochs,
      batchSize,
      learningRate: epochs === 0 ? 0 : cosine({ value: learningRate, steps }),
      // Without retraining nobody knows what the network was trained on: its images as they are.
      augmentation: epochs === 0 ? noAugmentation : { flip, cropPadding, cutout: 0 },
      basisEpochs,
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

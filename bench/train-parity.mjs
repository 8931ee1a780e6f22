// A ResNet-20 trained by us and by PyTorch: the same first weights, the same batches of real images in the same order,
// the recipe of `dovetail train` (SGD, one-cycle, flip and crop, batch 128).
// Usage: node bench/train-parity.mjs [--json]                     losses of the first 20 steps
//        node bench/train-parity.mjs --full --out FILE [--json]   15 epochs, accuracy on all test images
// [--learning-rate 0.01, with --full 0.2] [--images 10000] [--epochs 15] [--seeds 0,1,2] [--threads 2] [--python python3]. A seed that stands in FILE is not run again.
// DOVETAIL_DATA: the folder that holds cifar10/train.zip and test.zip. The Python needs torch (the CPU wheel).
import { execFile } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { createRandomStream } from "@dovetail/core";
import { writeModel } from "@dovetail/graph";
import { exportModel, initializeParameters, zooNetwork } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import {
  createBatchStream,
  encodeSafetensors,
  evaluateModel,
  loadDataset,
  oneCycle,
  sgd,
  softmaxCrossEntropy,
  train,
  writeFileAtomically,
} from "@dovetail/train";

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    images: { type: "string", default: "10000" },
    epochs: { type: "string", default: "15" },
    seeds: { type: "string" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: process.env.DOVETAIL_PYTHON ?? "python3" },
    "learning-rate": { type: "string" },
    out: { type: "string" },
  },
});
const batchSize = 128;
// From 0.02 on, rounding alone leads PyTorch more than the tolerance away from itself within 20 steps (channels last
// against channels first); the losses are compared at a rate where it agrees with itself.
const learningRate = Number(values["learning-rate"] ?? (values.full ? 0.2 : 0.01));
const weightDecay = 5e-4;
const firstSteps = 20;
const lossTolerance = 1e-3;
const accuracyTolerance = 0.005;
const epochs = Number(values.epochs);
const seeds = (values.seeds ?? (values.full ? "0,1,2" : "0")).split(",").map(Number);

/** Writes each batch to a file as it is given: bytes hold it exactly, since augmentation moves pixels only. */
function recording(stream, file) {
  return {
    stepsPerEpoch: stream.stepsPerEpoch,
    close: () => stream.close(),
    next: async () => {
      const batch = await stream.next();
      writeSync(file, Uint8Array.from(batch.labels, Number));
      writeSync(file, Uint8Array.from(batch.images));
      return batch;
    },
  };
}

async function trainOurs(dataset, seed, folder, steps) {
  const random = createRandomStream(seed);
  const { channelMean: mean, channelStandardDeviation: standardDeviation, classNames } = dataset;
  const pixels = { height: 32, width: 32, mean, standardDeviation };
  const network = zooNetwork("resnet20", { classCount: classNames.length, pixels });
  const weights = initializeParameters(network, random.split("weights"));
  const order = random.split("batches");
  const trained = network.parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
  const pieces = encodeSafetensors(weights, { parameters: JSON.stringify(trained) });
  writeFileSync(join(folder, "weights.safetensors"), Buffer.concat(pieces));
  const stepsPerEpoch = Math.floor(dataset.parts.train.count / batchSize);
  const totalSteps = epochs * stepsPerEpoch;
  const file = openSync(join(folder, "batches.bin"), "w");
  const runtime = await createRuntime({ threads: Number(values.threads) });
  const augmentation = { flip: true, cropPadding: 4, cutout: 0 };
  const sums = [0];
  try {
    const result = await train({
      runtime,
      network,
      weights,
      batches: (start) =>
        recording(createBatchStream({ dataset, part: "train", batchSize, random: order, augmentation, start }), file),
      batchSize,
      epochs,
      steps,
      optimizer: sgd({ momentum: 0.9, weightDecay }),
      learningRate: oneCycle({ maximum: learningRate, steps: totalSteps }),
      loss: softmaxCrossEntropy(),
      random: random.split("dropout"),
      watch: {
        onProgress: ({ done, total, figures }) => {
          // The figure is the epoch's mean so far: the sum's increase is the step's loss.
          if (done <= firstSteps && done < stepsPerEpoch) sums.push(figures.loss * done);
          if (done % 50 === 0) process.stderr.write(`\rseed ${seed}: ours ${done}/${total} steps `);
        },
      },
    });
    const losses = sums.slice(1).map((sum, index) => sum - sums[index]);
    return { network, classNames, weights: result.weights, losses, steps: result.effort.optimizerSteps, totalSteps };
  } finally {
    closeSync(file);
    await runtime.release();
  }
}

async function trainPeer(dataset, ours, folder, { isTested, layout }) {
  const testImages = isTested ? dataset.parts.test.count : 0;
  const job = {
    batchSize,
    learningRate,
    weightDecay,
    steps: ours.steps,
    totalSteps: ours.totalSteps,
    testImages,
    layout,
    channelMean: dataset.channelMean,
    channelStandardDeviation: dataset.channelStandardDeviation,
  };
  writeFileSync(join(folder, "job.json"), JSON.stringify(job));
  if (isTested)
    writeFileSync(join(folder, "test.bin"), Buffer.concat([dataset.labels("test"), dataset.images("test")]));
  const script = fileURLToPath(new URL("peers/train_resnet20.py", import.meta.url));
  const { stdout } = await promisify(execFile)(values.python, [script, folder, values.threads], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout);
}

const greatestDifference = (left, right) => Math.max(...left.map((loss, index) => Math.abs(loss - right[index])));

async function inFolder(action) {
  const folder = mkdtempSync(join(tmpdir(), "dovetail-parity-"));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compareSeed(dataset, seed) {
  return inFolder(async (folder) => {
    const ours = await trainOurs(dataset, seed, folder, values.full ? undefined : firstSteps);
    const peer = await trainPeer(dataset, ours, folder, { isTested: values.full, layout: "channels-last" });
    const peerLosses = peer.losses.slice(0, ours.losses.length);
    const lossDifference = greatestDifference(peerLosses, ours.losses);
    const common = { seed, torch: peer.torch, lossDifference, ours: ours.losses, peer: peerLosses };
    if (!values.full) {
      const other = await trainPeer(dataset, ours, folder, { isTested: false, layout: "nchw" });
      return { ...common, peerAgainstItself: greatestDifference(peerLosses, other.losses) };
    }
    const onnx = writeModel(exportModel(ours.network, ours.weights, { classNames: ours.classNames }));
    const { accuracyFraction } = await evaluateModel(onnx, { dataset, part: "test" });
    return { ...common, accuracyFraction, peerAccuracyFraction: peer.accuracyFraction };
  });
}

const images = Number(values.images);
const dataset = await loadDataset({
  kind: "cifar10-jpeg-zip",
  validationFraction: 0,
  ...(images < 50000 ? { trainImagesPerClass: images / 10 } : {}),
});
const done = values.out && existsSync(values.out) ? JSON.parse(readFileSync(values.out, "utf8")).seeds : [];
const setup = { images: dataset.parts.train.count, epochs, batchSize, learningRate, weightDecay };
for (const seed of seeds) {
  if (done.some((entry) => entry.seed === seed)) continue;
  done.push(await compareSeed(dataset, seed));
  process.stderr.write("\n");
  const machine = `${cpus()[0]?.model ?? "unknown"}, ${values.threads} threads`;
  const text = `${JSON.stringify({ ...setup, machine, node: process.version, seeds: done }, null, 1)}\n`;
  if (values.out) await writeFileAtomically(values.out, text);
}

const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
const rows = [
  {
    name: `train-parity/first-${firstSteps}-losses`,
    unit: "greatest difference",
    ours: Math.max(...done.map(({ lossDifference }) => lossDifference)),
    peer: lossTolerance,
    ratio: Math.max(...done.map(({ lossDifference }) => lossDifference)) / lossTolerance,
  },
];
if (!values.full) {
  // How far rounding alone leads: PyTorch with channels last against PyTorch with channels first.
  const spread = Math.max(...done.map(({ peerAgainstItself }) => peerAgainstItself));
  rows.push({
    name: "train-parity/peer-against-itself",
    unit: "greatest difference",
    ours: null,
    peer: spread,
    ratio: null,
  });
}
if (values.full) {
  const ours = mean(done.map(({ accuracyFraction }) => accuracyFraction));
  const peer = mean(done.map(({ peerAccuracyFraction }) => peerAccuracyFraction));
  rows.push({ name: "train-parity/accuracy", unit: "fraction", ours, peer, ratio: peer / ours });
}
for (const row of rows) process.stdout.write(`${values.json ? JSON.stringify(row) : Object.values(row).join("  ")}\n`);
const isSame =
  rows[0].ours <= lossTolerance && (!values.full || Math.abs(rows[1].ours - rows[1].peer) <= accuracyTolerance);
process.exit(isSame ? 0 : 1);

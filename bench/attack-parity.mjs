// Robust accuracy under each attack, ours against AutoAttack and torchattacks: the same network, images and epsilon.
// Usage: node bench/attack-parity.mjs [--out bench/results/attack-parity.json] [--json]
// [--weights FILE: the trained network, made where it is absent]
// [--images 500] [--train-steps 60] [--steps 20] [--targets 1] [--queries 100] [--attacks pgd,apgd-ce] [--threads 1] [--python python3]
// The network is MLPerf Tiny's ResNet-8, made robust enough for attacks to differ by a short training on FGSM-RS images.
// DOVETAIL_DATA: the folder that holds cifar10/ and onnx/. DOVETAIL_AUTOATTACK: a checkout of github.com/fra31/auto-attack
// at commit a3922004. The Python needs torch, onnx, and torchattacks 3.5.1 (installed with --no-deps) with scipy.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import {
  apgdCe,
  apgdDlr,
  apgdT,
  buildImageGradient,
  crossEntropyLoss,
  fabT,
  fgsm,
  openDefence,
  pgd,
  pgdSteps,
  rightShares,
  square,
  uniformStart,
} from "@dovetail/attack";
import { createRandomStream } from "@dovetail/core";
import { readModel, tensorFromData, writeModel } from "@dovetail/graph";
import { exportModel, networkOfModel } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import {
  createBatchStream,
  decodeSafetensors,
  encodeSafetensors,
  flipAndCrop,
  loadDataset,
  oneCycle,
  sgd,
  train,
  writeFileAtomically,
} from "@dovetail/train";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    images: { type: "string", default: "500" },
    "train-steps": { type: "string", default: "60" },
    steps: { type: "string", default: "20" },
    targets: { type: "string", default: "1" },
    queries: { type: "string", default: "100" },
    attacks: { type: "string" },
    threads: { type: "string", default: "1" },
    python: { type: "string", default: process.env.DOVETAIL_PYTHON ?? "python3" },
    weights: { type: "string" },
    out: { type: "string" },
  },
});
const data = process.env.DOVETAIL_DATA;
const autoAttack = process.env.DOVETAIL_AUTOATTACK;
if (!data || !autoAttack) throw new Error("set DOVETAIL_DATA and DOVETAIL_AUTOATTACK");
const epsilon = 2 / 255;
const tolerance = 0.01;
const [images, steps, targets, queries] = ["images", "steps", "targets", "queries"].map((name) => Number(values[name]));
const threads = Number(values.threads);

/** Ours, and the name and settings of the same attack there. */
const pairs = {
  fgsm: { ours: fgsm(), peer: { of: "torchattacks", name: "FGSM" } },
  "fgsm-rs": {
    ours: pgd({ name: "fgsm-rs", steps: 1, stepSize: (size) => 1.25 * size }),
    peer: { of: "torchattacks", name: "FFGSM", alpha: 1.25 * epsilon },
  },
  pgd: {
    ours: pgd({ steps: 20, stepSize: (size) => size / 4 }),
    peer: { of: "torchattacks", name: "PGD", steps: 20, alpha: epsilon / 4 },
  },
  "mi-pgd": {
    ours: pgd({ name: "mi-pgd", steps: 20, momentum: 1, randomStart: false, stepSize: (size) => size / 4 }),
    peer: { of: "torchattacks", name: "MIFGSM", steps: 20, alpha: epsilon / 4, decay: 1 },
  },
  "apgd-ce": { ours: apgdCe({ steps }), peer: { of: "autoattack", name: "apgd-ce", steps } },
  "apgd-dlr": { ours: apgdDlr({ steps }), peer: { of: "autoattack", name: "apgd-dlr", steps } },
  "apgd-t": { ours: apgdT({ steps, targets }), peer: { of: "autoattack", name: "apgd-t", steps, targets } },
  "fab-t": { ours: fabT({ steps, targets }), peer: { of: "autoattack", name: "fab-t", steps, targets } },
  square: { ours: square({ queries }), peer: { of: "autoattack", name: "square", queries } },
};

/** The network after a short training on FGSM-RS images. */
async function robustNetwork(runtime, dataset) {
  const model = readModel(readFileSync(join(data, "onnx/mlperf-tiny-resnet8-cifar10.onnx")));
  const { network, weights } = networkOfModel(model);
  if (values.weights && existsSync(values.weights)) {
    return { network, weights: decodeSafetensors(readFileSync(values.weights)).tensors };
  }
  const random = createRandomStream(1);
  const [batchSize, trainSteps] = [128, Number(values["train-steps"])];
  const result = await train({
    runtime,
    network,
    weights,
    batches: (start) =>
      createBatchStream({
        dataset,
        part: "train",
        batchSize,
        random: random.split("batches"),
        augmentation: flipAndCrop,
        start,
      }),
    batchSize,
    epochs: 1000,
    steps: trainSteps,
    optimizer: sgd({ momentum: 0.9, weightDecay: 1e-4 }),
    learningRate: oneCycle({ maximum: 0.02, steps: trainSteps }),
    random: random.split("training"),
    adversary: fgsmRsAdversary(runtime, network, batchSize, random.split("starts")),
    watch: { onProgress: progress("train") },
  });
  if (values.weights) await writeFileAtomically(values.weights, encodeSafetensors(result.weights));
  return { network, weights: result.weights };
}

/** One step of 1.25 epsilon from a random start, on raw pixels. */
function fgsmRsAdversary(runtime, network, batchSize, random) {
  return {
    open: async (state) => {
      const form = buildImageGradient(network, { loss: crossEntropyLoss, batchSize });
      const segment = await runtime.compile(form.graph, { state });
      return {
        perturb: async ({ images: clean, labels, step }) => {
          const imageSize = clean.data.length / batchSize;
          const ball = { clean: clean.data, imageSize, epsilon: 255 * epsilon, range: [0, 255] };
          const points = await pgdSteps({
            ...ball,
            start: uniformStart(ball, (row) => random.split(step).split(row)),
            steps: 1,
            stepSize: 1.25 * 255 * epsilon,
            gradientAt: async (at) => {
              const image = tensorFromData("float32", clean.dimensions, at);
              const outputs = await segment.run({ [form.image]: image, [form.label]: labels });
              return { gradients: outputs[form.gradient].data };
            },
          });
          return tensorFromData("float32", clean.dimensions, points);
        },
        release: () => segment.release(),
      };
    },
  };
}

function progress(name) {
  return ({ task, done, total }) => {
    if (done % 20 === 0) process.stderr.write(`\r${name}: ${task} ${done}/${total}      `);
  };
}

/** Robust accuracy under one attack by itself, on all images. */
async function measureOurs(defence, examples, name) {
  const start = performance.now();
  const before = defence.passes();
  const random = createRandomStream(0).split(name);
  const points = await pairs[name].ours.run({
    oracle: defence.oracle,
    examples,
    epsilon,
    random,
    watch: { onProgress: progress(name) },
  });
  const passes = defence.passes();
  const shares = await rightShares(defence.oracle, points, examples.labels);
  return {
    accuracyFraction: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    forward: passes.forward - before.forward,
    forwardAndBackward: passes.forwardAndBackward - before.forwardAndBackward,
    seconds: (performance.now() - start) / 1000,
  };
}

async function measurePeer(folder, name) {
  const script = fileURLToPath(new URL("peers/attack.py", import.meta.url));
  const job = JSON.stringify({ ...pairs[name].peer, epsilon, threads, autoAttack });
  const { stdout } = await promisify(execFile)(values.python, [script, folder, job], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}

const dataset = await loadDataset({ kind: "cifar10-jpeg-zip", path: join(data, "cifar10"), trainImagesPerClass: 2000 });
const runtime = await createRuntime({ threads });
const folder = mkdtempSync(join(tmpdir(), "dovetail-attacks-"));
// An attack that stands in the file is not run again.
const results = values.out && existsSync(values.out) ? JSON.parse(readFileSync(values.out, "utf8")).attacks : [];
try {
  const { network, weights } = await robustNetwork(runtime, dataset);
  const imageSize = dataset.imageShape.reduce((product, size) => product * size, 1);
  const pixels = dataset.images("test").subarray(0, images * imageSize);
  const labels = dataset.labels("test").subarray(0, images);
  writeFileSync(join(folder, "network.onnx"), writeModel(exportModel(network, weights)));
  writeFileSync(join(folder, "images.bin"), pixels);
  writeFileSync(join(folder, "labels.bin"), labels);
  writeFileSync(join(folder, "shape.json"), JSON.stringify({ shape: dataset.imageShape, logits: network.logits }));
  const examples = {
    images: Float32Array.from(pixels, (value) => value / 255),
    labels: Int32Array.from(labels),
    ids: Int32Array.from(labels.keys()),
  };
  const defence = openDefence({ runtime, network, weights });
  const clean = await rightShares(defence.oracle, examples.images, examples.labels);
  const cleanAccuracyFraction = clean.reduce((sum, share) => sum + share, 0) / images;
  for (const name of values.attacks?.split(",") ?? Object.keys(pairs)) {
    if (results.some((result) => result.attack === name)) continue;
    const ours = await measureOurs(defence, examples, name);
    const peer = await measurePeer(folder, name);
    const difference = ours.accuracyFraction - peer.accuracyFraction;
    results.push({ attack: name, peerAttack: pairs[name].peer, ours, peer, difference });
    process.stderr.write("\n");
    const setup = { images, epsilon, steps, targets, queries, trainSteps: Number(values["train-steps"]) };
    const machine = `${cpus()[0]?.model ?? "unknown"}, ${threads} threads`;
    const isHeld = results.every((result) => Math.abs(result.difference) <= tolerance);
    const text = JSON.stringify(
      { setup, machine, cleanAccuracyFraction, tolerance, isHeld, attacks: results },
      null,
      1,
    );
    if (values.out) await writeFileAtomically(values.out, `${text}\n`);
    if (values.json) console.log(text);
    else console.log(name, ours.accuracyFraction, peer.accuracyFraction, difference.toFixed(4));
  }
} finally {
  await runtime.release();
  rmSync(folder, { recursive: true, force: true });
}
if (results.some((result) => Math.abs(result.difference) > tolerance)) process.exitCode = 1;

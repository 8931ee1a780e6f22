// Whole-network inference of ResNet-20 (32×32 images) with 8-bit integers against our float32, steps of both in turn.
// The integers are the QDQ export in plain ONNX Runtime; float32 is the faster of the export with folded batch
// normalizations in plain ONNX Runtime and of our own predictor. Usage: npm run bench:int8 -- [--json] [--row NAME]...
// [--steps 60] [--threads 2] [--profile] [--record bench/history.jsonl]
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createRandomStream } from "@dovetail/core";
import { writeModel } from "@dovetail/graph";
import { exportModel, initializeParameters, resNet } from "@dovetail/models";
import { exportQdqModel, prepareQuantization } from "@dovetail/quant";
import { createRuntime } from "@dovetail/runtime";
import { createDataset } from "@dovetail/train";
import ort from "onnxruntime-node";
import { compareWithFastest, ratioText, reportRow, start, wantedRows } from "./paired.mjs";

const rows = [
  { name: "resnet20-int8-b1", batchSize: 1 },
  { name: "resnet20-int8-b128", batchSize: 128 },
];
/** Integers may take this share of float32's time. */
const goal = 0.8;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    row: { type: "string", multiple: true },
    steps: { type: "string", default: "60" },
    threads: { type: "string", default: "2" },
    profile: { type: "boolean", default: false },
    record: { type: "string" },
  },
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dovetail-bench-"));

/** Both models, from first weights: speed does not depend on them. */
async function writeModels() {
  const random = createRandomStream(1);
  const part = (count) => ({
    images: Uint8Array.from({ length: count * 3072 }, () => random.integer(256)),
    labels: new Uint8Array(count),
  });
  const parts = { train: part(100), validation: part(1), test: part(1) };
  const classNames = Array.from({ length: 10 }, (_, label) => `${label}`);
  const description = { classNames, imageShape: [3, 32, 32] };
  const dataset = createDataset("noise", description, parts, { files: [], citation: "", licence: "" });
  const network = resNet({ depth: 20 });
  const runtime = await createRuntime({ threads: 1 });
  const weights = initializeParameters(network, random);
  const prepared = await prepareQuantization({ runtime, network, weights, dataset });
  await runtime.release();
  const bits = { weightBits: 8, activationBits: 8 };
  const files = { float: join(folder, "float.onnx"), int8: join(folder, "int8.onnx") };
  writeFileSync(files.float, writeModel(exportModel(prepared.folded, prepared.weights)));
  writeFileSync(files.int8, writeModel(exportQdqModel(prepared.folded, prepared.weights, bits)));
  return files;
}

const open = (kind, file, { batchSize }) =>
  start(kind, process.execPath, [here("int8/worker.mjs"), kind, file, `${batchSize}`, values.threads]);

async function measure(row, files) {
  const ours = await open("onnx", files.int8, row);
  const peers = [await open("onnx", files.float, row), await open("predictor", files.float, row)];
  await requireAlike(row, ours, peers);
  const figures = await compareWithFastest(ours, peers, Number(values.steps));
  const met = figures.ratio <= goal;
  return { name: row.name, unit: "ms/batch", ...figures, goal, met, threads: Number(values.threads) };
}

/** The same images through the same network: logits differ by quantization alone. */
async function requireAlike(row, ours, peers) {
  const { logits } = await ours.ask("step");
  for (const peer of peers) {
    const { logits: expected } = await peer.ask("step");
    const norm = (numbers) => Math.hypot(...numbers);
    const error = norm(logits.map((value, index) => value - expected[index])) / norm(expected);
    if (!(error < 0.1)) throw new Error(`${row.name}: logits differ by ${error} from ${peer.mode}'s`);
  }
}

/** Share of each operator in a batch of 128, on one thread. */
async function profile(name, file) {
  const prefix = `profile-${name}`;
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    enableProfiling: true,
    profileFilePrefix: join(folder, prefix),
  });
  const image = new ort.Tensor("float32", new Float32Array(128 * 3072), [128, 3, 32, 32]);
  for (let pass = 0; pass < 10; pass++) await session.run({ image });
  session.endProfiling();
  const log = readdirSync(folder).find((entry) => entry.startsWith(prefix));
  const events = JSON.parse(readFileSync(join(folder, log), "utf8")).filter(
    (event) => event.cat === "Node" && event.name.endsWith("_kernel_time"),
  );
  const sums = new Map();
  for (const { dur, args } of events) sums.set(args.op_name, (sums.get(args.op_name) ?? 0) + dur / 1e4);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([operator, milliseconds]) => ({ operator, milliseconds }));
}

const text = (result) =>
  `${result.name.padEnd(20)} int8 ${result.ours.toFixed(2)} ms, float32 (${result.peerMode}) ` +
  `${result.peer.toFixed(2)} ms, ${ratioText(result)}, goal ${goal}: ${result.met ? "met" : "not met"}`;

const wanted = wantedRows(rows, values);
try {
  const files = await writeModels();
  for (const row of wanted) reportRow(await measure(row, files), text, values);
  if (values.profile) {
    for (const [name, file] of Object.entries(files)) {
      for (const { operator, milliseconds } of await profile(name, file)) {
        process.stdout.write(`${name.padEnd(6)} ${operator.padEnd(28)} ${milliseconds.toFixed(2)} ms/batch of 128\n`);
      }
    }
  }
} catch (error) {
  process.stderr.write(`bench:int8: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

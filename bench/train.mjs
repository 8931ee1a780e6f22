// A training step (forward, backward, SGD with momentum; batch 128, 32×32 images) against PyTorch's fastest of eager and
// torch.compile, steps of both in turn. Usage: npm run bench:train -- [--json] [--row NAME]... [--steps 30] [--threads 2]
// [--python python3] [--record bench/history.jsonl]. The Python needs torch (the CPU wheel), torch.compile also g++.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compareWithFastest, memoryText, ratioText, reportRow, start, wantedRows } from "./paired.mjs";

const rows = [
  { name: "resnet20-b128/nchw", network: "resnet20", layout: "nchw" },
  { name: "resnet20-b128/channels-last", network: "resnet20", layout: "channels-last" },
  { name: "mobilenetv2-b128/nchw", network: "mobilenetv2", layout: "nchw" },
  { name: "mobilenetv2-b128/channels-last", network: "mobilenetv2", layout: "channels-last" },
];
const batchSize = 128;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    row: { type: "string", multiple: true },
    steps: { type: "string", default: "30" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: process.env.DOVETAIL_PYTHON ?? "python3" },
    record: { type: "string" },
  },
});
const steps = Number(values.steps);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dovetail-bench-"));

/** PyTorch in this mode, or the reason why not. */
async function startPeer(row, weights, mode) {
  const args = [here("peers/training_step.py"), row.network, `${batchSize}`, values.threads, weights, row.layout, mode];
  const peer = await start(`PyTorch ${mode}`, values.python, args);
  try {
    const first = await peer.ask("step");
    return { ...peer, first };
  } catch (error) {
    peer.stop();
    throw error;
  }
}

async function measure(row) {
  const weights = join(folder, `${row.network}.safetensors`);
  const args = [here("train/worker.mjs"), row.network, `${batchSize}`, values.threads, weights];
  const ours = await start("our side", process.execPath, args);
  const first = await ours.ask("step");
  const eager = await startPeer(row, weights, "eager");
  const compiled = await startPeer(row, weights, "compile").catch((error) => {
    process.stderr.write(`${row.name}: torch.compile is left out: ${error.message.split("\n").at(-1)}\n`);
    return undefined;
  });
  const peers = compiled ? [eager, compiled] : [eager];
  for (const peer of peers) requireSameLoss(row, first.loss, peer);
  const figures = await compareWithFastest(ours, peers, steps);
  return { name: row.name, unit: "ms/step", ...figures, threads: Number(values.threads) };
}

/** Both sides start from the same weights and images, so the first loss says whether they do the same. */
function requireSameLoss(row, loss, peer) {
  if (Math.abs(loss - peer.first.loss) <= 1e-3 * Math.abs(loss)) return;
  throw new Error(
    `${row.name}: first loss ${loss}, but ${peer.first.loss} in ${peer.mode}: not the same training step`,
  );
}

const text = (result) =>
  `${result.name.padEnd(32)} ours ${result.ours.toFixed(1)} ms, ${result.peerMode} ${result.peer.toFixed(1)} ms, ` +
  `${ratioText(result)}, ${memoryText(result)}`;

const wanted = wantedRows(rows, values);
try {
  for (const row of wanted) reportRow(await measure(row), text, values);
} catch (error) {
  process.stderr.write(`bench:train: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

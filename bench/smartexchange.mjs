// Decomposition into power-of-two coefficients and bases. Rows: VGG-19-BN whole (processor seconds, all 20 M weights), and 64
// filters of 512×3×3 against the published rounds in numpy (bench/peers/smartexchange_decompose.py), in turn.
// Usage: npm run bench:smartexchange -- [--json] [--row NAME]... [--steps 5] [--python python3] [--record bench/history.jsonl].
// The Python needs numpy.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { structureNetwork, weightLayersOf } from "@dovetail/compress";
import { createRandomStream } from "@dovetail/core";
import { initializeParameters, zooNetwork } from "@dovetail/models";
import { comparison, inTurn, peakMemories, ratioText, reportRow, start, wantedRows } from "./paired.mjs";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    row: { type: "string", multiple: true },
    steps: { type: "string", default: "5" },
    python: { type: "string", default: process.env.DOVETAIL_PYTHON ?? "python3" },
    record: { type: "string" },
  },
});

/** Processor time of a whole network; normal weights of the usual initialization, nothing pruned. */
function wholeNetwork() {
  const network = zooNetwork("vgg19-bn");
  const weights = initializeParameters(network, createRandomStream(1));
  const layers = weightLayersOf(network.graph, weights);
  const before = process.cpuUsage();
  const { relativeSquaredErrors } = structureNetwork(layers, weights);
  const { user, system } = process.cpuUsage(before);
  const errors = [...relativeSquaredErrors.values()];
  return {
    name: "vgg19-decomposition",
    unit: "processor s",
    ours: (user + system) / 1e6,
    peer: null,
    ratio: null,
    weights: layers.reduce((sum, { name }) => sum + weights.get(name).data.length, 0),
    meanRelativeSquaredError: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** 64 filters of 512×3×3 on both sides, the same normal weights from a file of float32. */
async function onePiece() {
  const folder = mkdtempSync(join(tmpdir(), "dovetail-smartexchange-"));
  const file = join(folder, "weights.f32");
  const random = createRandomStream(1);
  const weights = Float32Array.from({ length: 64 * 4608 }, () => 0.05 * random.normal());
  writeFileSync(file, new Uint8Array(weights.buffer));
  const side = (name) => fileURLToPath(new URL(name, import.meta.url));
  const ours = await start("ours", process.execPath, [side("smartexchange/worker.mjs"), file]);
  const peer = await start("numpy", values.python, [side("peers/smartexchange_decompose.py"), file]);
  try {
    await inTurn([ours, peer], 2);
    const [mine, theirs] = await inTurn([ours, peer], Number(values.steps));
    const last = (answers) => answers.at(-1).loss;
    return {
      name: "64-filters-512x3x3",
      unit: "ms",
      ...comparison(mine, theirs),
      ...(await peakMemories(ours, peer)),
      relativeSquaredError: { ours: last(mine), peer: last(theirs) },
    };
  } finally {
    for (const process of [ours, peer]) process.stop();
    rmSync(folder, { recursive: true });
  }
}

const rows = [
  { name: "vgg19-decomposition", measure: wholeNetwork },
  { name: "64-filters-512x3x3", measure: onePiece },
];

function text(result) {
  if (result.peer === null) return `${result.name.padEnd(24)} ${result.ours.toFixed(1)} processor s`;
  const { ours, peer } = result.relativeSquaredError;
  return (
    `${result.name.padEnd(24)} ours ${result.ours.toFixed(0)} ms, numpy ${result.peer.toFixed(0)} ms, ` +
    `${ratioText(result)}, squared error ${ours.toFixed(4)} against ${peer.toFixed(4)}`
  );
}

try {
  for (const row of wantedRows(rows, values)) reportRow(await row.measure(), text, values);
} catch (error) {
  process.stderr.write(`bench:smartexchange: ${error.message}\n`);
  process.exitCode = 1;
}
process.exit();

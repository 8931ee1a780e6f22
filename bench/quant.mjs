// Low-precision training steps against the authors' formulation in PyTorch, steps of all sides in turn. A row is a file in
// bench/quant/ that exports `row({ threads, python })`: { name, ours: { command, args }, peers: [{ mode, command, args }] }.
// Each side is a process that answers a line of JSON to each of the lines `step` ({ seconds, cpuSeconds, loss }) and
// `memory` ({ peakMemoryBytes }), and says { ready: true } first. The fastest peer counts.
// Usage: npm run bench:quant -- [--json] [--row NAME]... [--steps 10] [--threads 2] [--python python3]
// [--record bench/history.jsonl]. The Python needs torch (the CPU wheel).
import { readdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  comparison,
  fastestOf,
  inTurn,
  memoryText,
  peakMemories,
  ratioText,
  reportRow,
  start,
  wantedRows,
} from "./paired.mjs";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    row: { type: "string", multiple: true },
    steps: { type: "string", default: "10" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: process.env.DOVETAIL_PYTHON ?? "python3" },
    record: { type: "string" },
  },
});
const steps = Number(values.steps);
const folder = fileURLToPath(new URL("quant", import.meta.url));

async function measure(row) {
  const ours = await start("ours", row.ours.command, row.ours.args);
  const peers = await Promise.all(row.peers.map(({ mode, command, args }) => start(mode, command, args)));
  try {
    // The first steps warm up caches and allocators.
    await inTurn([ours, ...peers], 2);
    const [mine, ...theirs] = await inTurn([ours, ...peers], steps);
    const fastest = fastestOf(theirs);
    const modes = row.peers.map(({ mode }, index) => [mode, comparison(mine, theirs[index]).peer]);
    return {
      name: row.name,
      unit: "ms",
      ...comparison(mine, theirs[fastest]),
      peerMode: row.peers[fastest].mode,
      peersMs: Object.fromEntries(modes),
      ...(await peakMemories(ours, peers[fastest])),
      threads: Number(values.threads),
    };
  } finally {
    for (const side of [ours, ...peers]) side.stop();
  }
}

const text = (result) =>
  `${result.name.padEnd(24)} ours ${result.ours.toFixed(0)} ms, ${result.peerMode} ${result.peer.toFixed(0)} ms, ` +
  `${ratioText(result)}, ${memoryText(result)}`;

const files = readdirSync(folder).filter((name) => name.endsWith(".row.mjs"));
const modules = await Promise.all(files.map((name) => import(pathToFileURL(`${folder}/${name}`))));
const rows = modules.map(({ row }) => row({ threads: values.threads, python: values.python }));
const wanted = wantedRows(rows, values);
try {
  for (const row of wanted) reportRow(await measure(row), text, values);
} catch (error) {
  process.stderr.write(`bench:quant: ${error.message}\n`);
  process.exitCode = 1;
}
process.exit();

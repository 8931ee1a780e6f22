// Low-precision training steps against the authors' formulation in PyTorch, steps of all sides in turn. A row is a file in
// bench/quant/ that exports `row({ threads, python })`: { name, ours: { command, args }, peers: [{ mode, command, args }] }.
// Each side is a process that answers a line of JSON to each of the lines `step` ({ seconds, cpuSeconds, loss }) and
// `memory` ({ peakMemoryBytes }), and says { ready: true } first. The fastest peer counts.
// Usage: npm run bench:quant -- [--json] [--row NAME]... [--steps 10] [--threads 2] [--python python3]
// [--record bench/history.jsonl]. The Python needs torch (the CPU wheel).
import { execFileSync } from "node:child_process";
import { appendFileSync, readdirSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { inTurn, median, ratioInterval95, start } from "./paired.mjs";

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
    const seconds = (answers) => answers.map((answer) => answer.seconds);
    const medians = theirs.map((answers) => median(seconds(answers)));
    const fastest = medians.indexOf(Math.min(...medians));
    const cpu = (answers) => median(answers.map(({ cpuSeconds }) => cpuSeconds));
    return {
      name: row.name,
      ours: 1e3 * median(seconds(mine)),
      peer: 1e3 * medians[fastest],
      unit: "ms",
      ratio: median(seconds(mine)) / medians[fastest],
      ratioInterval95: ratioInterval95(seconds(mine), seconds(theirs[fastest])),
      cpuRatio: cpu(mine) / cpu(theirs[fastest]),
      peerMode: row.peers[fastest].mode,
      peersMs: Object.fromEntries(row.peers.map(({ mode }, index) => [mode, 1e3 * medians[index]])),
      peakMemoryBytes: (await ours.ask("memory")).peakMemoryBytes,
      peerPeakMemoryBytes: (await peers[fastest].ask("memory")).peakMemoryBytes,
      steps,
      threads: Number(values.threads),
      loadAverage: loadavg()[0],
    };
  } finally {
    for (const side of [ours, ...peers]) side.stop();
  }
}

function show(result) {
  if (values.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const [low, high] = result.ratioInterval95.map((ratio) => ratio.toFixed(3));
  const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
  process.stdout.write(
    `${result.name.padEnd(24)} ours ${result.ours.toFixed(0)} ms, ${result.peerMode} ${result.peer.toFixed(0)} ms, ` +
      `ratio ${result.ratio.toFixed(3)} [${low}, ${high}], peak ${megabytes(result.peakMemoryBytes)} ` +
      `against ${megabytes(result.peerPeakMemoryBytes)}\n`,
  );
}

const commit = () => execFileSync("git", ["rev-parse", "HEAD"], { cwd: folder, encoding: "utf8" }).trim();

const files = readdirSync(folder).filter((name) => name.endsWith(".row.mjs"));
const modules = await Promise.all(files.map((name) => import(pathToFileURL(`${folder}/${name}`))));
const rows = modules.map(({ row }) => row({ threads: values.threads, python: values.python }));
const wanted = values.row ? rows.filter(({ name }) => values.row.includes(name)) : rows;
if (wanted.length === 0) {
  process.stderr.write(`no such row: expected ${rows.map(({ name }) => name).join(", ")}\n`);
  process.exit(2);
}
try {
  for (const row of wanted) {
    const result = await measure(row);
    show(result);
    if (values.record) appendFileSync(values.record, `${JSON.stringify({ ...result, commit: commit() })}\n`);
  }
} catch (error) {
  process.stderr.write(`bench:quant: ${error.message}\n`);
  process.exitCode = 1;
}
process.exit();

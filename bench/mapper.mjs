// Searching mappings: throughput, proof of the optimum, one second's search, whole networks, two threads.
// Usage: npm run bench:mapper -- [--json] [--row NAME]... [--mapspace FILE] [--seeds 5] [--record bench/history.jsonl].
// Times are CPU-seconds of fresh processes, one thread, median over the seeds. Peer: the rate of Timeloop's mapper that
// the mapspace file records.
import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { createRandomStream } from "@dovetail/core";
import { networkNames } from "./mapper/networks.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    row: { type: "string", multiple: true },
    mapspace: { type: "string", default: here("../../shared/golden/mapspace-eyeriss-168.json") },
    seeds: { type: "string", default: "5" },
    record: { type: "string" },
  },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);
const job = here("mapper/job.mjs");
/** The faster of the two machines on which Timeloop was timed. */
const peerRate = Math.max(
  ...JSON.parse(readFileSync(values.mapspace, "utf8")).throughput_of_peer.valid_mappings_per_cpu_second,
);

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const median = (numbers) => {
  const order = sorted(numbers);
  return (order[(order.length - 1) >> 1] + order[order.length >> 1]) / 2;
};

/** A measurement in a process of its own. */
function run(kind, argument, seed) {
  const child = spawn(process.execPath, [job, values.mapspace, kind, `${argument}`, `${seed}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`${kind} ${argument} ended with ${code}`)),
    );
  });
}

/** The same in a thread of this process. */
function runInThread(kind, argument, seed) {
  const worker = new Worker(job, { workerData: [values.mapspace, kind, `${argument}`, `${seed}`] });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

async function overSeeds(kind, argument) {
  const results = [];
  for (const seed of seeds) results.push(await run(kind, argument, seed));
  return results;
}

const peakMemory = (results) => Math.max(...results.map(({ peakMemoryBytes }) => peakMemoryBytes));

/** Percentile bootstrap over the runs. */
function interval95(figure, runs) {
  const random = createRandomStream(1);
  const figures = Array.from({ length: 4000 }, () => figure(runs.map(() => runs[random.integer(runs.length)])));
  const order = sorted(figures);
  return [order[Math.floor(0.025 * order.length)], order[Math.ceil(0.975 * order.length) - 1]];
}

async function throughput(links) {
  const results = await overSeeds("throughput", links);
  const rate = (runs) => median(runs.map(({ count, cpuSeconds }) => count / cpuSeconds));
  return {
    unit: "mappings/CPU-s",
    ours: rate(results),
    peer: peerRate,
    peerRecorded: true,
    ratio: peerRate / rate(results),
    ratioInterval95: interval95((runs) => peerRate / rate(runs), results),
    checkedByPlainModel: results.reduce((sum, { checked }) => sum + checked, 0),
    peakMemoryBytes: peakMemory(results),
  };
}

async function proof() {
  const results = await overSeeds("proof", "");
  const [{ edp, lowerBound }] = results;
  return {
    unit: "CPU-s",
    ours: median(results.map(({ cpuSeconds }) => cpuSeconds)),
    peer: null,
    ratio: null,
    edpJouleCycles: edp,
    lowerBound,
    proven: results.every(({ proven, edp: other }) => proven && other === edp),
    nodes: median(results.map(({ nodes }) => nodes)),
    peakMemoryBytes: peakMemory(results),
  };
}

async function oneSecond() {
  const results = await overSeeds("search", 1);
  const optimum = (await run("proof", "", 1)).edp;
  return {
    unit: "EDP/optimum",
    ours: median(results.map(({ edp }) => edp / optimum)),
    peer: null,
    ratio: null,
    worst: Math.max(...results.map(({ edp }) => edp / optimum)),
    cpuSeconds: median(results.map(({ cpuSeconds }) => cpuSeconds)),
    peakMemoryBytes: peakMemory(results),
  };
}

async function network(name) {
  const results = await overSeeds("network", name);
  const layers = results[0].layers.map(({ name: layer }, index) => ({
    layer,
    gap: Math.max(...results.map((result) => result.layers[index].gap)),
    edpJouleCycles: median(results.map((result) => result.layers[index].edp)),
    cpuSeconds: median(results.map((result) => result.layers[index].cpuSeconds)),
    proven: results.every((result) => result.layers[index].proven),
  }));
  return {
    unit: "CPU-s",
    ours: median(results.map(({ cpuSeconds }) => cpuSeconds)),
    peer: null,
    ratio: null,
    layers: layers.length,
    proven: layers.filter(({ proven }) => proven).length,
    withinFivePercent: layers.filter(({ gap }) => gap <= 0.05).length / layers.length,
    worst: [...layers].sort((a, b) => b.gap - a.gap || b.cpuSeconds - a.cpuSeconds).slice(0, 3),
    peakMemoryBytes: peakMemory(results),
  };
}

/** Two threads of one process against two processes, in turn. */
async function twoThreads() {
  const rates = [];
  const together = async (start, seed) => {
    const results = await Promise.all([start("threads", "", seed), start("threads", "", seed + 1000)]);
    return results.reduce((sum, { count, elapsedSeconds }) => sum + count / elapsedSeconds, 0);
  };
  for (const seed of seeds) {
    rates.push({ threads: await together(runInThread, seed), processes: await together(run, seed) });
  }
  const ratio = (runs) => median(runs.map(({ processes }) => processes)) / median(runs.map(({ threads }) => threads));
  return {
    unit: "mappings/s",
    ours: median(rates.map(({ threads }) => threads)),
    peer: median(rates.map(({ processes }) => processes)),
    ratio: ratio(rates),
    ratioInterval95: interval95(ratio, rates),
    loadAverage: loadavg()[0],
  };
}

const rows = {
  "throughput/links-off": () => throughput("links-off"),
  "throughput/links-on": () => throughput("links-on"),
  "optimum/proof": proof,
  "search/one-second": oneSecond,
  ...Object.fromEntries(networkNames.map((name) => [`network/${name}`, () => network(name)])),
  "threads/two": twoThreads,
};

const commit = () => execFileSync("git", ["rev-parse", "HEAD"], { cwd: here("."), encoding: "utf8" }).trim();

function describe({ name, unit, ours, peer, ratio, ...rest }) {
  const against = peer === null ? "" : `, peer ${peer.toPrecision(4)}, ratio ${ratio.toPrecision(3)}`;
  const notes = ["edpJouleCycles", "proven", "layers", "withinFivePercent"]
    .filter((key) => rest[key] !== undefined)
    .map((key) => `${key} ${rest[key]}`);
  const worst = Array.isArray(rest.worst)
    ? [`worst ${rest.worst.map(({ layer, gap }) => `${layer}: ${(100 * gap).toFixed(2)} %`).join(", ")}`]
    : [];
  return [`${name.padEnd(24)} ${ours.toPrecision(4)} ${unit}${against}`, ...notes, ...worst].join("; ");
}

const wanted = values.row ?? Object.keys(rows);
const unknown = wanted.find((name) => rows[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(`no row ${unknown}: expected ${Object.keys(rows).join(", ")}\n`);
  process.exit(2);
}
try {
  for (const name of wanted) {
    const result = { name, ...(await rows[name]()) };
    process.stdout.write(`${values.json ? JSON.stringify(result) : describe(result)}\n`);
    if (values.record) appendFileSync(values.record, `${JSON.stringify({ ...result, commit: commit() })}\n`);
  }
} catch (error) {
  process.stderr.write(`bench:mapper: ${error.message}\n`);
  process.exitCode = 1;
}

// The add layers of ResNet-20 at batch 128, forward and both gradients: ours against PyTorch's cdist formulation of AdderNet
// and against plain loops in C, steps in turn. Usage: node bench/adder.mjs [--json] [--rounds 10] [--cdist-rounds 3]
// [--threads 2] [--record bench/history.jsonl]. Needs gcc, and Python with PyTorch (DOVETAIL_PYTHON) for the cdist rows.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compileKernels, createKernelMemory, openKernels } from "../packages/runtime/dist/kernels/thread-pool.js";
import { checkLoop } from "./adder/check.mjs";
import { batchSize, distancesOf, layers, products } from "./adder/layers.mjs";
import { inTurn, median, ratioInterval95, reportRow, start } from "./paired.mjs";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "10" },
    "cdist-rounds": { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    record: { type: "string" },
  },
});
const { threads } = values;
const file = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Operations of our kernels for each distance: maximum and sum; difference, two bounds, product and sum. */
const operationsPerDistance = { forward: 2, "input-gradient": 5 };

/** 128-bit operations a second in registers, on one thread: the best of some tries. */
async function vectorPeak() {
  const kernels = await openKernels(await compileKernels(), createKernelMemory());
  let best = 0;
  for (let round = 0; round < 30; round++) {
    const begin = performance.now();
    kernels.peakForward(500_000);
    best = Math.max(best, (14 * 500_000) / ((performance.now() - begin) / 1e3));
  }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), "adder-loop-"));
const loop = join(folder, "adder_loop");
const flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp"];
execFileSync("gcc", [...flags, file("peers/adder_loop.c"), "-o", loop, "-lm"], { stdio: "inherit" });
await checkLoop(loop);
// Threads that wait busily would take the processor from the other side.
process.env.OMP_WAIT_POLICY = "passive";

const peers = {
  "c-loop": { rounds: Number(values.rounds), open: () => start("the C loop", loop, [threads]) },
  "pytorch-cdist": {
    rounds: Number(values["cdist-rounds"]),
    open: () => start("PyTorch", process.env.DOVETAIL_PYTHON ?? "python3", [file("peers/adder_cdist.py"), threads]),
  },
};

const text = ({ name, ours, peer, ratio, ratioInterval95: [low, high], cpuRatio }) =>
  `${name}: ${ours.toFixed(0)} against ${peer.toFixed(0)} ms, ratio ${ratio.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}], of processor time ${cpuRatio.toFixed(3)}`;

const peak = await vectorPeak();
const distances = layers.reduce((sum, layer) => sum + layer.count * distancesOf(layer, batchSize), 0);
for (const [peerName, { rounds, open }] of Object.entries(peers)) {
  const sides = [await start("ours", process.execPath, [file("adder/ours.mjs"), threads]), await open()];
  // Kernels are compiled for speed while they first run.
  await inTurn(sides.slice(0, 1), 3);
  await inTurn(sides, 1);
  const [mine, theirs] = await inTurn(sides, rounds);
  const memory = [];
  for (const side of sides) memory.push((await side.ask("memory")).peakMemoryBytes);
  for (const side of sides) side.stop();
  const sum = (list) => list.reduce((total, value) => total + value, 0);
  const rows = [["all", sum], ...products.map((product, index) => [product, (list) => list[index]])];
  for (const [product, pick] of rows) {
    const [a, b] = [mine, theirs].map((answers) => answers.map(({ seconds }) => pick(seconds)));
    const [aCpu, bCpu] = [mine, theirs].map((answers) => answers.map(({ cpuSeconds }) => pick(cpuSeconds)));
    const operations = operationsPerDistance[product];
    const row = {
      name: `adder/${product}/against-${peerName}`,
      unit: "ms",
      ours: 1e3 * median(a),
      peer: 1e3 * median(b),
      ratio: median(a) / median(b),
      ratioInterval95: ratioInterval95(a, b),
      cpuRatio: median(aCpu) / median(bCpu),
      cpuMs: 1e3 * median(aCpu),
      // A distance counts as two operations (difference and sum), as a multiply-accumulate does.
      gigaOperationsPerSecond: ((product === "all" ? 3 : 1) * 2 * distances) / median(a) / 1e9,
      // Of one thread's 128-bit vector operations, by processor time.
      ...(operations && { shareOfVectorPeak: (operations * distances) / 4 / median(aCpu) / peak }),
      vectorPeakPerSecond: peak,
      peakMemoryBytes: memory[0],
      peerPeakMemoryBytes: memory[1],
      threads: Number(threads),
      rounds,
      loadAverage: loadavg()[0],
    };
    reportRow(row, text, values);
  }
}
rmSync(folder, { recursive: true });

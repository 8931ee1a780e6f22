// Whether skipping pays in inference: DFQ's ResNet-20 as one graph, which computes every block for every image, against the
// predictor that gathers the images that run, at shares of skipped blocks set by hand. Batch 128, runs in turn.
// Usage: node bench/fractrain-skip.mjs [--json] [--runs 8] [--threads 2]
import { parseArgs } from "node:util";
import { createRandomStream } from "@dovetail/core";
import { tensor, tensorFromData } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { createSkippingPredictor, methodOf, prepareTraining } from "@dovetail/systems";
import { createPredictor } from "@dovetail/train";
import { median } from "./paired.mjs";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    runs: { type: "string", default: "8" },
    threads: { type: "string", default: "2" },
  },
});
const batchSize = 128;
const { network, gated, controller } = prepareTraining(resNet({ depth: 20 }), methodOf({ kind: "dfq" }), {
  batchSize,
  steps: 1,
});
const random = createRandomStream(1);
const images = tensorFromData(
  "float32",
  [batchSize, 3, 32, 32],
  Float32Array.from({ length: batchSize * 3072 }, (_, index) => random.integer(64) + Math.floor(index / 3072)),
);
const runtime = await createRuntime({ threads: Number(values.threads) });
const scalars = controller.scalars();

/** Weights with which every gate chooses between the skip and 3/6; a higher `offset` lets more images run. */
function weightsAt(offset) {
  const weights = initializeParameters(network, createRandomStream(1));
  const bias = [0, offset, -99, -99, -99, -99];
  weights.set("gates.choice.bias", tensor("float32", [bias.length], bias));
  return weights;
}

async function timed(predictor) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await predictor.predict(images);
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1e3 };
}

for (const offset of [99, 1, -1, -99]) {
  const weights = weightsAt(offset);
  const whole = await createPredictor({ runtime, network, weights, scalars });
  const skipping = await createSkippingPredictor({ runtime, network, gated, weights, scalars });
  const times = { whole: [], skipping: [] };
  for (let run = 0; run < 2 + Number(values.runs); run++) {
    const [a, b] = [await timed(whole), await timed(skipping)];
    if (run < 2) continue;
    times.whole.push(a);
    times.skipping.push(b);
  }
  const counts = skipping.choices();
  const all = counts.flat().reduce((sum, count) => sum + count, 0);
  const of = (side, figure) => median(times[side].map((time) => time[figure]));
  const result = {
    skippedShare: counts.reduce((sum, [count]) => sum + count, 0) / all,
    wholeMs: of("whole", "ms"),
    skippingMs: of("skipping", "ms"),
    ratio: of("skipping", "ms") / of("whole", "ms"),
    cpuRatio: of("skipping", "cpuMs") / of("whole", "cpuMs"),
  };
  const text = `skipped ${(100 * result.skippedShare).toFixed(0)} %: ${result.skippingMs.toFixed(0)} ms against ${result.wholeMs.toFixed(0)} ms, ratio ${result.ratio.toFixed(2)} (processor time ${result.cpuRatio.toFixed(2)})`;
  process.stdout.write(`${values.json ? JSON.stringify(result) : text}\n`);
  await whole.release();
  await skipping.release();
}
await runtime.release();

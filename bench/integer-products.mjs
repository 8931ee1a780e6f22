// A 3×3 layer's three products with 8-bit operands, computed in true integers, against the same layer in float32: plain,
// and with fake quantization. Usage: node bench/integer-products.mjs [--json] [--rounds 30] [--threads 2]
// [--clock wall|cpu] [--record bench/history.jsonl]. Runs of all forms in turn, medians.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { createRandomStream } from "@dovetail/core";
import { createRuntime } from "@dovetail/runtime";
import { fakeQuantized, inputsOf, integer, plain, products, shapes } from "./integer-products/forms.mjs";
import { median, ratioInterval95, reportRow } from "./paired.mjs";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "30" },
    threads: { type: "string", default: "2" },
    clock: { type: "string", default: "wall" },
    record: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const warmUp = 5;
const random = createRandomStream(0);
const runtime = await createRuntime({ threads: Number(values.threads) });

function now() {
  if (values.clock === "wall") return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function normal(dimensions, isRectified) {
  const data = new Float32Array(dimensions.reduce((product, size) => product * size, 1));
  for (let index = 0; index < data.length; index++) {
    const value = random.normal();
    data[index] = isRectified ? Math.max(0, value) : value;
  }
  return { elementType: "float32", dimensions, data };
}

/** ‖a − b‖ / ‖b‖. */
function distance(a, b) {
  let difference = 0;
  let norm = 0;
  for (let index = 0; index < b.length; index++) {
    difference += (a[index] - b[index]) ** 2;
    norm += b[index] ** 2;
  }
  return Math.sqrt(difference / norm);
}

const text = ({ name, ours, peer, ratio }) =>
  `${name}: ${ours.toFixed(2)} against ${peer.toFixed(2)} ms, ratio ${ratio.toFixed(3)}`;

for (const shape of shapes) {
  const feeds = Object.fromEntries(
    Object.entries(inputsOf(shape)).map(([name, dimensions]) => [name, normal(dimensions, name === "input")]),
  );
  const bits = { elementType: "float32", dimensions: [], data: Float32Array.of(8) };
  const forms = {
    plain: { segment: await runtime.compile(plain(shape)), feeds },
    fakeQuantized: { segment: await runtime.compile(fakeQuantized(shape)), feeds: { ...feeds, bits } },
    integer: { segment: await runtime.compile(integer(shape)), feeds },
  };
  const times = Object.fromEntries(Object.keys(forms).map((name) => [name, []]));
  const results = {};
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const [name, form] of Object.entries(forms)) {
      const start = now();
      const outputs = await form.segment.run(form.feeds);
      if (round >= warmUp) times[name].push(now() - start);
      results[name] = outputs;
    }
  }
  const difference = products.map((product) =>
    distance(results.integer[product].data, results.fakeQuantized[product].data),
  );
  for (const peer of ["plain", "fakeQuantized"]) {
    const row = {
      name: `integer-products/${shape.name}/against-${peer === "plain" ? "float32" : "fake-quantized"}`,
      unit: "ms",
      ours: median(times.integer),
      peer: median(times[peer]),
      ratio: median(times.integer) / median(times[peer]),
      ratioInterval95: ratioInterval95(times.integer, times[peer]),
      relativeDifference: Math.max(...difference),
      loadAverage: loadavg()[0],
    };
    reportRow(row, text, values);
  }
  for (const { segment } of Object.values(forms)) await segment.release();
}
await runtime.release();

// Before anything is measured: the C loop computes what our kernels compute.
import { execFileSync } from "node:child_process";
import { createRuntime } from "@dovetail/runtime";
import { batchSize, drawn, productGraphs } from "./layers.mjs";

const small = [
  { channels: 3, size: 8, outputs: 4, stride: 1 },
  { channels: 4, size: 8, outputs: 8, stride: 2 },
];
/** Of the largest value: float32 sums in another order. */
const tolerance = 1e-4;

/** Throws when a value of the loop's three products is not ours. */
export async function checkLoop(loop) {
  const runtime = await createRuntime({ threads: 1 });
  for (const layer of small) {
    const graphs = Object.values(productGraphs(layer, batchSize));
    const feedsOf = ({ inputs }) => Object.fromEntries(inputs.map(({ name, type }) => [name, drawn(name, type.shape)]));
    const ours = [];
    for (const graph of graphs) {
      const segment = await runtime.compile(graph);
      const [output] = Object.values(await segment.run(feedsOf(graph)));
      ours.push(output.data);
    }
    const { x, weight, dy } = Object.assign({}, ...graphs.map(feedsOf));
    const { channels, size, outputs, stride } = layer;
    const input = [channels, size, outputs, stride, ...x.data, ...weight.data, ...dy.data].join("\n");
    const theirs = execFileSync(loop, ["check"], { input, maxBuffer: 1 << 28 })
      .toString()
      .trim()
      .split("\n")
      .map(Number);
    compare(ours, theirs);
  }
  await runtime.release();
}

function compare(ours, theirs) {
  const count = ours.reduce((sum, values) => sum + values.length, 0);
  if (theirs.length !== count) throw new Error(`the C loop gave ${theirs.length} values, expected ${count}`);
  let start = 0;
  for (const values of ours) {
    const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const worst = values.reduce(
      (largest, value, index) => Math.max(largest, Math.abs(value - theirs[start + index])),
      0,
    );
    if (!(worst <= tolerance * most)) throw new Error(`the C loop differs from our kernels by ${worst} of ${most}`);
    start += values.length;
  }
}

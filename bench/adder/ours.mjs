// Our side of bench/adder.mjs: reads a command a line, answers with a line of JSON. Usage: node ours.mjs <threads>
import { createInterface } from "node:readline";
import { createRuntime } from "@dovetail/runtime";
import { batchSize, drawn, layers, productGraphs, products } from "./layers.mjs";

const runtime = await createRuntime({ threads: Number(process.argv[2]) });
const work = [];
for (const layer of layers) {
  const graphs = productGraphs(layer, batchSize);
  for (const product of products) {
    const graph = graphs[product];
    const segment = await runtime.compile(graph);
    const feeds = Object.fromEntries(graph.inputs.map(({ name, type }) => [name, drawn(name, type.shape)]));
    const outputs = Object.fromEntries(graph.outputs.map(({ name, type }) => [name, drawn(name, type.shape)]));
    work.push({ product: products.indexOf(product), count: layer.count, run: () => segment.run(feeds, outputs) });
  }
}

async function step() {
  const [seconds, cpuSeconds] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (const { product, count, run } of work) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    await run();
    seconds[product] += (count * (performance.now() - start)) / 1e3;
    const { user, system } = process.cpuUsage(cpu);
    cpuSeconds[product] += (count * (user + system)) / 1e6;
  }
  return { seconds, cpuSeconds };
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
answer({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  answer(line === "memory" ? { peakMemoryBytes: process.resourceUsage().maxRSS * 1024 } : await step());
}

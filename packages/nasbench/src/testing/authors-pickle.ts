// For tests only: the authors' pickle with the bundled values, and made-up ones where nothing is bundled.
import { createRandomStream } from "@dovetail/core";
import type { PickleValue } from "../pickle/values.js";
import { formatCell } from "../spaces/cell.js";
import { cellDatasets } from "../spaces/cell-network.js";
import type { HardwareBenchmark } from "../tables/benchmark.js";
import { metricNames } from "../tables/metrics.js";
import { edgeGpuSummary } from "../verify/published.js";
import { writePickle } from "./write-pickle.js";

export interface AuthorsPickleOptions {
  /** Factor of the Edge GPU's latencies that are not bundled. 1 gives them the published summary. */
  readonly scale?: number | undefined;
  /** Changes the contents before they are written. */
  readonly change?: ((root: Map<string, PickleValue>) => void) | undefined;
}

/** Its bytes. The Edge GPU's latencies on CIFAR-10 keep the bundled values and have the published summary. */
export function authorsPickle({ cells, fbnet }: HardwareBenchmark, options: AuthorsPickleOptions = {}): Uint8Array {
  const config: PickleValue = [...cells.codes].map(
    (code): PickleValue =>
      new Map<string, PickleValue>([
        ["name", "infer.tiny"],
        ["C", 16],
        ["N", 5],
        ["arch_str", formatCell(code)],
        ["num_classes", 10],
      ]),
  );
  const spaces = new Map<string, PickleValue>();
  for (const dataset of Object.keys(cellDatasets) as (keyof typeof cellDatasets)[]) {
    const tables = new Map<string, PickleValue>([["config", config]]);
    for (const metric of metricNames) {
      const known = cells.costs[dataset].get(metric) ?? new Float64Array(cells.codes.length).fill(Number.NaN);
      const isEdgeGpu = dataset === "cifar10" && metric === "edgegpu_latency";
      const values = isEdgeGpu
        ? withSummary(known, options.scale ?? 1)
        : known.map((value, index) => (Number.isNaN(value) ? 1 + (index % 7) : value));
      tables.set(metric, { kind: "array", shape: [values.length], values });
    }
    spaces.set(dataset, tables);
  }
  const operators = new Map([...fbnet.tables].map(([metric, table]) => [metric, new Map(table) as PickleValue]));
  const root = new Map<string, PickleValue>([
    ["nasbench201", spaces],
    ["fbnet", operators],
  ]);
  options.change?.(root);
  return writePickle(root);
}

/** Normal draws for what is not known, moved and stretched until all together have the published summary. */
function withSummary(known: Float64Array, scale: number): Float64Array {
  const { mean, standardDeviation, minimum, maximum } = edgeGpuSummary;
  const random = createRandomStream(0);
  const free = [...known.keys()].filter((index) => Number.isNaN(known[index]!));
  const [least, most, ...others] = free;
  const values = known.slice();
  values[least!] = minimum;
  values[most!] = maximum;
  const draws = others.map(() => Math.max(-2.5, Math.min(2.5, random.normal())));
  const fixed = values.filter((value) => !Number.isNaN(value));
  const count = values.length;
  const sum = (list: ArrayLike<number>, of: (value: number) => number): number =>
    Array.from(list, of).reduce((total, value) => total + value, 0);
  const drawMean = sum(draws, (x) => x) / draws.length;
  const drawVariance = sum(draws, (x) => (x - drawMean) ** 2) / draws.length;
  const center = (count * mean - sum(fixed, (x) => x)) / draws.length;
  const squares = count * standardDeviation ** 2 - sum(fixed, (x) => (x - mean) ** 2);
  const spread = Math.sqrt((squares / draws.length - (center - mean) ** 2) / drawVariance);
  for (const [place, index] of others.entries()) values[index] = scale * (center + spread * (draws[place]! - drawMean));
  return values;
}

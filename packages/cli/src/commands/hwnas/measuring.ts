import { createRandomStream } from "@dovetail/core";
import { eliminateDeadCode, GraphBuilder, type Model, modelOf } from "@dovetail/graph";
import { exportModel, initializeParameters, type Network } from "@dovetail/models";
import {
  cellCost,
  cellCount,
  cellDatasetNamed,
  cellIndexOf,
  cellNetwork,
  type DeviceTable,
  deviceMetric,
  fbnetCost,
  fbnetDatasetNamed,
  fbnetNetwork,
  fbnetOperators,
  fbnetPositionCount,
  formatCell,
  formatFbnet,
  type HardwareBenchmark,
  type MeasuredNetwork,
  operatorGraphs,
  parseCell,
  parseFbnet,
  withDevice,
} from "@dovetail/nasbench";
import type { CommandWatch } from "../../terminal/command-io.js";
import { type Clock, operatorTime, type TimingOptions, timeNetwork, timeOperator } from "./timing.js";

/** What is measured, and how. Equal plans can be gone on with. */
export interface MeasuringPlan {
  readonly device: string;
  readonly space: DeviceTable["space"];
  readonly dataset: string;
  readonly threads: number;
  readonly warmUp: number;
  /** Everything is timed in so many rounds: a machine that gets slower meanwhile slows everything alike. */
  readonly rounds: number;
  /** Of a round. */
  readonly repeats: number;
  readonly clock: Clock;
  /** Other data that are read before each run of an operator; whole networks run one time after another. */
  readonly displacedMb: number;
  /** Whole networks that are measured beside their sums. */
  readonly networks: number;
  readonly seed: number;
}

/** What there is so far. */
export interface MeasuringState {
  readonly plan: MeasuringPlan;
  /** Latencies by key, ms. */
  readonly operators: Record<string, number[]>;
  /** Latencies of whole networks by architecture, ms. */
  readonly networks: Record<string, number[]>;
}

/** Measures what `state` does not have yet, in place. `save` is called after every piece. */
export async function carryOnMeasuring(
  state: MeasuringState,
  watch: CommandWatch,
  save: () => Promise<void>,
): Promise<void> {
  const { plan } = state;
  const options: TimingOptions & { displacedMb: number } = { ...plan, signal: watch.signal };
  const pieces = [
    ...operatorGraphs(plan.space, plan.dataset).map((graph) => ({
      samples: samplesOf(state.operators, graph.key),
      time: () => timeOperator(graph, options),
    })),
    ...drawArchitectures(plan).map((architecture) => ({
      samples: samplesOf(state.networks, architecture),
      time: () => {
        const { model, idle, inputShape } = wholeNetwork(plan, architecture);
        return timeNetwork(model, idle, inputShape, options);
      },
    })),
  ];
  const total = pieces.length * plan.rounds;
  let done = 0;
  for (let round = 1; round <= plan.rounds; round++) {
    for (const { samples, time } of pieces) {
      if (samples.length < round * plan.repeats) {
        samples.push(...(await time()));
        await save();
      }
      done++;
      watch.onProgress({ task: "measure", done, total, unit: "operators and networks" });
    }
  }
}

function samplesOf(record: Record<string, number[]>, key: string): number[] {
  record[key] ??= [];
  return record[key];
}

/** Distinct random networks of the space. */
function drawArchitectures({ space, networks, seed }: MeasuringPlan): string[] {
  const random = createRandomStream(seed);
  const drawn = new Set<string>();
  while (drawn.size < networks) {
    drawn.add(
      space === "fbnet"
        ? formatFbnet(Array.from({ length: fbnetPositionCount }, () => random.integer(fbnetOperators.length)))
        : formatCell(random.integer(cellCount)),
    );
  }
  return [...drawn];
}

function wholeNetwork(
  { space, dataset }: MeasuringPlan,
  architecture: string,
): { model: Model; idle: Model; inputShape: readonly number[] } {
  const network: Network =
    space === "fbnet"
      ? fbnetNetwork(parseFbnet(architecture), fbnetDatasetNamed(dataset))
      : cellNetwork(parseCell(architecture), cellDatasetNamed(dataset));
  const image = network.graph.inputs.find(({ name }) => name === network.image)!;
  const inputShape = [1, ...(image.type.shape!.slice(1) as number[])];
  const g = new GraphBuilder("idle");
  g.output(g.relu(g.input("image", "float32", inputShape)), "result");
  const weights = initializeParameters(network, createRandomStream(0));
  return { model: withoutDeadCode(exportModel(network, weights)), idle: modelOf(g.build()), inputShape };
}

/** Edges that do not reach the output are left out, as those who deploy a network do; ONNX Runtime would run them. */
function withoutDeadCode(model: Model): Model {
  return { ...model, graph: eliminateDeadCode(model.graph) };
}

/** The finished table: every measured network beside the sum of its operators. */
export function deviceTableOf(
  state: MeasuringState,
  benchmark: HardwareBenchmark,
  conditions: DeviceTable["conditions"],
): DeviceTable {
  const { device, space, dataset } = state.plan;
  const table: DeviceTable = {
    format: "dovetail-device-table",
    version: 1,
    device,
    space,
    dataset,
    conditions,
    operators: Object.fromEntries(
      Object.entries(state.operators).map(([key, samples]) => [key, operatorTime(samples)]),
    ),
    networks: [],
  };
  const predict = predictor(withDevice(benchmark, table), table);
  const networks = Object.entries(state.networks).map(
    ([architecture, samples]): MeasuredNetwork => ({
      architecture,
      measuredMs: operatorTime(samples).medianMs,
      predictedMs: predict(architecture),
    }),
  );
  return { ...table, networks };
}

function predictor({ cells, fbnet }: HardwareBenchmark, table: DeviceTable): (architecture: string) => number {
  const metric = deviceMetric(table);
  if (table.space === "fbnet") {
    const dataset = fbnetDatasetNamed(table.dataset);
    return (architecture) => fbnetCost(fbnet, parseFbnet(architecture), dataset, metric);
  }
  const dataset = cellDatasetNamed(table.dataset);
  return (architecture) => cellCost(cells, cellIndexOf(cells, architecture), dataset, metric);
}

import { setImmediate } from "node:timers/promises";
import { createRandomStream, inputError } from "@dovetail/core";
import { type Architecture, eyerissLike, fpgaBoards, macCount } from "@dovetail/hardware";
import {
  blameOperators,
  type CostModel,
  cellCosts,
  cellCostsOf,
  cellDatasetNamed,
  cellMacs,
  cellParameters,
  type FbnetSum,
  fbnetDatasetNamed,
  fbnetPositionCount,
  fbnetTotal,
  fpgaModel,
  type HardwareBenchmark,
  mappedModel,
  modelledCellPrices,
  modelledFbnetSum,
  type OperatorBlame,
  type PoolingCharge,
  type PricedMetric,
  rowStationaryModel,
} from "@dovetail/nasbench";
import type { CommandWatch } from "../../terminal/command-io.js";
import type { ModelOptions } from "./models.js";

export interface ComparedColumn {
  readonly name: string;
  readonly values: Float64Array;
}

/** A model beside the published device that it should rank as. */
export interface Blame {
  readonly model: string;
  readonly device: string;
  readonly pooling: PoolingCharge;
  /** τ-b that was asked for (systems.md, section 10). */
  readonly target?: number | undefined;
  readonly kendall: number;
  readonly operators: readonly OperatorBlame[];
}

export interface ComparedColumns {
  readonly networks: number;
  readonly columns: readonly ComparedColumn[];
  readonly blame: readonly Blame[];
}

export interface CompareOptions extends ModelOptions {
  readonly models: boolean;
  readonly architecture?: Architecture | undefined;
}

interface NamedModel {
  readonly model: CostModel;
  readonly hasEnergy: boolean;
  /** Published device, pooling as charged, and τ-b asked for. */
  readonly against?: { readonly device: string; readonly pooling: PoolingCharge; readonly target?: number } | undefined;
}

function modelsOf(options: CompareOptions, signal: AbortSignal): NamedModel[] {
  const { evaluations, seed, architecture } = options;
  const mapped = (of: Architecture): CostModel =>
    mappedModel(of, { random: createRandomStream(seed), evaluations, signal });
  const own = architecture ? [{ model: mapped(architecture), hasEnergy: true }] : [];
  if (!options.models) return own;
  return [
    {
      model: { ...mapped(eyerissLike()), name: "eyeriss-like" },
      hasEnergy: true,
      against: { device: "eyeriss", pooling: "convolution", target: 0.9 },
    },
    {
      model: fpgaModel(fpgaBoards.ZC706),
      hasEnergy: false,
      against: { device: "fpga", pooling: "moved", target: 0.85 },
    },
    { model: rowStationaryModel(), hasEnergy: true, against: { device: "eyeriss", pooling: "convolution", target: 1 } },
    ...own,
  ];
}

/** NAS-Bench-201: every metric of the tables, sizes, accuracy, our models. */
export async function compareCells(
  { cells }: HardwareBenchmark,
  datasetName: string,
  options: CompareOptions,
  watch: CommandWatch,
): Promise<ComparedColumns> {
  const dataset = cellDatasetNamed(datasetName);
  const { pooling } = options;
  const columns: ComparedColumn[] = [...cells.costs[dataset]].map(([name, values]) => ({ name, values }));
  columns.push(
    { name: "accuracy", values: cells.accuracies[dataset].test },
    { name: "macs", values: Float64Array.from(cells.codes, (code) => cellMacs(code, dataset)) },
    { name: "parameters", values: Float64Array.from(cells.codes, (code) => cellParameters(code, dataset)) },
  );
  const blame: Blame[] = [];
  const models = modelsOf(options, watch.signal);
  for (const [index, { model, hasEnergy, against }] of models.entries()) {
    await setImmediate();
    for (const metric of metricsOf(hasEnergy)) {
      const prices = modelledCellPrices(model, dataset, { pooling }, metric);
      columns.push({ name: columnName(model, metric), values: cellCostsOf(cells, prices) });
    }
    const published = against && cells.costs[dataset].get(`${against.device}_latency`);
    if (published && !published.some(Number.isNaN)) {
      const charges = new Set([against.pooling, "free" as const]);
      for (const charge of charges) {
        const prices = modelledCellPrices(model, dataset, { pooling: charge });
        const target = charge === against.pooling ? against.target : undefined;
        const found = blameOperators(cells, prices, cellCosts(cells, dataset, `${against.device}_latency`));
        blame.push({ model: model.name, device: against.device, pooling: charge, target, ...found });
      }
    }
    watch.onProgress({ task: "price operators", done: index + 1, total: models.length, unit: "models" });
  }
  return { networks: cells.codes.length, columns, blame };
}

/** FBNet: the sampled networks. */
export async function compareFbnet(
  { fbnet }: HardwareBenchmark,
  datasetName: string,
  options: CompareOptions,
  watch: CommandWatch,
): Promise<ComparedColumns> {
  const dataset = fbnetDatasetNamed(datasetName);
  const { samples } = fbnet;
  if (samples === undefined) throw inputError("no_samples", "the tables come without the sampled networks of FBNet");
  const totals = (sum: FbnetSum): Float64Array =>
    Float64Array.from({ length: samples.count }, (_, sample) =>
      fbnetTotal(sum, samples.operators, sample * fbnetPositionCount),
    );
  const { pooling } = options;
  const macs: CostModel = {
    name: "macs",
    price: (problem) => ({ latencyMs: macCount(problem), energyMj: Number.NaN }),
  };
  const columns: ComparedColumn[] = [
    ...[...fbnet.sums[dataset]].map(([name, sum]) => ({ name, values: totals(sum) })),
    { name: "macs", values: totals(modelledFbnetSum(macs, dataset, { pooling: "free" })) },
  ];
  const models = modelsOf(options, watch.signal);
  for (const [index, { model, hasEnergy }] of models.entries()) {
    await setImmediate();
    for (const metric of metricsOf(hasEnergy)) {
      const sum = modelledFbnetSum(model, dataset, { pooling }, metric);
      columns.push({ name: columnName(model, metric), values: totals(sum) });
    }
    watch.onProgress({ task: "price operators", done: index + 1, total: models.length, unit: "models" });
  }
  return { networks: samples.count, columns, blame: [] };
}

function metricsOf(hasEnergy: boolean): readonly PricedMetric[] {
  return hasEnergy ? ["latencyMs", "energyMj"] : ["latencyMs"];
}

function columnName({ name }: CostModel, metric: PricedMetric): string {
  return `${name} ${metric === "latencyMs" ? "latency" : "energy"}`;
}

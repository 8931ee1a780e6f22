import { filtersOf, weightLayersOf } from "@dovetail/compress";
import type { RandomStream, Watch } from "@dovetail/core";
import { type Graph, inferTypes, type StructuredAnnotation, type Tensor, writeModel } from "@dovetail/graph";
import {
  extractWorkloads,
  type Layer,
  type LayerStatistics,
  measureWords,
  type WordStatistics,
  zeroRowFraction,
} from "@dovetail/hardware";
import { exportModel, type Network } from "@dovetail/models";
import { openModel } from "@dovetail/runtime";
import type { ImageDataset } from "@dovetail/train";
import { addCost, emptyCost, layerCost, type NetworkCost } from "./machine-cost.js";
import { filtersInStep, type MachineName, machineNames, machines, unstructuredNames } from "./machines.js";
import type { OwnResult } from "./result.js";

// A network that was compressed here, on the five machines: zeros, form of the weights and digits of the activations are
// measured layer by layer.

export interface OwnNetwork {
  readonly network: Network;
  /** In SmartExchange's form, rebuilt. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** By parameter. */
  readonly annotations: Readonly<Record<string, StructuredAnnotation>>;
  /** The network's weights pruned to the same storage by magnitude, zeros anywhere. */
  readonly pruned?: ReadonlyMap<string, Tensor> | undefined;
  readonly dataset: ImageDataset;
}

/** Training images whose activations are measured: the test part stays unread. */
const imageCount = 64;

export interface OwnSettings {
  readonly random: RandomStream;
  readonly evaluations: number;
  readonly watch: Watch;
}

/**
 * Energy and cycles of an image of 8 bit, on every machine with the same effort a layer. Machines for zeros anywhere cost
 * the pruned network too, if there is one.
 */
export async function ownNetworkOnMachines(
  own: OwnNetwork,
  settings: OwnSettings,
): Promise<Omit<OwnResult, "network">> {
  const layers = await measuredLayers(own.network, own.weights, own);
  const pruned = own.pruned && (await measuredLayers(own.network, own.pruned, { ...own, annotations: {} }));
  const total = layers.length * (machineNames.length + (pruned ? unstructuredNames.length : 0));
  let done = 0;
  const cost = (machine: MachineName, of: readonly MeasuredLayer[]): NetworkCost =>
    of.reduce((sum, layer) => {
      const found = addCost(sum, measuredLayerCost(machine, layer, settings));
      settings.watch.onProgress?.({ task: "own network", done: ++done, total, unit: "layers" });
      return found;
    }, emptyCost);
  const costsOf = <Name extends MachineName>(names: readonly Name[], of: readonly MeasuredLayer[]) =>
    Object.fromEntries(names.map((name) => [name, cost(name, of)])) as Record<Name, NetworkCost>;
  return {
    costs: costsOf(machineNames, layers),
    weightZeroFraction: mean(layers, (each) => each.weightZeroFraction),
    zeroRowsOfWeights: mean(layers, ({ structured }) => (structured ? 1 - structured.keptRows / structured.rows : 0)),
    zeroRowsInStep: mean(layers, (each) => each.zeroRowsInStepFraction),
    activationZeroFraction: mean(layers, ({ inputs }) => inputs.words.zeroFraction),
    zeroRowsOfActivations: mean(layers, ({ inputs }) => inputs.zeroRowFraction),
    ...(pruned && {
      pruned: {
        costs: costsOf(unstructuredNames, pruned),
        weightZeroFraction: mean(pruned, (each) => each.weightZeroFraction),
        activationZeroFraction: mean(pruned, ({ inputs }) => inputs.words.zeroFraction),
      },
    }),
  };
}

interface Activations {
  readonly words: WordStatistics;
  /** Of feature maps alone. */
  readonly zeroRowFraction: number;
}

interface MeasuredLayer {
  readonly layer: Layer;
  readonly weightZeroFraction: number;
  readonly structured: StructuredAnnotation | undefined;
  readonly zeroRowsInStepFraction: number;
  readonly inputs: Activations;
  /** What the next layer reads. */
  readonly outputs: Activations | undefined;
  readonly hasOutputRows: boolean;
}

async function measuredLayers(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  { annotations, dataset }: Pick<OwnNetwork, "annotations" | "dataset">,
): Promise<MeasuredLayer[]> {
  const model = exportModel(network, weights);
  const graph = inferTypes(model.graph);
  const bitWidths = { weights: 8, inputs: 8, outputs: 8 };
  const { layers } = extractWorkloads(graph, { batchSize: 1, bitWidths });
  const names = [...new Set(layers.map(({ inputs }) => inputs.name))];
  const outputs = names.map((name) => ({ name, type: graph.types.get(name)! }));
  const bytes = writeModel({ ...model, graph: { ...graph, outputs } });
  const activations = await measure(bytes, graph.inputs[0]!.name, names, dataset);
  const filters = filtersByName(graph);
  return layers.map((layer, index): MeasuredLayer => {
    const structured = annotations[layer.weights.name];
    const next = layers[index + 1];
    return {
      layer,
      weightZeroFraction: zeroFraction(filters.get(layer.weights.name)?.data ?? new Float32Array(1)),
      structured,
      zeroRowsInStepFraction: structured
        ? zeroRowsInStep(filters.get(layer.weights.name)!, structured.columns, filtersInStep)
        : 0,
      inputs: activations.get(layer.inputs.name)!,
      outputs: next && activations.get(next.inputs.name)!,
      hasOutputRows: next !== undefined && hasRows(next),
    };
  });
}

/** A kernel of one weight meets three rows, of neighbouring channels: that all of them are zero is not measured. */
const hasRows = ({ problem }: Layer): boolean => (problem.dimensions.S ?? 1) > 1;

function measuredLayerCost(machine: MachineName, measured: MeasuredLayer, settings: OwnSettings): NetworkCost {
  const { layer, weightZeroFraction, structured, zeroRowsInStepFraction, inputs, outputs, hasOutputRows } = measured;
  const statistics: LayerStatistics = {
    weightZeroFraction,
    inputWords: inputs.words,
    outputZeroFraction: outputs?.words.zeroFraction ?? 0,
    ...(machine === "SmartExchange" && {
      structured,
      zeroRowsInStepFraction,
      inputZeroRowFraction: hasRows(layer) ? inputs.zeroRowFraction : 0,
      outputZeroRowFraction: hasOutputRows ? outputs!.zeroRowFraction : 0,
    }),
  };
  const { random, evaluations, watch } = settings;
  return layerCost(layer.problem, machines[machine], {
    statistics,
    random: random.split(layer.key),
    evaluations,
    watch,
  });
}

interface Filters {
  readonly count: number;
  /** Filter by filter. */
  readonly data: Float32Array;
}

function filtersByName(graph: Graph): ReadonlyMap<string, Filters> {
  return new Map(
    weightLayersOf(graph, graph.initializers).map((layer) => [
      layer.name,
      { count: layer.shape.outputChannels, data: filtersOf(layer, graph.initializers.get(layer.name)!) },
    ]),
  );
}

/**
 * Part of the rows (`columns` neighbouring weights of a filter) that are zero in every one of `together` neighbouring
 * filters, which a machine that works on these in step can skip.
 */
export function zeroRowsInStep({ count, data }: Filters, columns: number, together: number): number {
  const filterWeights = data.length / count;
  const rows = Math.ceil(filterWeights / columns);
  let [zero, all] = [0, 0];
  for (let first = 0; first < count; first += together) {
    const needed = new Uint8Array(rows);
    for (let filter = first; filter < Math.min(first + together, count); filter++) {
      for (let index = 0; index < filterWeights; index++) {
        if (data[filter * filterWeights + index] !== 0) needed[Math.floor(index / columns)] = 1;
      }
    }
    zero += rows - needed.reduce((sum, each) => sum + each, 0);
    all += rows;
  }
  return zero / all;
}

async function measure(
  bytes: Uint8Array,
  imageName: string,
  names: readonly string[],
  dataset: ImageDataset,
): Promise<ReadonlyMap<string, Activations>> {
  const data = imagesOfAllClasses(dataset, imageCount);
  const size = dataset.imageShape.reduce((product, extent) => product * extent, 1);
  const open = await openModel(bytes, { threads: 1 });
  try {
    const dimensions = [data.length / size, ...dataset.imageShape];
    const results = await open.run({ [imageName]: { elementType: "float32" as const, dimensions, data } });
    return new Map(names.map((name) => [name, activationsOf(results[name] as Tensor)]));
  } finally {
    await open.release();
  }
}

/** Training images, about as many of every class as of another, and evenly spread over the class's. */
export function imagesOfAllClasses(dataset: ImageDataset, count: number): Float32Array<ArrayBuffer> {
  const labels = dataset.labels("train");
  const byClass = [...labels.keys()].sort((a, b) => labels[a]! - labels[b]! || a - b);
  const images = dataset.images("train");
  const size = images.length / labels.length;
  const chosen = Math.min(count, labels.length);
  const data = new Float32Array(chosen * size);
  for (let index = 0; index < chosen; index++) {
    const image = byClass[Math.floor(((index + 0.5) * labels.length) / chosen)]!;
    data.set(images.subarray(image * size, (image + 1) * size), index * size);
  }
  return data;
}

/** In 8 bit, the largest value the largest code; with a sign where there are negative ones. */
function activationsOf({ data, dimensions }: Tensor): Activations {
  const values = data as ArrayLike<number>;
  let [least, most] = [0, 0];
  for (let index = 0; index < values.length; index++) {
    least = Math.min(least, values[index]!);
    most = Math.max(most, values[index]!);
  }
  const signed = least < 0;
  const step = signed ? Math.max(most, -least) / 127 : Math.max(most, 1e-30) / 255;
  const codes = Int32Array.from(values, (value) => Math.round(value / step));
  return {
    words: measureWords(codes, { bitWidth: 8, signed }),
    zeroRowFraction: dimensions.length === 4 ? zeroRowFraction(codes, dimensions[3]!) : 0,
  };
}

function zeroFraction(values: Float32Array): number {
  return values.reduce((zeros, value) => zeros + (value === 0 ? 1 : 0), 0) / values.length;
}

function mean<T>(all: readonly T[], value: (of: T) => number): number {
  return all.reduce((sum, each) => sum + value(each), 0) / all.length;
}

import type { RandomStream, Watch } from "@dovetail/core";
import { inferTypes, type StructuredAnnotation, type Tensor, writeModel } from "@dovetail/graph";
import {
  type Accelerator,
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
import { type MachineName, machineNames, machines } from "./machines.js";

// A network that was compressed here, on the five machines: zeros, form of the weights and digits of the activations are
// measured layer by layer.

export interface OwnNetwork {
  readonly network: Network;
  /** In SmartExchange's form, rebuilt. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** By parameter. */
  readonly annotations: Readonly<Record<string, StructuredAnnotation>>;
  readonly dataset: ImageDataset;
  /** Filters that share a pattern of zero rows. */
  readonly groupFilters: number;
}

/** Test images whose activations are measured. */
const images = 64;
const slices = 64;

interface Activations {
  readonly words: WordStatistics;
  /** Of feature maps alone. */
  readonly zeroRowFraction: number;
}

export interface OwnNetworkResult {
  /** By machine. */
  readonly costs: Readonly<Record<MachineName, NetworkCost>>;
  /** Of all weights of the layers. */
  readonly weightZeroFraction: number;
  /** Means over the layers. */
  readonly zeroRowsOfWeights: number;
  readonly activationZeroFraction: number;
  readonly zeroRowsOfActivations: number;
}

/** Energy and cycles of an image of 8 bit, on every machine with the same effort a layer. */
export async function ownNetworkOnMachines(
  own: OwnNetwork,
  settings: { readonly random: RandomStream; readonly evaluations: number; readonly watch: Watch },
): Promise<OwnNetworkResult> {
  const model = exportModel(own.network, own.weights);
  const graph = inferTypes(model.graph);
  const bitWidths = { weights: 8, inputs: 8, outputs: 8 };
  const { layers } = extractWorkloads(graph, { batchSize: 1, bitWidths });
  const names = [...new Set(layers.map(({ inputs }) => inputs.name))];
  const outputs = names.map((name) => ({ name, type: graph.types.get(name)! }));
  const bytes = writeModel({ ...model, graph: { ...graph, outputs } });
  const activations = await measure(bytes, graph.inputs[0]!.name, names, own.dataset);
  const zerosOf = (layer: Layer): number => zeroFraction(graph.initializers.get(layer.weights.name));
  const statistics = layers.map((layer, index) => {
    const next = layers[index + 1];
    return {
      weightZeroFraction: zerosOf(layer),
      inputs: activations.get(layer.inputs.name)!,
      outputs: next && activations.get(next.inputs.name)!,
      structured: own.annotations[layer.weights.name],
    };
  });
  const costs = {} as Record<MachineName, NetworkCost>;
  for (const name of machineNames) {
    const machine = name === "SmartExchange" ? sharingRows(machines[name], own.groupFilters) : machines[name];
    let cost = emptyCost;
    for (const [index, { problem, key }] of layers.entries()) {
      const { weightZeroFraction, inputs, outputs: written, structured } = statistics[index]!;
      const known: LayerStatistics = {
        weightZeroFraction,
        inputWords: inputs.words,
        outputZeroFraction: written?.words.zeroFraction ?? 0,
        ...(name === "SmartExchange" && {
          structured,
          inputZeroRowFraction: (problem.dimensions.S ?? 1) > 1 ? inputs.zeroRowFraction : 0,
        }),
      };
      const { random, evaluations, watch } = settings;
      cost = addCost(
        cost,
        layerCost(problem, machine, { statistics: known, random: random.split(key), evaluations, watch }),
      );
      const done = machineNames.indexOf(name) * layers.length + index + 1;
      watch.onProgress?.({ task: "own network", done, total: machineNames.length * layers.length, unit: "layers" });
    }
    costs[name] = cost;
  }
  const mean = (value: (of: (typeof statistics)[number]) => number): number =>
    statistics.reduce((sum, each) => sum + value(each), 0) / statistics.length;
  return {
    costs,
    weightZeroFraction: mean((each) => each.weightZeroFraction),
    zeroRowsOfWeights: mean(({ structured }) => (structured ? 1 - structured.keptRows / structured.rows : 0)),
    activationZeroFraction: mean(({ inputs }) => inputs.words.zeroFraction),
    zeroRowsOfActivations: mean(({ inputs }) => inputs.zeroRowFraction),
  };
}

/** The machine for patterns of zero rows that so many filters share. */
function sharingRows(machine: Accelerator, groupFilters: number): Accelerator {
  const { sparsity } = machine;
  const sharedLevels = sparsity!.rows!.sharedLevels.map(({ level }) => ({
    level,
    filterGroups: Math.max(1, Math.ceil(slices / groupFilters)),
  }));
  return { ...machine, sparsity: { ...sparsity!, rows: { ...sparsity!.rows!, sharedLevels } } };
}

async function measure(
  bytes: Uint8Array,
  imageName: string,
  names: readonly string[],
  dataset: ImageDataset,
): Promise<ReadonlyMap<string, Activations>> {
  const [channels, height, width] = dataset.imageShape;
  const size = channels * height * width;
  const count = Math.min(images, dataset.parts.test.count);
  const data = Float32Array.from(dataset.images("test").subarray(0, count * size));
  const open = await openModel(bytes, { threads: 1 });
  try {
    const batch = { elementType: "float32" as const, dimensions: [count, channels, height, width], data };
    const results = await open.run({ [imageName]: batch });
    return new Map(names.map((name) => [name, activationsOf(results[name] as Tensor)]));
  } finally {
    await open.release();
  }
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

function zeroFraction(weight: { readonly data?: unknown } | undefined): number {
  const values = weight?.data as Float32Array | undefined;
  if (values === undefined) return 0;
  return values.reduce((zeros, value) => zeros + (value === 0 ? 1 : 0), 0) / values.length;
}

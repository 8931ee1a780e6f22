import { createRandomStream } from "@dovetail/core";
import { bindParameters, type Model, modelOf, type Value } from "@dovetail/graph";
import { convBatchNorm, globalAveragePool, initializeParameter, linear, NetworkBuilder } from "@dovetail/models";
import {
  type CellDataset,
  cellDatasets,
  cellEdge,
  cellHead,
  cellReduction,
  cellStem,
  stageChannels,
} from "../spaces/cell-network.js";
import {
  type FbnetDataset,
  type FbnetShape,
  fbnetDatasets,
  fbnetKeys,
  fbnetOperators,
  fbnetSkeleton,
} from "../spaces/fbnet.js";
import { fbnetBlock, fbnetStem } from "../spaces/fbnet-network.js";
import { type DeviceTable, measuredCellOperators } from "./device-table.js";

/** An operator as models that a runtime can time. Each has one input, `image`, of the given shape. */
export interface OperatorGraph {
  /** Key of the device table. */
  readonly key: string;
  readonly inputShape: readonly number[];
  /**
   * The model with so many copies of the operator one behind the other. Those that change the shape
   * stand behind a 1×1 convolution, as inside a network. Only operators that keep the shape have more than one copy; the difference of two
   * lengths is free of what a call of the runtime costs.
   */
  model(copies: number): Model;
  readonly keepsShape: boolean;
  /** The identity: there is nothing to time. */
  readonly isIdentity: boolean;
}

/**
 * How an operator is put into a model: so many in a chain where it keeps the shape, else behind a convolution, or alone
 * where it reads what no convolution made or where that convolution would take most of the time.
 */
type Form = "chain" | "behind" | "alone";

/** `image` is the graph's input: what an addition adds. */
type Layer = (n: NetworkBuilder, name: string, x: Value, image: Value) => Value;

/** All operators of a space, in the order of `deviceKeys`. */
export function operatorGraphs(space: DeviceTable["space"], dataset: string): OperatorGraph[] {
  return space === "fbnet" ? fbnetGraphs(dataset as FbnetDataset) : cellGraphs(dataset as CellDataset);
}

function cellGraphs(dataset: CellDataset): OperatorGraph[] {
  const { imageSize, classCount } = cellDatasets[dataset];
  const stageShape = (stage: number): number[] => [
    stageChannels[stage]!,
    imageSize / 2 ** stage,
    imageSize / 2 ** stage,
  ];
  const stages = stageChannels.flatMap((_, stage) =>
    measuredCellOperators.map((operator) =>
      graphOf(`stage${stage}.${operator}`, stageShape(stage), "chain", (n, name, x, image) => {
        if (operator === "relu") return n.g.relu(x);
        // A sum of a value with itself would be another operator.
        return operator === "add" ? n.g.add(x, image) : n.scope(name, () => cellEdge(n, operator, x));
      }),
    ),
  );
  return [
    graphOf("stem", [3, imageSize, imageSize], "alone", (n, _, x) => cellStem(n, x)),
    ...stages,
    graphOf("reduction1", stageShape(0), "behind", cellReduction),
    graphOf("reduction2", stageShape(1), "behind", cellReduction),
    graphOf("head", stageShape(2), "behind", (n, _, x) => cellHead(n, x, classCount)),
  ];
}

function fbnetGraphs(dataset: FbnetDataset): OperatorGraph[] {
  const { stem, positions, header, pool, classCount } = fbnetSkeleton(dataset);
  const keys = fbnetKeys(dataset);
  const { imageSize } = fbnetDatasets[dataset];
  const graphs = new Map<string, OperatorGraph>();
  const add = (graph: OperatorGraph): void => void (graphs.has(graph.key) || graphs.set(graph.key, graph));
  add(graphOf(keys.stem, [3, imageSize, imageSize], "alone", (n, _, x) => fbnetStem(n, x, stem)));
  for (const [position, shape] of positions.entries()) {
    for (const [index, operator] of fbnetOperators.entries()) {
      const key = keys.positions[position]![index]!;
      add(graphOf(key, inputOf(shape), formOf(shape), (n, name, x) => fbnetBlock(n, name, x, shape, operator)));
    }
  }
  const { outputChannels } = header;
  add(
    graphOf(keys.header, inputOf(header), "behind", (n, _, x) =>
      convBatchNorm(n, "header", x, { channels: outputChannels, kernel: 1 }),
    ),
  );
  add(graphOf(keys.pool, inputOf(pool), "alone", (n, _, x) => globalAveragePool(n, x)));
  add(
    graphOf(keys.classifier, [outputChannels], "alone", (n, _, x) =>
      linear(n, "classifier", x, { features: classCount }),
    ),
  );
  return [...graphs.values()];
}

function inputOf({ inputChannels, inputSize }: FbnetShape): number[] {
  return [inputChannels, inputSize, inputSize];
}

function formOf({ inputChannels, outputChannels, stride }: FbnetShape): Form {
  return inputChannels === outputChannels && stride === 1 ? "chain" : "behind";
}

function graphOf(key: string, shape: readonly number[], form: Form, layer: Layer): OperatorGraph {
  const inputShape = [1, ...shape];
  return {
    key,
    inputShape,
    keepsShape: form === "chain",
    isIdentity: form === "chain" && layerIsIdentity(layer, inputShape),
    model(copies) {
      const n = new NetworkBuilder(key);
      const image = n.g.input("image", "float32", inputShape);
      let x = form === "behind" ? convBatchNorm(n, "before", image, { channels: shape[0]!, kernel: 1 }) : image;
      for (let copy = 0; copy < copies; copy++) x = layer(n, `copy${copy}`, x, image);
      n.g.output(x === image ? n.g.relu(x) : x, "result");
      const random = createRandomStream(0);
      const weights = new Map(
        n.parameters.map((parameter) => [parameter.name, initializeParameter(parameter, random)]),
      );
      return modelOf(bindParameters(n.g.build(), weights));
    },
  };
}

function layerIsIdentity(layer: Layer, inputShape: readonly number[]): boolean {
  const n = new NetworkBuilder("probe");
  const image = n.g.input("image", "float32", inputShape);
  const another = n.g.input("another", "float32", inputShape);
  return layer(n, "probe", image, another) === image;
}

import type { Value } from "@dovetail/graph";
import {
  batchNormalization,
  convolution,
  globalAveragePool,
  linear,
  type Network,
  NetworkBuilder,
  parameterCount,
} from "@dovetail/models";
import { type CellOperator, cellDigits, cellEdges, cellOperators, operatorCounts } from "./cell.js";

/** The data sets of NAS-Bench-201: side of the square images in pixels, classes. */
export const cellDatasets = {
  cifar10: { imageSize: 32, classCount: 10 },
  cifar100: { imageSize: 32, classCount: 100 },
  "ImageNet16-120": { imageSize: 16, classCount: 120 },
} as const;

export type CellDataset = keyof typeof cellDatasets;

/** Channels of the three stages. */
export const stageChannels = [16, 32, 64] as const;

/** Cells in each stage. */
export const cellsPerStage = 5;

type Layer = (n: NetworkBuilder, name: string, x: Value) => Value;

/** What an edge computes; `none` computes nothing and is left out of the sums. */
const edgeLayers: Readonly<Record<Exclude<CellOperator, "none">, Layer>> = {
  skip_connect: (_, __, x) => x,
  nor_conv_1x1: (n, name, x) => reluConvNorm(n, name, x, 1),
  nor_conv_3x3: (n, name, x) => reluConvNorm(n, name, x, 3),
  avg_pool_3x3: (n, _, x) =>
    n.g.op("AveragePool", [x], { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], count_include_pad: 0 }),
};

function channelsOf(x: Value): number {
  return x.type.shape![1] as number;
}

function reluConvNorm(n: NetworkBuilder, name: string, x: Value, kernel: number, channels = channelsOf(x)): Value {
  const stride = channels === channelsOf(x) ? 1 : 2;
  return n.scope(name, () => {
    const y = convolution(n, "conv", n.g.relu(x), { channels, kernel, stride, bias: false });
    return batchNormalization(n, "bn", y);
  });
}

/** One operator on an edge, on [batch, C, H, W]. */
export function cellEdge(n: NetworkBuilder, operator: Exclude<CellOperator, "none">, x: Value): Value {
  return edgeLayers[operator](n, operator, x);
}

/** Stem: 3×3 convolution to 16 channels, batch normalization. */
export function cellStem(n: NetworkBuilder, image: Value): Value {
  const y = convolution(n, "stem.conv", image, { channels: stageChannels[0], kernel: 3, bias: false });
  return batchNormalization(n, "stem.bn", y);
}

/** Between stages: 3×3 stride 2, 3×3, beside 2×2 average pool and 1×1 convolution. Doubles channels, halves the image. */
export function cellReduction(n: NetworkBuilder, name: string, x: Value): Value {
  const channels = 2 * channelsOf(x);
  return n.scope(name, () => {
    const y = reluConvNorm(n, "b", reluConvNorm(n, "a", x, 3, channels), 3);
    const pooled = n.g.op("AveragePool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
    return n.g.add(convolution(n, "shortcut", pooled, { channels, kernel: 1, bias: false }), y);
  });
}

/** Batch normalization, ReLU, global average pool, linear. */
export function cellHead(n: NetworkBuilder, x: Value, classCount: number): Value {
  const y = n.g.relu(batchNormalization(n, "head.bn", x));
  return linear(n, "classifier", globalAveragePool(n, y), { features: classCount });
}

/** A cell on [batch, C, H, W]; a node into which nothing flows is zero. */
export function cellLayer(n: NetworkBuilder, name: string, code: number, x: Value): Value {
  const digits = cellDigits(code);
  return n.scope(name, () => {
    const nodes: (Value | undefined)[] = [x];
    for (let to = 1; to <= 3; to++) {
      let sum: Value | undefined;
      for (const [edge, [from, target]] of cellEdges.entries()) {
        const operator = cellOperators[digits[edge]!]!;
        const source = nodes[from];
        if (target !== to || operator === "none" || source === undefined) continue;
        const term = n.scope(`edge${from}${to}`, () => edgeLayers[operator](n, operator, source));
        sum = sum === undefined ? term : n.g.add(sum, term);
      }
      nodes.push(sum);
    }
    return nodes[3] ?? n.g.mul(x, n.g.scalar(0));
  });
}

/**
 * The network of a cell as HW-NAS-Bench measured it: 16 channels, five cells a stage, batch normalization with affine
 * parameters. Its image is [batch, 3, side, side], already normalized.
 */
export function cellNetwork(code: number, dataset: CellDataset): Network {
  const { imageSize, classCount } = cellDatasets[dataset];
  const n = new NetworkBuilder(`nas-bench-201-${code}`);
  let x = cellStem(n, n.imageInput(3, imageSize, imageSize));
  for (let stage = 0; stage < stageChannels.length; stage++) {
    if (stage > 0) x = cellReduction(n, `reduction${stage}`, x);
    for (let cell = 0; cell < cellsPerStage; cell++) x = cellLayer(n, `stage${stage}.${cell}`, code, x);
  }
  return n.build(cellHead(n, x, classCount));
}

/**
 * Multiply–accumulates of a cell's network for one image, every edge counted whether or not its result reaches the
 * output, as NATS-Bench counts (which adds the classifier's biases: classes more).
 */
export function cellMacs(code: number, dataset: CellDataset): number {
  const { imageSize, classCount } = cellDatasets[dataset];
  const [, , pointwise, full] = operatorCounts(code);
  const pixels = imageSize ** 2;
  const [first, second, third] = stageChannels;
  const reduction = (channels: number, area: number): number =>
    (channels / 2) * channels * area * 10 + channels ** 2 * area * 9;
  const fixed =
    3 * first * 9 * pixels + reduction(second, pixels / 4) + reduction(third, pixels / 16) + third * classCount;
  // Channels double where the area falls to a quarter: a convolution costs the same in every stage.
  return fixed + stageChannels.length * cellsPerStage * first ** 2 * pixels * (pointwise + 9 * full);
}

const fixedParameters = new Map<CellDataset, number>();

/** Trainable parameters of a cell's network, every edge counted. */
export function cellParameters(code: number, dataset: CellDataset): number {
  let fixed = fixedParameters.get(dataset);
  if (fixed === undefined) {
    fixed = parameterCount(cellNetwork(0, dataset), { trainableOnly: true });
    fixedParameters.set(dataset, fixed);
  }
  const [, , pointwise, full] = operatorCounts(code);
  let perCell = 0;
  for (const channels of stageChannels) {
    perCell += pointwise * (channels ** 2 + 2 * channels) + full * (9 * channels ** 2 + 2 * channels);
  }
  return fixed + cellsPerStage * perCell;
}

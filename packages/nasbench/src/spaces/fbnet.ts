import { inputError, nearestWord } from "@dovetail/core";

// FBNet's space (B. Wu et al., CVPR 2019) as HW-NAS-Bench has it: 22 positions, each with one of nine operators. A
// network is held as its 22 operator indices.

export interface FbnetOperator {
  readonly name: string;
  /** Kernel of the depth-wise convolution; 0 for the skip. */
  readonly kernel: number;
  /** Channels inside the block over those of its input. */
  readonly expansion: number;
  readonly groups: number;
}

/** The operators by index. */
export const fbnetOperators: readonly FbnetOperator[] = [
  { name: "k3_e1", kernel: 3, expansion: 1, groups: 1 },
  { name: "k3_e1_g2", kernel: 3, expansion: 1, groups: 2 },
  { name: "k3_e3", kernel: 3, expansion: 3, groups: 1 },
  { name: "k3_e6", kernel: 3, expansion: 6, groups: 1 },
  { name: "k5_e1", kernel: 5, expansion: 1, groups: 1 },
  { name: "k5_e1_g2", kernel: 5, expansion: 1, groups: 2 },
  { name: "k5_e3", kernel: 5, expansion: 3, groups: 1 },
  { name: "k5_e6", kernel: 5, expansion: 6, groups: 1 },
  { name: "skip", kernel: 0, expansion: 0, groups: 1 },
];

export const fbnetPositionCount = 22;

/** The data sets: side of the image, classes, strides of stem and stages, channels of the last 1×1 convolution. */
export const fbnetDatasets = {
  cifar100: { imageSize: 32, classCount: 100, stemStride: 1, strides: [1, 1, 2, 2, 1, 2, 1], headerChannels: 1504 },
  ImageNet: { imageSize: 224, classCount: 1000, stemStride: 2, strides: [1, 2, 2, 2, 1, 2, 1], headerChannels: 1984 },
} as const;

export type FbnetDataset = keyof typeof fbnetDatasets;

const stemChannels = 16;
const blockCounts = [1, 4, 4, 4, 4, 4, 1];
const blockChannels = [16, 24, 32, 64, 112, 184, 352];

/** One position, or another fixed layer, of the macro-architecture. */
export interface FbnetShape {
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly stride: number;
  /** Side of the square input in pixels. */
  readonly inputSize: number;
}

export interface FbnetSkeleton {
  readonly stem: FbnetShape;
  /** The 22 positions. */
  readonly positions: readonly FbnetShape[];
  readonly header: FbnetShape;
  /** The average pool; its kernel is the whole image. */
  readonly pool: FbnetShape;
  readonly classCount: number;
}

/** The macro-architecture for a data set. */
export function fbnetSkeleton(dataset: FbnetDataset): FbnetSkeleton {
  const { imageSize, classCount, stemStride, strides, headerChannels } = fbnetDatasets[dataset];
  const stem = { inputChannels: 3, outputChannels: stemChannels, stride: stemStride, inputSize: imageSize };
  const positions: FbnetShape[] = [];
  let inputSize = imageSize / stemStride;
  let inputChannels = stemChannels;
  for (const [stage, count] of blockCounts.entries()) {
    for (let block = 0; block < count; block++) {
      const stride = block === 0 ? strides[stage]! : 1;
      const outputChannels = blockChannels[stage]!;
      positions.push({ inputChannels, outputChannels, stride, inputSize });
      inputChannels = outputChannels;
      inputSize = inputSize / stride;
    }
  }
  const header = { inputChannels, outputChannels: headerChannels, stride: 1, inputSize };
  const pool = { inputChannels: headerChannels, outputChannels: headerChannels, stride: 1, inputSize };
  return { stem, positions, header, pool, classCount };
}

/** Keys of the operator tables that a data set's networks use. */
export interface FbnetKeys {
  readonly stem: string;
  /** [position][operator]. */
  readonly positions: readonly (readonly string[])[];
  readonly header: string;
  readonly pool: string;
  readonly classifier: string;
}

/** The authors' names of a data set's layers in the operator tables. */
export function fbnetKeys(dataset: FbnetDataset): FbnetKeys {
  const { stem, positions, header, pool, classCount } = fbnetSkeleton(dataset);
  return {
    stem: layerKey("ConvNorm", stem, `_kernel3_stride${stem.stride}_group1`),
    positions: positions.map((shape) => fbnetOperators.map((operator) => positionKey(shape, operator))),
    header: layerKey("ConvNorm", header, "_kernel1_stride1_group1"),
    pool: layerKey("AvgP", pool, `_kernel${pool.inputSize}_stride1`),
    classifier: `FC_Cin${pool.outputChannels}_Cout${classCount}`,
  };
}

function positionKey(shape: FbnetShape, { kernel, expansion, groups }: FbnetOperator): string {
  return kernel === 0
    ? layerKey("Skip", shape, `_stride${shape.stride}`)
    : layerKey("ConvBlock", shape, `_exp${expansion}_kernel${kernel}_stride${shape.stride}_group${groups}`);
}

function layerKey(kind: string, { inputSize, inputChannels, outputChannels }: FbnetShape, rest: string): string {
  return `${kind}_H${inputSize}_W${inputSize}_Cin${inputChannels}_Cout${outputChannels}${rest}`;
}

/** 22 operator names joined by commas. */
export function formatFbnet(operators: readonly number[]): string {
  return operators.map((operator) => fbnetOperators[operator]!.name).join(",");
}

const indexOfName: ReadonlyMap<string, number> = new Map(fbnetOperators.map(({ name }, index) => [name, index]));

/** 22 indices or names, separated by commas or blanks, with or without brackets. Throws `bad_architecture`. */
export function parseFbnet(text: string): number[] {
  const words = text
    .replace(/^\s*\[|\]\s*$/g, "")
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  return checkFbnet(words.map((word) => indexOfName.get(word) ?? (/^\d+$/.test(word) ? Number(word) : word)));
}

/** The operators if they are 22 indices 0–8. Throws the input error `bad_architecture`, which says what exists. */
export function checkFbnet(operators: readonly (number | string)[]): number[] {
  if (operators.length !== fbnetPositionCount) {
    throw inputError("bad_architecture", "an FBNet architecture", {
      expected: `${fbnetPositionCount} operators`,
      received: `${operators.length}`,
    });
  }
  return operators.map((operator, position) => {
    if (typeof operator === "number" && fbnetOperators[operator] !== undefined) return operator;
    const names = fbnetOperators.map(({ name }, index) => `${index} ${name}`);
    const near = typeof operator === "string" ? nearestWord(operator, indexOfName.keys()) : undefined;
    throw inputError("bad_architecture", `operator at position ${position + 1} of an FBNet architecture`, {
      expected: `one of ${names.join(", ")}`,
      received: `${operator}`,
      hint: near === undefined ? undefined : `did you mean ${near}?`,
    });
  });
}

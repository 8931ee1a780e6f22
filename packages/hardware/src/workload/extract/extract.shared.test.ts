import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readModel } from "@dovetail/graph";
import { expect, test } from "vitest";
import { distinctLayers, extractWorkloads, type Workloads } from "./extract.js";

const shared = process.env.DOVETAIL_SHARED ?? fileURLToPath(new URL("../../../../../../shared", import.meta.url));

function workloadsOf(name: string): Workloads {
  const bytes = readFileSync(`${shared}/data/onnx/${name}.onnx`);
  return extractWorkloads(readModel(bytes, { missingExternalData: "shape-only" }).graph);
}

const totalMacs = ({ layers }: Workloads): number => layers.reduce((sum, { macs }) => sum + macs, 0);
const countOf = ({ operations }: Workloads, kind: string): number =>
  operations.filter((operation) => operation.kind === kind).length;

test("ResNet-18 at 224×224", () => {
  const workloads = workloadsOf("resnet18-structure");
  // conv1: 7×7, stride 2, 3 → 64 on 112×112.
  const stem = 112 * 112 * 64 * 3 * 49;
  // Each stage: 3×3 convolutions of equal cost, for half the positions meet twice the channels on both sides. The first
  // stage has four; the others have three, a first one that reads half the channels, and a 1×1 shortcut.
  const full = 56 * 56 * 64 * 64 * 9;
  const stage1 = 4 * full;
  const others = [
    { positions: 28 * 28, channels: 128 },
    { positions: 14 * 14, channels: 256 },
    { positions: 7 * 7, channels: 512 },
  ].map(({ positions, channels }) => {
    expect(positions * channels * channels * 9).toBe(full);
    return 3 * full + full / 2 + positions * channels * (channels / 2);
  });
  const classifier = 512 * 1000;
  expect(totalMacs(workloads)).toBe(stem + stage1 + others.reduce((a, b) => a + b) + classifier);
  expect(totalMacs(workloads)).toBe(1_814_073_344);
  expect(workloads.layers).toHaveLength(21);
  // Stem, 64 → 64, classifier; and in each of three stages the first, the others and the shortcut.
  expect(distinctLayers(workloads.layers)).toHaveLength(3 + 3 * 3);
  expect(countOf(workloads, "residualAddition")).toBe(8);
});

test("MobileNetV2 at 224×224", () => {
  const workloads = workloadsOf("mobilenetv2-structure");
  // t, c, n, s of the paper's table 2.
  const blocks = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const;
  let size = 112;
  let channels = 32;
  let macs = size * size * 32 * 3 * 9;
  for (const [expansion, outputChannels, count, firstStride] of blocks) {
    for (let block = 0; block < count; block++) {
      const hidden = expansion * channels;
      const outputSize = block === 0 ? size / firstStride : size;
      if (expansion > 1) macs += size * size * channels * hidden;
      macs += outputSize * outputSize * hidden * 9;
      macs += outputSize * outputSize * hidden * outputChannels;
      size = outputSize;
      channels = outputChannels;
    }
  }
  macs += 7 * 7 * 320 * 1280 + 1280 * 1000;
  expect(totalMacs(workloads)).toBe(macs);
  expect(macs).toBe(300_774_272);
  const depthwise = workloads.layers.filter(({ problem }) => (problem.dimensions.G ?? 1) > 1);
  expect(depthwise).toHaveLength(17);
  expect(depthwise.every(({ problem }) => problem.dimensions.M === 1 && problem.dimensions.C === 1)).toBe(true);
  expect(countOf(workloads, "residualAddition")).toBe(10);
});

test("AlexNet at 224×224 without padding", () => {
  const workloads = workloadsOf("alexnet-structure");
  // (224 − 11) / 4 + 1 = 54; pooling 3×3 by 2 gives 26, then 12. The 2nd, 4th and 5th layer have two groups.
  const byLayer = [
    54 * 54 * 96 * 3 * 11 * 11,
    26 * 26 * 256 * (96 / 2) * 5 * 5,
    12 * 12 * 384 * 256 * 3 * 3,
    12 * 12 * 384 * (384 / 2) * 3 * 3,
    12 * 12 * 256 * (384 / 2) * 3 * 3,
    6 * 6 * 256 * 4096,
    4096 * 4096,
    4096 * 1000,
  ];
  expect(workloads.layers.map(({ macs }) => macs)).toEqual(byLayer);
  expect(totalMacs(workloads)).toBe(654_560_384);
  expect(workloads.layers.map(({ problem }) => problem.dimensions.G ?? 1)).toEqual([1, 2, 1, 2, 2, 1, 1, 1]);
  const normalization = workloads.operations.filter(({ operator }) => operator === "LRN");
  // 5 channels beside each other.
  expect(normalization.map(({ combinedValues }) => combinedValues)).toEqual([96 * 54 * 54 * 5, 256 * 26 * 26 * 5]);
  expect(workloads.operations.some(({ operator }) => operator === "Dropout")).toBe(false);
});

test("ResNet-8 of MLPerf Tiny at 32×32", () => {
  const workloads = workloadsOf("mlperf-tiny-resnet8-cifar10");
  const full = 32 * 32 * 16 * 16 * 9;
  const stem = 32 * 32 * 16 * 3 * 9;
  const stage2 = full / 2 + full + 16 * 16 * 16 * 32;
  const stage3 = full / 2 + full + 8 * 8 * 32 * 64;
  expect(totalMacs(workloads)).toBe(stem + 2 * full + stage2 + stage3 + 64 * 10);
  expect(totalMacs(workloads)).toBe(12_501_632);
  expect(countOf(workloads, "residualAddition")).toBe(3);
});

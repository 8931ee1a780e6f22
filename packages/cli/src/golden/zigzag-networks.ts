import type { ZigZagLayer } from "@dovetail/hardware";

// The layers that ZigZag reads out of the ONNX files of its own tests (zigzag/inputs/workload, commit 3d12a96e):
// convolutions and matrix products; the rest of a network it leaves out.

const BITS = 8;
const PARTIAL_SUM_BITS = 16;

/** Output and input channels (per group), groups, output side, kernel side, stride, input side. */
type Convolution = readonly [
  k: number,
  c: number,
  g: number,
  out: number,
  kernel: number,
  stride: number,
  side: number,
];

const twice = (layer: Convolution): Convolution[] => [layer, layer];

const resNet18: readonly Convolution[] = [
  [64, 3, 1, 112, 7, 2, 224],
  ...[0, 1].flatMap(() => twice([64, 64, 1, 56, 3, 1, 56])),
  ...stage(128, 28),
  ...stage(256, 14),
  ...stage(512, 7),
];

/** Two residual blocks, the first of which halves the side. */
function stage(channels: number, side: number): Convolution[] {
  const same: Convolution = [channels, channels, 1, side, 3, 1, side];
  return [
    [channels, channels / 2, 1, side, 3, 2, 2 * side],
    same,
    [channels, channels / 2, 1, side, 1, 2, 2 * side],
    ...twice(same),
  ];
}

const alexNet: readonly Convolution[] = [
  [96, 3, 1, 54, 11, 4, 224],
  [128, 48, 2, 26, 5, 1, 26],
  [384, 256, 1, 12, 3, 1, 12],
  [192, 192, 2, 12, 3, 1, 12],
  [128, 192, 2, 12, 3, 1, 12],
];

/** By the name of the file. */
export const zigzagNetworks: Readonly<Record<string, readonly ZigZagLayer[]>> = {
  "resnet18.onnx": [...resNet18.map(convolution), product(1000, 512, 0)],
  "alexnet.onnx": [
    ...alexNet.map(convolution),
    ...[
      [4096, 9216],
      [4096, 4096],
      [1000, 4096],
    ].map(([k, c], index) => product(k!, c!, index)),
  ],
};

function convolution([k, c, g, out, kernel, stride, side]: Convolution, id: number): ZigZagLayer {
  const relation = (rank: string, output: string, window: string) => ({
    rank,
    a: { dimension: output, coefficient: stride },
    b: { dimension: window, coefficient: 1 },
    // What a 1×1 window with a stride reaches is less than the input.
    size: Math.min(side, kernel < stride ? out : side),
  });
  return {
    id,
    name: `convolution ${id}`,
    operator: "Conv",
    dimensions: { B: 1, K: k, G: g, OX: out, OY: out, C: c, FX: kernel, FY: kernel },
    output: { name: "O", ranks: ["B", "G", "K", "OY", "OX"], bits: PARTIAL_SUM_BITS, finalBits: BITS },
    inputs: [
      { name: "W", ranks: ["G", "K", "C", "FY", "FX"], bits: BITS },
      { name: "I", ranks: ["B", "G", "C", "IY", "IX"], bits: BITS },
    ],
    relations: [relation("IX", "OX", "FX"), relation("IY", "OY", "FY")],
    sources: {},
  };
}

function product(k: number, c: number, id: number): ZigZagLayer {
  return {
    id,
    name: `matrix product ${id}`,
    operator: "Gemm",
    dimensions: { C: c, D: 1, K: k },
    output: { name: "O", ranks: ["D", "K"], bits: PARTIAL_SUM_BITS, finalBits: BITS },
    inputs: [
      { name: "I", ranks: ["D", "C"], bits: BITS },
      { name: "W", ranks: ["C", "K"], bits: BITS },
    ],
    relations: [],
    sources: {},
  };
}

import { inputError, nearestWord } from "@dovetail/core";
import { convolutionProblem } from "./layers.js";
import type { Problem } from "./problem.js";

// Layers of networks that publications cost, as loop nests for one image: convolutions and linear layers.

/** Height and width, or both at once. */
type Size = number | readonly [height: number, width: number];

const sides = (size: Size): readonly [number, number] => (typeof size === "number" ? [size, size] : size);

/** After a stride, rounded up: what is left over is padded. */
const strided = (size: Size, stride: number): Size => {
  const [height, width] = sides(size).map((side) => Math.ceil(side / stride)) as [number, number];
  return height === width ? height : [height, width];
};

/** A list of layers that grows as a network is built. */
class LayerList {
  readonly layers: Problem[] = [];
  constructor(readonly bits: number) {}

  /** A convolution with a square kernel, to this output. */
  add(inputs: number, outputs: number, size: Size, kernel: number, stride = 1, groups = 1): void {
    const { bits } = this;
    const [outputHeight, outputWidth] = sides(size);
    const at = outputHeight === outputWidth ? `${outputHeight}` : `${outputHeight}x${outputWidth}`;
    this.layers.push(
      convolutionProblem({
        name: `${kernel}x${kernel}-${inputs}-${outputs}-${at}${groups > 1 ? "-dw" : ""}`,
        inputChannels: inputs,
        outputChannels: outputs,
        outputHeight,
        outputWidth,
        kernelHeight: kernel,
        kernelWidth: kernel,
        strideHeight: stride,
        strideWidth: stride,
        groups,
        bitWidths: { weights: bits, inputs: bits, outputs: bits },
      }),
    );
  }

  linear(inputs: number, outputs: number): void {
    this.add(inputs, outputs, 1, 1);
  }
}

type Plan = readonly (number | "pool")[];

/** 3×3 convolutions of so many channels, and poolings that halve the resolution. */
function vgg(list: LayerList, plan: Plan, size: number, classifier: readonly (readonly [number, number])[]): void {
  let channels = 3;
  let at = size;
  for (const item of plan) {
    if (item === "pool") at /= 2;
    else {
      list.add(channels, item, at, 3);
      channels = item;
    }
  }
  for (const [inputs, outputs] of classifier) list.linear(inputs, outputs);
}

function vggPlan(convolutions: readonly number[]): Plan {
  return [64, 128, 256, 512, 512].flatMap((channels, stage): Plan => {
    return [...new Array<number>(convolutions[stage]!).fill(channels), "pool"];
  });
}

const imageNetClassifier = [
  [25088, 4096],
  [4096, 4096],
  [4096, 1000],
] as const;

function resNet18(list: LayerList): void {
  list.add(3, 64, 112, 7, 2);
  let channels = 64;
  for (const [index, width] of [64, 128, 256, 512].entries()) {
    const size = 56 / 2 ** index;
    for (let block = 0; block < 2; block++) {
      const stride = block === 0 && index > 0 ? 2 : 1;
      list.add(channels, width, size, 3, stride);
      list.add(width, width, size, 3);
      if (stride === 2) list.add(channels, width, size, 1, 2);
      channels = width;
    }
  }
  list.linear(512, 1000);
}

/** ResNet-50 up to its classifier; the last stages' strides are 1 in a segmentation backbone. The last resolution. */
function resNet50Body(list: LayerList, size: Size, strides: readonly number[] = [1, 2, 2, 2]): Size {
  list.add(3, 64, strided(size, 2), 7, 2);
  let channels = 64;
  let at = strided(size, 4);
  for (const [stage, [width, blocks]] of (
    [
      [64, 3],
      [128, 4],
      [256, 6],
      [512, 3],
    ] as const
  ).entries()) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? strides[stage]! : 1;
      list.add(channels, width, at, 1);
      at = strided(at, stride);
      list.add(width, width, at, 3, stride);
      list.add(width, 4 * width, at, 1);
      if (block === 0) list.add(channels, 4 * width, at, 1, stride);
      channels = 4 * width;
    }
  }
  return at;
}

/** CIFAR-10: three stages of 18 bottleneck blocks. */
function resNet164(list: LayerList): void {
  list.add(3, 16, 32, 3);
  let channels = 16;
  for (const [index, width] of [16, 32, 64].entries()) {
    const size = 32 / 2 ** index;
    for (let block = 0; block < 18; block++) {
      const stride = block === 0 && index > 0 ? 2 : 1;
      list.add(channels, width, size * stride, 1);
      list.add(width, width, size, 3, stride);
      list.add(width, 4 * width, size, 1);
      if (block === 0) list.add(channels, 4 * width, size, 1, stride);
      channels = 4 * width;
    }
  }
  list.linear(256, 10);
}

type MobileStage = readonly [expansion: number, width: number, count: number, stride: number, kernel: number];

/** Inverted bottlenecks on 224 × 224, with squeeze and excitation where `squeeze`. */
function inverted(list: LayerList, stages: readonly MobileStage[], squeeze: boolean): void {
  let at = 112;
  list.add(3, 32, at, 3, 2);
  let channels = 32;
  for (const [expansion, width, count, firstStride, kernel] of stages) {
    for (let block = 0; block < count; block++) {
      const stride = block === 0 ? firstStride : 1;
      const wide = channels * expansion;
      if (expansion > 1) list.add(channels, wide, at, 1);
      at /= stride;
      list.add(wide, wide, at, kernel, stride, wide);
      if (squeeze) {
        list.linear(wide, Math.max(1, channels / 4));
        list.linear(Math.max(1, channels / 4), wide);
      }
      list.add(wide, width, at, 1);
      channels = width;
    }
  }
  list.add(channels, 1280, at, 1);
  list.linear(1280, 1000);
}

const mobileNetV2: readonly MobileStage[] = [
  [1, 16, 1, 1, 3],
  [6, 24, 2, 2, 3],
  [6, 32, 3, 2, 3],
  [6, 64, 4, 2, 3],
  [6, 96, 3, 1, 3],
  [6, 160, 3, 2, 3],
  [6, 320, 1, 1, 3],
];

const efficientNetB0: readonly MobileStage[] = [
  [1, 16, 1, 1, 3],
  [6, 24, 2, 2, 3],
  [6, 40, 2, 2, 5],
  [6, 80, 3, 2, 3],
  [6, 112, 3, 1, 5],
  [6, 192, 4, 2, 5],
  [6, 320, 1, 1, 3],
];

/** CamVid's images. */
const camVidSize = [360, 480] as const;

/** DeepLabV3+ on ResNet-50, output stride 16: pyramid with rates 6, 12, 18, decoder at a quarter, 11 classes. */
function deepLab(list: LayerList): void {
  const at = resNet50Body(list, camVidSize, [1, 2, 2, 1]);
  const quarter = strided(camVidSize, 4);
  list.add(2048, 256, at, 1);
  for (let branch = 0; branch < 3; branch++) list.add(2048, 256, at, 3);
  list.add(2048, 256, 1, 1);
  list.add(1280, 256, at, 1);
  list.add(256, 48, quarter, 1);
  list.add(304, 256, quarter, 3);
  list.add(256, 256, quarter, 3);
  list.add(256, 11, quarter, 1);
}

/** With two towers, 227 × 227. */
function alexNet(list: LayerList): void {
  list.add(3, 96, 55, 11, 4);
  list.add(96, 256, 27, 5, 1, 2);
  list.add(256, 384, 13, 3);
  list.add(384, 384, 13, 3, 1, 2);
  list.add(384, 256, 13, 3, 1, 2);
  list.linear(9216, 4096);
  list.linear(4096, 4096);
  list.linear(4096, 1000);
}

const networks = {
  AlexNet: alexNet,
  "VGG-11": (list) => vgg(list, vggPlan([1, 1, 2, 2, 2]), 224, imageNetClassifier),
  "VGG-16": (list) => vgg(list, vggPlan([2, 2, 3, 3, 3]), 224, imageNetClassifier),
  "VGG-19": (list) => vgg(list, vggPlan([2, 2, 4, 4, 4]), 32, [[512, 10]]),
  "ResNet-18": resNet18,
  "ResNet-50": (list) => {
    resNet50Body(list, 224);
    list.linear(2048, 1000);
  },
  "ResNet-164": resNet164,
  MobileNetV2: (list) => inverted(list, mobileNetV2, false),
  "EfficientNet-B0": (list) => inverted(list, efficientNetB0, true),
  "DeepLabV3+": deepLab,
} satisfies Readonly<Record<string, (list: LayerList) => void>>;

/** VGG-19 and ResNet-164 are those of CIFAR-10, DeepLabV3+ has CamVid's size, the others ImageNet's. */
export type PublishedNetwork = keyof typeof networks;

export const publishedNetworkNames = Object.keys(networks) as PublishedNetwork[];

/**
 * Convolutions and linear layers of a network that publications cost, in order, for one image; every tensor has words of
 * `bits`.
 *
 * @throws DovetailError `unknown_network` for another name.
 */
export function publishedNetwork(name: PublishedNetwork, { bits }: { readonly bits: number }): readonly Problem[] {
  const build = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (build === undefined) {
    const near = nearestWord(name, publishedNetworkNames);
    throw inputError("unknown_network", "no layers of this network", {
      expected: `one of ${publishedNetworkNames.join(", ")}`,
      received: name,
      ...(near !== undefined && { hint: `did you mean ${near}?` }),
    });
  }
  const list = new LayerList(bits);
  build(list);
  return list.layers;
}

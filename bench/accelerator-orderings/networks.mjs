// Layers of the networks that the two papers cost, as loop nests: convolutions and linear layers, for one image.
import { convolutionProblem } from "@dovetail/hardware";

const bits = (precision) => ({ weights: precision, inputs: precision, outputs: precision });

/** A list of layers that grows as a network is built; `at` is the resolution. */
function builder(precision) {
  const layers = [];
  const add = (inputs, outputs, size, kernel, stride = 1, groups = 1) => {
    layers.push(
      convolutionProblem({
        name: `${kernel}x${kernel}-${inputs}-${outputs}-${size}${groups > 1 ? "-dw" : ""}`,
        inputChannels: inputs,
        outputChannels: outputs,
        outputHeight: size,
        outputWidth: size,
        kernelHeight: kernel,
        kernelWidth: kernel,
        strideHeight: stride,
        strideWidth: stride,
        groups,
        bitWidths: bits(precision),
      }),
    );
  };
  const linear = (inputs, outputs) => add(inputs, outputs, 1, 1);
  return { layers, add, linear };
}

function vgg(plan, size, classifier) {
  return (precision) => {
    const { layers, add, linear } = builder(precision);
    let channels = 3;
    let at = size;
    for (const item of plan) {
      if (item === "M") at /= 2;
      else {
        add(channels, item, at, 3);
        channels = item;
      }
    }
    for (const [inputs, outputs] of classifier) linear(inputs, outputs);
    return layers;
  };
}

const vgg11 = [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"];
const vgg16 = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"];
const vgg19 = [
  64,
  64,
  "M",
  128,
  128,
  "M",
  ...Array(4).fill(256),
  "M",
  ...Array(4).fill(512),
  "M",
  ...Array(4).fill(512),
  "M",
];
const imageNetClassifier = [
  [25088, 4096],
  [4096, 4096],
  [4096, 1000],
];

function resNet18(precision) {
  const { layers, add, linear } = builder(precision);
  add(3, 64, 112, 7, 2);
  let channels = 64;
  for (const [index, width] of [64, 128, 256, 512].entries()) {
    const size = 56 / 2 ** index;
    for (let block = 0; block < 2; block++) {
      const stride = block === 0 && index > 0 ? 2 : 1;
      add(channels, width, size, 3, stride);
      add(width, width, size, 3);
      if (stride === 2) add(channels, width, size, 1, 2);
      channels = width;
    }
  }
  linear(512, 1000);
  return layers;
}

/** ResNet-50's body; `strides` of the last two stages are 1 in a segmentation backbone of output stride 16 or 8. */
function resNet50Body({ layers, add }, size, strides = [1, 2, 2, 2]) {
  add(3, 64, size / 2, 7, 2);
  let channels = 64;
  let at = size / 4;
  for (const [index, [width, blocks]] of [
    [64, 3],
    [128, 4],
    [256, 6],
    [512, 3],
  ].entries()) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? strides[index] : 1;
      add(channels, width, at, 1);
      at /= stride;
      add(width, width, at, 3, stride);
      add(width, 4 * width, at, 1);
      if (block === 0) add(channels, 4 * width, at, 1, stride);
      channels = 4 * width;
    }
  }
  return { layers, at };
}

function resNet50(precision) {
  const built = builder(precision);
  resNet50Body(built, 224);
  built.linear(2048, 1000);
  return built.layers;
}

/** CIFAR-10: 3 stages of 18 bottleneck blocks. */
function resNet164(precision) {
  const { layers, add, linear } = builder(precision);
  add(3, 16, 32, 3);
  let channels = 16;
  for (const [index, width] of [16, 32, 64].entries()) {
    const size = 32 / 2 ** index;
    for (let block = 0; block < 18; block++) {
      const stride = block === 0 && index > 0 ? 2 : 1;
      add(channels, width, size * stride, 1);
      add(width, width, size, 3, stride);
      add(width, 4 * width, size, 1);
      if (block === 0) add(channels, 4 * width, size, 1, stride);
      channels = 4 * width;
    }
  }
  linear(256, 10);
  return layers;
}

/** Inverted bottlenecks [expansion, channels, blocks, stride, kernel]; with squeeze and excitation where `squeeze`. */
function mobile({ stem, blocks, head, size, squeeze }) {
  return (precision) => {
    const { layers, add, linear } = builder(precision);
    let at = size / 2;
    add(3, stem, at, 3, 2);
    let channels = stem;
    for (const [expansion, width, count, firstStride, kernel] of blocks) {
      for (let block = 0; block < count; block++) {
        const stride = block === 0 ? firstStride : 1;
        const wide = channels * expansion;
        if (expansion > 1) add(channels, wide, at, 1);
        at /= stride;
        add(wide, wide, at, kernel, stride, wide);
        if (squeeze) {
          linear(wide, Math.max(1, channels / 4));
          linear(Math.max(1, channels / 4), wide);
        }
        add(wide, width, at, 1);
        channels = width;
      }
    }
    add(channels, head, at, 1);
    linear(head, 1000);
    return layers;
  };
}

const mobileNetV2 = mobile({
  stem: 32,
  head: 1280,
  size: 224,
  squeeze: false,
  blocks: [
    [1, 16, 1, 1, 3],
    [6, 24, 2, 2, 3],
    [6, 32, 3, 2, 3],
    [6, 64, 4, 2, 3],
    [6, 96, 3, 1, 3],
    [6, 160, 3, 2, 3],
    [6, 320, 1, 1, 3],
  ],
});

const efficientNetB0 = mobile({
  stem: 32,
  head: 1280,
  size: 224,
  squeeze: true,
  blocks: [
    [1, 16, 1, 1, 3],
    [6, 24, 2, 2, 3],
    [6, 40, 2, 2, 5],
    [6, 80, 3, 2, 3],
    [6, 112, 3, 1, 5],
    [6, 192, 4, 2, 5],
    [6, 320, 1, 1, 3],
  ],
});

/** DeepLabV3+ on ResNet-50, output stride 16, square images of 384 pixels (CamVid's 480 × 360 have the same area within 15 %). */
function deepLab(precision) {
  const built = builder(precision);
  const { at } = resNet50Body(built, 384, [1, 2, 2, 1]);
  const { add, layers } = built;
  add(2048, 256, at, 1);
  for (let branch = 0; branch < 3; branch++) add(2048, 256, at, 3);
  add(2048, 256, 1, 1);
  add(1280, 256, at, 1);
  add(256, 48, 4 * at, 1);
  add(304, 256, 4 * at, 3);
  add(256, 256, 4 * at, 3);
  add(256, 11, 4 * at, 1);
  return layers;
}

/** With two towers, 227 × 227. */
function alexNet(precision) {
  const { layers, add, linear } = builder(precision);
  add(3, 96, 55, 11, 4);
  add(96, 256, 27, 5, 1, 2);
  add(256, 384, 13, 3);
  add(384, 384, 13, 3, 1, 2);
  add(384, 256, 13, 3, 1, 2);
  linear(9216, 4096);
  linear(4096, 4096);
  linear(4096, 1000);
  return layers;
}

export const networks = {
  "VGG-11": vgg(vgg11, 224, imageNetClassifier),
  "ResNet-50": resNet50,
  "VGG-19": vgg(vgg19, 32, [[512, 10]]),
  "ResNet-164": resNet164,
  MobileNetV2: mobileNetV2,
  "EfficientNet-B0": efficientNetB0,
  "DeepLabV3+": deepLab,
  "VGG-16": vgg(vgg16, 224, imageNetClassifier),
  "ResNet-18": resNet18,
  AlexNet: alexNet,
};

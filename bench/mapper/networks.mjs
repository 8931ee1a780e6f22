// The layers of the benchmark's networks, from their public definitions, at 224 × 224 and batch 1.
import { convolutionProblem, matmulProblem, shapeKey } from "@dovetail/hardware";

function convolution(inputChannels, outputChannels, outputSize, kernel, stride = 1, groups = 1) {
  const kind = groups > 1 ? "depthwise" : `${kernel}x${kernel}`;
  return convolutionProblem({
    name: `${kind} ${inputChannels}-${outputChannels} ${outputSize}${stride > 1 ? ` /${stride}` : ""}`,
    inputChannels,
    outputChannels,
    outputHeight: outputSize,
    outputWidth: outputSize,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    groups,
  });
}

const product = (name, rows, inner, columns, groups = 1) => matmulProblem({ name, rows, inner, columns, groups });
const linear = (inputs, outputs) => product(`linear ${inputs}-${outputs}`, 1, inputs, outputs);

/** He et al., "Deep Residual Learning" (2016), table 1; strides of the bottleneck on its 3×3, as torchvision has them. */
function resnet(depths, bottleneck) {
  const layers = [convolution(3, 64, 112, 7, 2)];
  let inputs = 64;
  depths.forEach((depth, stage) => {
    const width = 64 * 2 ** stage;
    const outputs = bottleneck ? 4 * width : width;
    const size = 56 / 2 ** stage;
    for (let block = 0; block < depth; block++) {
      const stride = block === 0 && stage > 0 ? 2 : 1;
      if (bottleneck) {
        layers.push(convolution(inputs, width, size * stride, 1));
        layers.push(convolution(width, width, size, 3, stride));
        layers.push(convolution(width, outputs, size, 1));
      } else {
        layers.push(convolution(inputs, width, size, 3, stride));
        layers.push(convolution(width, width, size, 3));
      }
      if (block === 0 && inputs !== outputs) layers.push(convolution(inputs, outputs, size, 1, stride));
      inputs = outputs;
    }
  });
  return [...layers, linear(inputs, 1000)];
}

/** Sandler et al., "MobileNetV2" (2018), table 2. */
function mobilenetv2() {
  const layers = [convolution(3, 32, 112, 3, 2)];
  const stages = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ];
  let inputs = 32;
  let size = 112;
  for (const [expansion, outputs, repeats, firstStride] of stages) {
    for (let block = 0; block < repeats; block++) {
      const stride = block === 0 ? firstStride : 1;
      const hidden = inputs * expansion;
      if (expansion > 1) layers.push(convolution(inputs, hidden, size, 1));
      size /= stride;
      layers.push(convolution(hidden, hidden, size, 3, stride, hidden));
      layers.push(convolution(hidden, outputs, size, 1));
      inputs = outputs;
    }
  }
  return [...layers, convolution(320, 1280, 7, 1), linear(1280, 1000)];
}

/** Simonyan and Zisserman (2015), configuration D. */
function vgg16() {
  const layers = [];
  let inputs = 3;
  [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ].forEach(([outputs, repeats], stage) => {
    for (let index = 0; index < repeats; index++) {
      layers.push(convolution(inputs, outputs, 224 / 2 ** stage, 3));
      inputs = outputs;
    }
  });
  return [...layers, linear(25088, 4096), linear(4096, 4096), linear(4096, 1000)];
}

/** Devlin et al., "BERT" (2019), base: 12 heads of 64, hidden size 768; matrix products of an encoder at 512 positions. */
function bertBase(positions = 512) {
  return [
    product("query, key, value, output", positions, 768, 768),
    product("scores", positions, 64, positions, 12),
    product("context", positions, positions, 64, 12),
    product("feed-forward in", positions, 768, 3072),
    product("feed-forward out", positions, 3072, 768),
    product("pooler", 1, 768, 768),
  ];
}

const networks = {
  resnet18: () => resnet([2, 2, 2, 2], false),
  resnet50: () => resnet([3, 4, 6, 3], true),
  mobilenetv2,
  vgg16,
  "bert-base": bertBase,
};

export const networkNames = Object.keys(networks);

/** The distinct layers of a network, in the order of their first appearance. */
export function networkLayers(name) {
  const layers = new Map();
  for (const problem of networks[name]()) {
    const shape = shapeKey(problem);
    if (!layers.has(shape)) layers.set(shape, problem);
  }
  return [...layers.values()];
}

// The three products of a 3×3 convolution layer: forward, error and weight gradient, from input, weight and the gradient
// that arrives, all float32. Quantized operands have one affine range a tensor with zero on the grid.
import { differentiate, GraphBuilder, int64Vector } from "@dovetail/graph";
import { minMaxOf, quantizeAffine } from "@dovetail/quant";

/** As many output channels as input channels, stride 1, padding 1: layers of ResNet-20, then of PreAct-ResNet-18. */
export const shapes = [
  { name: "16x32x32", batch: 128, channels: 16, size: 32 },
  { name: "32x16x16", batch: 128, channels: 32, size: 16 },
  { name: "64x8x8", batch: 128, channels: 64, size: 8 },
  { name: "128x16x16", batch: 32, channels: 128, size: 16 },
  { name: "256x8x8", batch: 32, channels: 256, size: 8 },
];

const imagesOf = ({ batch, channels, size }) => [batch, channels, size, size];
const kernelOf = ({ channels }) => [channels, channels, 3, 3];

/** Dimensions of what a layer is given. */
export const inputsOf = (shape) => ({
  input: imagesOf(shape),
  weight: kernelOf(shape),
  gradient: imagesOf(shape),
});

export const products = ["forward", "error", "weightGradient"];

function layer(name, shape, multiply) {
  const g = new GraphBuilder(name);
  const [input, weight, gradient] = Object.entries(inputsOf(shape)).map(([key, dimensions]) =>
    g.input(key, "float32", dimensions),
  );
  for (const [index, product] of multiply(g, input, weight, gradient).entries()) g.output(product, products[index]);
  return g.build();
}

/** Convolution and its two gradients, as the runtime lowers them. */
function convolutions(g, input, weight, gradient) {
  const output = g.conv(input, weight, undefined, { pads: [1, 1, 1, 1] });
  return [output, ...differentiate(g, { loss: output, withRespectTo: [input, weight], lossGradient: gradient })];
}

/** Without any quantizer: a layer of a float32 training step. */
export const plain = (shape) => layer("plain", shape, convolutions);

/** Fake quantization of the three operands to the bits of the input `bits`, then the float32 layer. */
export const fakeQuantized = (shape) =>
  layer("fake quantized", shape, (g, ...operands) => {
    const bits = g.input("bits", "float32", []);
    const quantized = operands.map((x) => quantizeAffine(g, x, { bits, exactZero: true, ...minMaxOf(g, x) }));
    return convolutions(g, ...quantized);
  });

/**
 * Codes of 8 bits, MatMulInteger with sums of 32 bits, one scale a product. ONNX Runtime is several times faster where the
 * second operand is signed: the weights and the arriving gradient are.
 */
export const integer = (shape) =>
  layer("integer", shape, (g, x, w, y) => {
    const { batch, channels, size } = shape;
    const input = encode(g, x, "uint8");
    const weight = encode(g, w, "int8");
    const gradient = encode(g, y, "int8");
    const arriving = encode(g, y, "uint8");
    const product = (operand, columns) => {
      const matrix = g.reshape(columns, [9 * channels, channels]);
      const rows = g.reshape(windows(g, operand, shape), [batch * size * size, 9 * channels]);
      const sums = g.op("MatMulInteger", [rows, matrix, operand.zero, weight.zero]);
      const images = g.mul(
        g.cast(g.reshape(sums, [batch, size, size, channels]), "float32"),
        g.mul(operand.step, weight.step),
      );
      return g.transpose(images, [0, 3, 1, 2]);
    };
    const turned = g.slice(weight.code, [2, 2], [-4, -4], [2, 3], [-1, -1]);
    return [
      product(input, g.transpose(weight.code, [2, 3, 1, 0])),
      product(arriving, g.transpose(g.refineShape(turned, kernelOf(shape)), [2, 3, 0, 1])),
      weightGradient(g, input, gradient, shape),
    ];
  });

/** Code, step and zero point of a tensor on the fake quantizer's grid at 8 bits; signed codes are 128 less. */
function encode(g, value, type) {
  const { min, max } = minMaxOf(g, value);
  const low = g.min(min, 0);
  const step = g.max(g.div(g.sub(g.max(max, 0), low), 255), 1e-8);
  const zero = g.cast(g.sub(g.round(g.neg(g.div(low, step))), type === "int8" ? 128 : 0), type);
  return { code: g.op("QuantizeLinear", [value, step, zero]), step, zero };
}

/** [batch, size, size, 9 · channels]: the window of every place, first the columns side by side, then the rows. */
function windows(g, { code, zero }, { size }) {
  const last = g.transpose(code, [0, 2, 3, 1]);
  const padded = g.op("Pad", [last, g.constant(int64Vector([0, 1, 1, 0, 0, 1, 1, 0])), zero]);
  const sideBySide = [0, 1, 2].map((column) => g.slice(padded, [column], [column + size], [2]));
  const columns = g.op("Concat", sideBySide, { axis: 3 });
  const rows = [0, 1, 2].map((row) => g.slice(columns, [row], [row + size], [1]));
  return g.op("Concat", rows, { axis: 3 });
}

/** Images whose products 32-bit sums can hold: 33,025 times 255 · 255. */
const imagesTogether = ({ batch, size }) => Math.min(batch, 2 ** Math.floor(Math.log2(33025 / (size * (size + 2)))));

/** Nine shifted copies of the padded input, each one run of memory an image and channel, times the arriving gradient. */
function weightGradient(g, input, gradient, shape) {
  const { batch, channels, size } = shape;
  const width = size + 2;
  const together = imagesTogether(shape);
  const groups = batch / together;
  const byChannel = g.transpose(g.reshape(input.code, [groups, together, channels, size, size]), [0, 2, 1, 3, 4]);
  // One row more than the window needs, so that the last copy does not end outside.
  const padded = g.op("Pad", [byChannel, g.constant(int64Vector([0, 0, 0, 1, 1, 0, 0, 0, 2, 1])), input.zero]);
  const flat = g.reshape(padded, [groups, channels, together, (size + 3) * width]);
  const starts = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => row * width + column));
  const copies = g.op(
    "Concat",
    starts.map((start) => g.slice(flat, [start], [start + size * width], [3])),
    { axis: 1 },
  );
  const places = together * size * width;
  const columns = g.reshape(copies, [groups, 9 * channels, places]);
  // What lies between two rows of the padded image counts as zero.
  const last = g.transpose(gradient.code, [0, 2, 3, 1]);
  const rows = g.op("Pad", [last, g.constant(int64Vector([0, 0, 0, 0, 0, 0, 2, 0])), gradient.zero]);
  const sums = g.op("MatMulInteger", [columns, g.reshape(rows, [groups, places, channels]), input.zero, gradient.zero]);
  const total = g.reduceSum(g.cast(sums, "float32"), [0]);
  return g.mul(
    g.transpose(g.reshape(total, [3, 3, channels, channels]), [3, 2, 0, 1]),
    g.mul(input.step, gradient.step),
  );
}

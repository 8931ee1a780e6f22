// The gradient of a convolution to its weight, as a blocked convolution with the roles changed.

import { attributeOf, explicitWindow, type Window } from "@dovetail/graph";
import { fillsBlocks, type ImageShape } from "../forms.js";
import type { LoweringContext, LoweringRule } from "../rule.js";
import { identityConvolution } from "./identity.js";

/** Images whose sum one group of the convolution makes; the rest of the batch is summed afterwards. */
const mostImagesPerGroup = 8;

/** Padding of rows and columns so that the result has the kernel's size or, where pixels at the end are never read, more. */
interface Fit {
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
  /** Size of the result along each axis. */
  readonly result: readonly [number, number];
}

function fit(window: Window, sizes: readonly number[], gradientSizes: readonly number[]): Fit {
  const [rows, columns] = sizes.map((size, axis) => {
    const kernel = window.kernel[axis]!;
    const dilation = window.dilations[axis]!;
    const begin = window.pads[axis]!;
    const reach = (gradientSizes[axis]! - 1) * window.strides[axis]!;
    const end = reach + (kernel - 1) * dilation + 1 - begin - size;
    const pads: readonly [number, number] = [begin, Math.max(end, 0)];
    return { pads, result: Math.floor((size + begin + pads[1] - reach - 1) / dilation) + 1 };
  });
  return { rows: rows!.pads, columns: columns!.pads, result: [rows!.result, columns!.result] };
}

/**
 * A blocked image with its columns padded, by a convolution that changes nothing else: it works with all threads,
 * unlike Pad. Rows are padded by the convolution that follows, which costs it nothing; columns would slow it several times.
 */
function padColumns(context: LoweringContext, blocked: string, shape: ImageShape, place: Fit): string {
  const [begin, end] = place.columns;
  if (begin + end === 0) return blocked;
  const { inputs, attributes } = identityConvolution(context, blocked, shape);
  return context.emitter.blockedOp("Conv", inputs.slice(0, 2), { ...attributes, pads: [0, begin, 0, end] });
}

/** [N, C, H, W] → [C, N, H, W]; rows are gathered, which ONNX Runtime does with all threads, unlike Transpose. */
function exchange({ emitter }: LoweringContext, plain: string, [n, c, h, w]: readonly number[]): string {
  const rows = Array.from({ length: n! * c! }, (_, row) => (row % n!) * c! + Math.floor(row / n!));
  const gathered = emitter.op("Gather", [emitter.reshape(plain, [n! * c!, h! * w!]), emitter.int64s(rows)], {
    axis: 0,
  });
  return emitter.reshape(gathered, [c!, n!, h!, w!]);
}

/** X with batch and channels exchanged and columns padded. */
function exchangedImage(context: LoweringContext, x: string, sizes: readonly number[], place: Fit): string {
  const { emitter, forms, memo } = context;
  const key = `exchanged:${x}:${place.columns.join(",")}`;
  let known = memo.get(key);
  if (known === undefined) {
    const [n, c, h, w] = sizes as [number, number, number, number];
    const shape = forms.imageShape(x);
    const [begin, end] = place.columns;
    const plain =
      shape && forms.isBlocked(x) && begin + end > 0
        ? emitter.blockedOp("ReorderOutput", [padColumns(context, forms.blocked(x), shape, place)], {
            channels: c,
          })
        : begin + end > 0
          ? emitter.op("Pad", [forms.plain(x), emitter.int64s([0, 0, 0, begin, 0, 0, 0, end])])
          : forms.plain(x);
    known = exchange(context, plain, [n, c, h, w + begin + end]);
    memo.set(key, known);
  }
  return known;
}

const weightGradient: LoweringRule = (context) => {
  const { node, forms, graph } = context;
  const [x, outputGradient] = node.inputs as [string, string];
  const group = attributeOf(node, "group", "int", 1);
  const input = graph.types.get(x)?.shape;
  const output = forms.imageShape(outputGradient);
  if (!output || input?.length !== 4 || input.some((size) => typeof size !== "number")) return false;
  const channels = input[1] as number;
  const sizes = input.slice(2) as [number, number];
  const window = explicitWindow(node);
  if (group === 1) return denseWeightGradient(context, window, output, channels, sizes);
  const isDepthwise = group === channels && output.channels === channels;
  return isDepthwise && fillsBlocks(channels, forms.blockSize)
    ? depthwiseWeightGradient(context, window, output, sizes)
    : false;
};

/**
 * dW[k, c] = Σₙ dY[n, k] ⋆ X[n, c]: the channels of X are the batch, images are input channels, dY is the filter, as
 * large as the image, stride and dilation change places. With a group of images as a group of the convolution dY's
 * blocks are filters as they lie in memory.
 */
function denseWeightGradient(
  context: LoweringContext,
  window: Window,
  output: ImageShape,
  channels: number,
  sizes: readonly [number, number],
): boolean {
  const { node, emitter, forms } = context;
  const [x, outputGradient] = node.inputs as [string, string];
  const b = forms.blockSize;
  const { batch, paddedChannels, height, width } = output;
  const place = fit(window, sizes, [height, width]);
  const [resultHeight, resultWidth] = place.result;
  const area = resultHeight * resultWidth;
  const images = imagesPerGroup(output, channels * area, b);
  const groups = batch / images;
  const blocks = paddedChannels / b;

  const image = exchangedImage(context, x, [batch, channels, ...sizes], place);
  const byGroup = groupFilters(context, forms.blocked(outputGradient), output, images);
  const filter = emitter.reshape(byGroup, [groups * paddedChannels, images, height, width]);
  const perGroup = emitter.blockedOp("Conv", [image, filter], {
    kernel_shape: [height, width],
    strides: window.dilations,
    dilations: window.strides,
    pads: [place.rows[0], 0, place.rows[1], 0],
    group: groups,
  });
  const split = emitter.reshape(perGroup, [channels, groups, blocks * area * b]);
  const sum = emitter.op("ReduceSum", [split, emitter.int64s([1])], { keepdims: 0 });
  const ordered = emitter.transpose(emitter.reshape(sum, [channels, blocks, area, b]), [1, 3, 0, 2]);
  const whole = emitter.reshape(ordered, [paddedChannels, channels, resultHeight, resultWidth]);
  forms.setPlain(node.outputs[0]!, cutWeight(context, whole, output, window, place));
  return true;
}

/**
 * One image a group needs no copy of the gradient, but leaves a result for every image to be summed; that is taken
 * where the results are about as large as the gradient.
 */
function imagesPerGroup({ batch, paddedChannels, height, width }: ImageShape, resultSize: number, b: number): number {
  const copies = paddedChannels > b;
  if (copies && resultSize <= 1.5 * height * width) return 1;
  return largestDivisor(batch, Math.min(mostImagesPerGroup, b - 1));
}

/** [N, K/b, HW, b] → [N/images, K/b, images, HW, b]. */
function groupFilters({ emitter, forms }: LoweringContext, dy: string, output: ImageShape, images: number): string {
  const { batch, paddedChannels, height, width } = output;
  const b = forms.blockSize;
  const blocks = paddedChannels / b;
  if (blocks === 1 || images === 1) return dy;
  const rows: number[] = [];
  for (let group = 0; group < batch / images; group++) {
    for (let block = 0; block < blocks; block++) {
      for (let image = 0; image < images; image++) rows.push((group * images + image) * blocks + block);
    }
  }
  return emitter.op("Gather", [emitter.reshape(dy, [batch * blocks, height * width * b]), emitter.int64s(rows)], {
    axis: 0,
  });
}

/** Every image's channels are channels of one image; the sum over images comes afterwards. No operand is moved. */
function depthwiseWeightGradient(
  context: LoweringContext,
  window: Window,
  output: ImageShape,
  sizes: readonly [number, number],
): boolean {
  const { node, emitter, forms } = context;
  const [x, outputGradient] = node.inputs as [string, string];
  const b = forms.blockSize;
  const { batch, paddedChannels, height, width } = output;
  const input: ImageShape = { ...output, height: sizes[0], width: sizes[1] };
  const place = fit(window, sizes, [height, width]);
  const [resultHeight, resultWidth] = place.result;
  const area = resultHeight * resultWidth;
  const padded = padColumns(context, forms.blocked(x), input, place);
  const columns = sizes[1] + place.columns[0] + place.columns[1];
  const image = emitter.reshape(padded, [1, batch * paddedChannels, sizes[0], columns]);
  const filter = emitter.reshape(forms.blocked(outputGradient), [batch * paddedChannels, 1, height, width]);
  const perImage = emitter.blockedOp("Conv", [image, filter], {
    kernel_shape: [height, width],
    strides: window.dilations,
    dilations: window.strides,
    pads: [place.rows[0], 0, place.rows[1], 0],
    group: batch * paddedChannels,
  });
  const byImage = emitter.reshape(perImage, [batch, paddedChannels * area]);
  const sum = emitter.op("ReduceSum", [byImage, emitter.int64s([0])], { keepdims: 0 });
  const ordered = emitter.transpose(emitter.reshape(sum, [paddedChannels / b, area, b]), [0, 2, 1]);
  const whole = emitter.reshape(ordered, [paddedChannels, 1, resultHeight, resultWidth]);
  forms.setPlain(node.outputs[0]!, cutWeight(context, whole, output, window, place));
  return true;
}

/** Cuts the outputs that fill the last block, and the taps beyond the kernel. */
function cutWeight(
  { emitter }: LoweringContext,
  whole: string,
  { channels, paddedChannels }: ImageShape,
  window: Window,
  { result }: Fit,
): string {
  const [height, width] = window.kernel as [number, number];
  if (channels === paddedChannels && result[0] === height && result[1] === width) return whole;
  const ends = emitter.int64s([channels, height, width]);
  return emitter.op("Slice", [whole, emitter.int64s([0, 0, 0]), ends, emitter.int64s([0, 2, 3])]);
}

function largestDivisor(count: number, limit: number): number {
  let divisor = limit;
  while (count % divisor !== 0) divisor--;
  return divisor;
}

export const weightGradientRules = { "ai.dovetail.ConvWeightGradient": weightGradient } as const;

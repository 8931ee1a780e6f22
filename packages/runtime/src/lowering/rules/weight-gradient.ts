// The gradient of a convolution to its weight, as a blocked convolution with the roles changed.

import { attributeOf, explicitWindow, type Window } from "@dovetail/graph";
import { fillsBlocks, type ImageShape } from "../forms.js";
import type { LoweringContext, LoweringRule } from "../rule.js";
import { identityConvolution } from "./identity.js";

/** Images whose sum one group of the convolution makes; the groups are summed afterwards. */
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
 * unlike Pad. Rows are padded by the convolution that follows, which costs it nothing; columns would slow it several
 * times.
 */
function padColumns(context: LoweringContext, blocked: string, shape: ImageShape, place: Fit): string {
  const [begin, end] = place.columns;
  if (begin + end === 0) return blocked;
  const { inputs, attributes } = identityConvolution(context, blocked, shape);
  return context.emitter.blockedOp("Conv", inputs.slice(0, 2), { ...attributes, pads: [0, begin, 0, end] });
}

/** Rows of [rows, size] in another order: Gather works with all threads, unlike Transpose. */
function permuteRows({ emitter }: LoweringContext, value: string, size: number, order: readonly number[]): string {
  if (order.every((row, index) => row === index)) return value;
  const rows = emitter.reshape(value, [order.length, size]);
  return emitter.op("Gather", [rows, emitter.int64s(order)], { axis: 0 });
}

/** Exchanges the two outer axes of [outer, inner, size]. */
const exchangedOrder = (outer: number, inner: number): readonly number[] =>
  Array.from({ length: outer * inner }, (_, row) => (row % outer) * inner + Math.floor(row / outer));

/** A batch of images as the convolution's input. */
interface Operand {
  /** [channels / inner, N, H, W · inner], columns padded. */
  readonly value: string;
  readonly channels: number;
  /** Channels that lie side by side in memory: they become columns. */
  readonly inner: number;
}

/** Blocks of channels (or in plain order channels) become the batch, images the channels, channels of a block columns. */
function imageOperand(context: LoweringContext, x: string, sizes: readonly number[], place: Fit): Operand {
  const { emitter, forms, memo } = context;
  const [batch, channels, height, width] = sizes as [number, number, number, number];
  const shape = forms.imageShape(x);
  const isBlocked = shape !== undefined && forms.isBlocked(x);
  const inner = isBlocked ? forms.blockSize : 1;
  const blocks = (isBlocked ? shape.paddedChannels : channels) / inner;
  const [begin, end] = place.columns;
  const columns = (width + begin + end) * inner;
  const key = `exchanged:${x}:${isBlocked}:${begin}:${end}`;
  let value = memo.get(key);
  if (value === undefined) {
    const padded = isBlocked
      ? padColumns(context, forms.blocked(x), shape, place)
      : begin + end === 0
        ? forms.plain(x)
        : emitter.op("Pad", [forms.plain(x), emitter.int64s([0, 0, 0, begin, 0, 0, 0, end])]);
    value = permuteRows(context, padded, height * columns, exchangedOrder(batch, blocks));
    value = emitter.reshape(value, [blocks, batch, height, columns]);
    memo.set(key, value);
  }
  return { value, channels, inner };
}

/** [N, K/b, HW, b] → [N/images, K/b, images, HW, b]: blocks of the gradient are filters as they lie in memory. */
function filterOperand(context: LoweringContext, blocked: string, shape: ImageShape, images: number): string {
  const { batch, paddedChannels, height, width } = shape;
  const b = context.forms.blockSize;
  const blocks = paddedChannels / b;
  const order: number[] = [];
  for (let group = 0; group < batch / images; group++) {
    for (let block = 0; block < blocks; block++) {
      for (let image = 0; image < images; image++) order.push((group * images + image) * blocks + block);
    }
  }
  const ordered = images === 1 ? blocked : permuteRows(context, blocked, height * width * b, order);
  return context.emitter.reshape(ordered, [(batch / images) * paddedChannels, images, height, width]);
}

/**
 * One image a group needs no copy of the filters, but leaves a result for every image to be summed; that is taken where
 * the results are about as large as the filters.
 */
function imagesPerGroup({ batch, paddedChannels, height, width }: ImageShape, resultSize: number, b: number): number {
  if (paddedChannels > b && resultSize <= 1.5 * height * width) return 1;
  let images = Math.min(mostImagesPerGroup, b - 1);
  while (batch % images !== 0) images--;
  return images;
}

/** One tap has no distance to the next. */
function withoutIdleDilation(window: Window): Window {
  return { ...window, dilations: window.dilations.map((dilation, axis) => (window.kernel[axis] === 1 ? 1 : dilation)) };
}

const weightGradient: LoweringRule = (context) => {
  const { node, forms, graph } = context;
  const [x, outputGradient] = node.inputs as [string, string];
  const group = attributeOf(node, "group", "int", 1);
  const sizes = graph.types.get(x)?.shape;
  const output = forms.imageShape(outputGradient);
  if (!output || sizes?.length !== 4 || sizes.some((size) => typeof size !== "number")) return false;
  const [batch, channels] = sizes as [number, number];
  const window = withoutIdleDilation(explicitWindow(node));
  if (group === channels && group > 1 && output.channels === channels && fillsBlocks(channels, forms.blockSize)) {
    return depthwiseWeightGradient(context, window, output, sizes.slice(2) as number[]);
  }
  // Images become channels, of which the kernel takes fewer than a block or whole blocks.
  if (group !== 1 || (batch > forms.blockSize && batch % forms.blockSize !== 0)) return false;
  const input = forms.imageShape(x);
  const isPointwise = [...window.kernel, ...window.strides].every((size) => size === 1);
  const canSwap = isPointwise && window.pads.every((pad) => pad === 0) && input && forms.isBlocked(x);
  // The operand with fewer channels is the one that is copied.
  return canSwap && input.channels > output.channels
    ? denseWeightGradient(context, window, { image: outputGradient, filter: x, isSwapped: true })
    : denseWeightGradient(context, window, { image: x, filter: outputGradient, isSwapped: false });
};

interface Roles {
  readonly image: string;
  readonly filter: string;
  /** True where the filter is X and the result's axes are exchanged. */
  readonly isSwapped: boolean;
}

/**
 * dW[k, c, r, s] = Σ dY[n, k, h, w] · X[n, c, h + r, w + s]: images are the input's channels, dY is the filter, as large
 * as the image; stride and dilation change places. The b channels of a block lie between neighbours in a row, so they
 * are b columns each, and the filter's columns are b apart: one pass makes the products of a whole block.
 */
function denseWeightGradient(context: LoweringContext, window: Window, { image, filter, isSwapped }: Roles): boolean {
  const { node, graph, emitter, forms } = context;
  const b = forms.blockSize;
  const sizes = graph.types.get(image)!.shape as readonly number[];
  const shape = forms.imageShape(filter)!;
  const { batch, paddedChannels, height, width } = shape;
  const place = fit(window, sizes.slice(2), [height, width]);
  // Neighbouring results of one channel are a block apart already.
  if (window.dilations[1] !== 1 && forms.imageShape(image) && forms.isBlocked(image)) return false;
  const { value, channels, inner } = imageOperand(context, image, sizes, place);
  const [resultHeight, resultWidth] = place.result;
  const blocks = Math.ceil(channels / inner);
  const images = imagesPerGroup(shape, channels * resultHeight * resultWidth, b);
  const groups = batch / images;
  const perGroup = emitter.blockedOp("Conv", [value, filterOperand(context, forms.blocked(filter), shape, images)], {
    kernel_shape: [height, width],
    strides: [window.dilations[0]!, inner > 1 ? 1 : window.dilations[1]!],
    dilations: [window.strides[0]!, window.strides[1]! * inner],
    pads: [place.rows[0], 0, place.rows[1], 0],
    group: groups,
  });
  const filterBlocks = paddedChannels / b;
  const area = resultHeight * resultWidth;
  const split = emitter.reshape(perGroup, [blocks, groups, filterBlocks * area * inner * b]);
  const sum = emitter.sum(split, groups);
  const [outputs, inputs] = isSwapped ? [blocks * inner, paddedChannels] : [paddedChannels, blocks * inner];
  const sizesOfWhole = [outputs, inputs, resultHeight, resultWidth];
  const whole =
    inner === 1
      ? emitter.reshape(
          emitter.transpose(emitter.reshape(sum, [blocks, filterBlocks, area, b]), [1, 3, 0, 2]),
          sizesOfWhole,
        )
      : plainWeight(context, sum, { blocks, filterBlocks, area, isSwapped }, sizesOfWhole);
  forms.setPlain(node.outputs[0]!, cutWeight(context, whole, sizesOfWhole));
  return true;
}

interface BlockedResult {
  readonly blocks: number;
  readonly filterBlocks: number;
  readonly area: number;
  readonly isSwapped: boolean;
}

/**
 * [image blocks, filter blocks, area, b of image, b of filter] → [O, I, area]. Single values are moved by ReorderInput and
 * ReorderOutput, with all threads; Transpose moves b values at a time.
 */
function plainWeight(
  { emitter, forms }: LoweringContext,
  sum: string,
  { blocks, filterBlocks, area, isSwapped }: BlockedResult,
  [outputs, inputs, height, width]: readonly number[],
): string {
  const b = forms.blockSize;
  const tiles = isSwapped
    ? sum
    : emitter.blockedOp("ReorderInput", [emitter.reshape(sum, [blocks * filterBlocks * area, b, b, 1])]);
  const axes = emitter.reshape(tiles, [blocks, filterBlocks, area, b, b]);
  const byOutput = emitter.transpose(axes, isSwapped ? [0, 3, 1, 2, 4] : [1, 3, 0, 2, 4]);
  const blocked = emitter.reshape(byOutput, [outputs!, inputs!, height!, width!]);
  return area === 1 ? blocked : emitter.blockedOp("ReorderOutput", [blocked], { channels: inputs! });
}

/** Every image's channels are channels of one image; the sum over images comes afterwards. No operand is moved. */
function depthwiseWeightGradient(
  context: LoweringContext,
  window: Window,
  output: ImageShape,
  sizes: readonly number[],
): boolean {
  const { node, emitter, forms } = context;
  const [x, outputGradient] = node.inputs as [string, string];
  const { batch, paddedChannels, height, width } = output;
  const [inputHeight, inputWidth] = sizes as [number, number];
  const place = fit(window, sizes, [height, width]);
  const [resultHeight, resultWidth] = place.result;
  const padded = padColumns(context, forms.blocked(x), { ...output, height: inputHeight, width: inputWidth }, place);
  const columns = inputWidth + place.columns[0] + place.columns[1];
  const image = emitter.reshape(padded, [1, batch * paddedChannels, inputHeight, columns]);
  const filter = emitter.reshape(forms.blocked(outputGradient), [batch * paddedChannels, 1, height, width]);
  const perImage = emitter.blockedOp("Conv", [image, filter], {
    kernel_shape: [height, width],
    strides: window.dilations,
    dilations: window.strides,
    pads: [place.rows[0], 0, place.rows[1], 0],
    group: batch * paddedChannels,
  });
  const area = resultHeight * resultWidth;
  const byImage = emitter.reshape(perImage, [batch, paddedChannels * area]);
  const sum = emitter.sum(byImage, batch);
  const ordered = emitter.blockedOp(
    "ReorderOutput",
    [emitter.reshape(sum, [1, paddedChannels, resultHeight, resultWidth])],
    { channels: paddedChannels },
  );
  const whole = emitter.reshape(ordered, [paddedChannels, 1, resultHeight, resultWidth]);
  forms.setPlain(node.outputs[0]!, cutWeight(context, whole, [paddedChannels, 1, resultHeight, resultWidth]));
  return true;
}

/** Cuts the channels that fill the last blocks, and the taps beyond the kernel. */
function cutWeight({ node, graph, emitter }: LoweringContext, whole: string, sizes: readonly number[]): string {
  const weight = graph.types.get(node.outputs[0]!)!.shape as readonly number[];
  if (sizes.every((size, axis) => size === weight[axis])) return whole;
  return emitter.op("Slice", [whole, emitter.int64s([0, 0, 0, 0]), emitter.int64s(weight)]);
}

export const weightGradientRules = { "ai.dovetail.ConvWeightGradient": weightGradient } as const;

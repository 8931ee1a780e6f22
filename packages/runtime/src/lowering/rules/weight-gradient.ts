// The gradient of a convolution to its weight, as a blocked convolution with the roles changed.

import { attributeOf, explicitWindow, type Window } from "@dovetail/graph";
import { fillsBlocks, type ImageShape } from "../forms.js";
import type { LoweringContext, LoweringRule } from "../rule.js";

/** Images whose sum one group of the convolution makes; the rest of the batch is summed afterwards. */
const mostImagesPerGroup = 8;

/** Explicit padding of columns and how many columns are cut at the end; rows likewise by the kernel's own attribute. */
interface Fit {
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
}

/** Padding at the end, negative where pixels at the end are never read, so that the result has the kernel's size. */
function fit(window: Window, sizes: readonly number[], gradientSizes: readonly number[]): Fit {
  const [rows, columns] = sizes.map((size, axis): readonly [number, number] => {
    const extent = (window.kernel[axis]! - 1) * window.dilations[axis]! + 1;
    const begin = window.pads[axis]!;
    return [begin, (gradientSizes[axis]! - 1) * window.strides[axis]! + extent - begin - size];
  });
  return { rows: rows!, columns: columns! };
}

/**
 * [C, N, H, W], or for depthwise the blocked image, with its columns padded and what is never read cut off. Rows are
 * padded by the convolution itself, which costs it nothing; columns would slow it several times.
 */
function fitted(
  { emitter }: LoweringContext,
  value: string,
  { rows, columns }: Fit,
  sizes: readonly [number, number],
  axes: readonly [number, number],
): string {
  let result = value;
  const cut = [rows, columns].map(([, end], index) => sizes[index]! + Math.min(end, 0));
  if (rows[1] < 0 || columns[1] < 0) {
    result = emitter.op("Slice", [result, emitter.int64s([0, 0]), emitter.int64s(cut), emitter.int64s(axes)]);
  }
  const [begin, end] = [columns[0], Math.max(columns[1], 0)];
  if (begin + end === 0) return result;
  const rank = axes[1] === 3 && axes[0] === 2 ? 4 : 5;
  const pads = new Array<number>(2 * rank).fill(0);
  pads[axes[1]] = begin;
  pads[rank + axes[1]] = end;
  return emitter.op("Pad", [result, emitter.int64s(pads)]);
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
  const images = largestDivisor(batch, Math.min(mostImagesPerGroup, b - 1));
  const groups = batch / images;
  const blocks = paddedChannels / b;
  const [kernelHeight, kernelWidth] = window.kernel as [number, number];

  const place = fit(window, sizes, [height, width]);
  const image = fitted(context, forms.exchanged(x), place, sizes, [2, 3]);
  const dy = forms.blocked(outputGradient);
  const byGroup =
    blocks === 1 || images === 1
      ? dy
      : emitter.transpose(emitter.reshape(dy, [groups, images, blocks, height * width * b]), [0, 2, 1, 3]);
  const filter = emitter.reshape(byGroup, [groups * paddedChannels, images, height, width]);
  const perGroup = emitter.blockedOp("Conv", [image, filter], {
    kernel_shape: [height, width],
    strides: window.dilations,
    dilations: window.strides,
    pads: [place.rows[0], 0, Math.max(place.rows[1], 0), 0],
    group: groups,
  });
  const area = kernelHeight * kernelWidth;
  const split = emitter.reshape(perGroup, [channels, groups, blocks * area * b]);
  const sum = emitter.op("ReduceSum", [split, emitter.int64s([1])], { keepdims: 0 });
  const ordered = emitter.transpose(emitter.reshape(sum, [channels, blocks, area, b]), [1, 3, 0, 2]);
  const whole = emitter.reshape(ordered, [paddedChannels, channels, kernelHeight, kernelWidth]);
  forms.setPlain(node.outputs[0]!, cutOutputs(context, whole, output));
  return true;
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
  const [kernelHeight, kernelWidth] = window.kernel as [number, number];
  const place = fit(window, sizes, [height, width]);
  const rows = sizes[0] + Math.min(place.rows[1], 0);
  const columns = sizes[1] + place.columns[0] + place.columns[1];
  const blocks = (batch * paddedChannels) / b;
  const split = emitter.reshape(forms.blocked(x), [blocks, sizes[0], sizes[1], b, 1]);
  const image = emitter.reshape(fitted(context, split, place, sizes, [1, 2]), [
    1,
    batch * paddedChannels,
    rows,
    columns,
  ]);
  const filter = emitter.reshape(forms.blocked(outputGradient), [batch * paddedChannels, 1, height, width]);
  const perImage = emitter.blockedOp("Conv", [image, filter], {
    kernel_shape: [height, width],
    strides: window.dilations,
    dilations: window.strides,
    pads: [place.rows[0], 0, Math.max(place.rows[1], 0), 0],
    group: batch * paddedChannels,
  });
  const area = kernelHeight * kernelWidth;
  const byImage = emitter.reshape(perImage, [batch, paddedChannels * area]);
  const sum = emitter.op("ReduceSum", [byImage, emitter.int64s([0])], { keepdims: 0 });
  const ordered = emitter.transpose(emitter.reshape(sum, [paddedChannels / b, area, b]), [0, 2, 1]);
  const whole = emitter.reshape(ordered, [paddedChannels, 1, kernelHeight, kernelWidth]);
  forms.setPlain(node.outputs[0]!, cutOutputs(context, whole, output));
  return true;
}

function cutOutputs({ emitter }: LoweringContext, whole: string, { channels, paddedChannels }: ImageShape): string {
  if (channels === paddedChannels) return whole;
  return emitter.op("Slice", [whole, emitter.int64s([0]), emitter.int64s([channels])]);
}

function largestDivisor(count: number, limit: number): number {
  let divisor = limit;
  while (count % divisor !== 0) divisor--;
  return divisor;
}

export const weightGradientRules = { "ai.dovetail.ConvWeightGradient": weightGradient } as const;

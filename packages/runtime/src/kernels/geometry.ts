// Sizes of an add layer, and where its values lie in the kernels' memory.

import { explicitWindow, type Node } from "@dovetail/graph";

/** An add layer: X [batch, channels, height, width] and W [outputs, channels, kernel] to Y [batch, outputs, output sizes]. */
export interface AdderGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outputs: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

/** The geometry of a node of AdderConv or its gradient, from the shapes of X, W and Y. */
export function adderGeometry(
  node: Node,
  [batch, channels, height, width]: readonly number[],
  weight: readonly number[],
  output: readonly number[],
): AdderGeometry {
  const { strides, pads, dilations } = explicitWindow(node);
  return {
    batch: batch!,
    channels: channels!,
    height: height!,
    width: width!,
    outputs: weight[0]!,
    outputHeight: output[2]!,
    outputWidth: output[3]!,
    kernel: weight.slice(2),
    strides,
    pads,
    dilations,
  };
}

/** Where the terms of a position are found: byte offsets into a padded image of `paddedHeight`·`paddedWidth` planes. */
export interface ForwardPlan {
  readonly paddedHeight: number;
  readonly paddedWidth: number;
  /** Of the term (channel, kernel row, kernel column), in this order. */
  readonly offsets: Int32Array;
}

export function forwardPlan(of: AdderGeometry): ForwardPlan {
  const extent = (axis: number, outputs: number): number =>
    (outputs - 1) * of.strides[axis]! + (of.kernel[axis]! - 1) * of.dilations[axis]! + 1;
  const paddedHeight = extent(0, of.outputHeight);
  const paddedWidth = extent(1, of.outputWidth);
  const [rows, columns] = of.kernel as [number, number];
  const offsets = new Int32Array(of.channels * rows * columns);
  let term = 0;
  for (let channel = 0; channel < of.channels; channel++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const position = row * of.dilations[0]! * paddedWidth + column * of.dilations[1]!;
        offsets[term++] = 4 * (channel * paddedHeight * paddedWidth + position);
      }
    }
  }
  return { paddedHeight, paddedWidth, offsets };
}

/** Input positions that meet the same kernel positions: every stride-th row and column. */
export interface PositionClass {
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly rows: number;
  readonly columns: number;
  /** Indices of the kernel positions, row · kernel width + column. */
  readonly taps: readonly number[];
  /** Of the term (output channel, tap) from the class's position, in bytes into a padded image of the output gradient. */
  readonly offsets: Int32Array;
}

/** How the output gradient is laid out, and which of it each input position takes. */
export interface GradientPlan {
  readonly top: number;
  readonly left: number;
  readonly paddedHeight: number;
  readonly paddedWidth: number;
  readonly classes: readonly PositionClass[];
}

interface AxisClass {
  readonly first: number;
  readonly count: number;
  /** Kernel positions with the output position that each leads to from the first input position; may be outside. */
  readonly taps: readonly { readonly tap: number; readonly output: number }[];
}

/** Position i meets kernel position k at output (i + pad − k·dilation) / stride, where that is whole. */
function axisClasses(of: AdderGeometry, axis: number, size: number): readonly AxisClass[] {
  const [stride, pad, dilation] = [of.strides[axis]!, of.pads[axis]!, of.dilations[axis]!];
  return Array.from({ length: Math.min(stride, size) }, (_, first): AxisClass => {
    const taps = Array.from({ length: of.kernel[axis]! }, (_, tap) => ({
      tap,
      output: (first + pad - tap * dilation) / stride,
    })).filter(({ output }) => Number.isInteger(output));
    return { first, count: Math.ceil((size - first) / stride), taps };
  });
}

/** Zeros before the first output position that is taken, and the size with those behind the last. */
function margin(classes: readonly AxisClass[]): { readonly before: number; readonly size: number } {
  const firsts = classes.flatMap(({ taps }) => taps.map(({ output }) => output));
  const lasts = classes.flatMap(({ taps, count }) => taps.map(({ output }) => output + count));
  const before = Math.max(0, -Math.min(0, ...firsts));
  return { before, size: before + Math.max(1, ...lasts) };
}

export function gradientPlan(of: AdderGeometry): GradientPlan {
  const rows = axisClasses(of, 0, of.height);
  const columns = axisClasses(of, 1, of.width);
  const [vertical, horizontal] = [margin(rows), margin(columns)];
  const plane = vertical.size * horizontal.size;
  const classes = rows.flatMap((row) =>
    columns.map((column): PositionClass => {
      const meetings = row.taps.flatMap((y) =>
        column.taps.map((x) => ({
          tap: y.tap * of.kernel[1]! + x.tap,
          place: (y.output + vertical.before) * horizontal.size + x.output + horizontal.before,
        })),
      );
      const offsets = new Int32Array(of.outputs * meetings.length);
      for (let output = 0; output < of.outputs; output++) {
        meetings.forEach(({ place }, index) => {
          offsets[output * meetings.length + index] = 4 * (output * plane + place);
        });
      }
      return {
        ...{ firstRow: row.first, firstColumn: column.first, rows: row.count, columns: column.count },
        ...{ taps: meetings.map(({ tap }) => tap), offsets },
      };
    }),
  );
  return {
    ...{ top: vertical.before, left: horizontal.before },
    ...{ paddedHeight: vertical.size, paddedWidth: horizontal.size, classes },
  };
}

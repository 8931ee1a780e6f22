// Convolution weights [O, I, h, w] in the orders that the blocked kernels take.

import { type Forms, fillsBlocks, roundUp } from "./forms.js";
import type { LoweringContext } from "./rule.js";

/** Sizes of a convolution's weight. */
export interface FilterShape {
  readonly outputs: number;
  /** Per group. */
  readonly inputs: number;
  readonly height: number;
  readonly width: number;
}

/** How a blocked kernel goes through its operands. */
export type FilterKind =
  /** Blocks of outputs and of inputs. */
  | "blocked"
  /** Blocks of outputs; fewer inputs than a block, and the image in plain order. */
  | "plainInput"
  /** Each channel by itself. */
  | "depthwise";

/** The kernel for a convolution, or undefined where none fits or too much of the blocks would be filling. */
export function filterKind(
  { outputs, inputs }: FilterShape,
  group: number,
  { blockSize }: Forms,
): FilterKind | undefined {
  if (group > 1 && inputs === 1 && outputs === group) return fillsBlocks(outputs, blockSize) ? "depthwise" : undefined;
  if (group > 1) return inputs % blockSize === 0 && (outputs / group) % blockSize === 0 ? "blocked" : undefined;
  if (!fillsBlocks(outputs, blockSize)) return undefined;
  if (inputs >= blockSize) return fillsBlocks(inputs, blockSize) ? "blocked" : undefined;
  return "plainInput";
}

/** Outputs and inputs filled up with zeros to whole blocks. */
function filled({ emitter, forms }: LoweringContext, weight: string, shape: FilterShape, kind: FilterKind): string {
  const outputs = roundUp(shape.outputs, forms.blockSize) - shape.outputs;
  const inputs = kind === "blocked" ? roundUp(shape.inputs, forms.blockSize) - shape.inputs : 0;
  if (outputs + inputs === 0) return weight;
  return emitter.op("Pad", [weight, emitter.int64s([0, 0, 0, 0, outputs, inputs, 0, 0])]);
}

/** The weight as a filter: blocked [O/b, I/b, hw, b of I, b of O]; plain input [O/b, I, hw, b of O]; depthwise [O/b, hw, b]. */
export function forwardFilter(context: LoweringContext, weight: string, shape: FilterShape, kind: FilterKind): string {
  return memoized(context, `forwardFilter:${kind}:${weight}`, () =>
    ordered(context, filled(context, context.forms.plain(weight), shape, kind), shape, kind),
  );
}

/** ReorderInput puts the b outputs of a block last, with all threads; then the b inputs go behind the taps. */
function ordered({ emitter, forms }: LoweringContext, weight: string, shape: FilterShape, kind: FilterKind): string {
  const b = forms.blockSize;
  const outputs = roundUp(shape.outputs, b);
  const area = shape.height * shape.width;
  const inputs = kind === "blocked" ? roundUp(shape.inputs, b) : shape.inputs;
  let order = emitter.blockedOp("ReorderInput", [emitter.reshape(weight, [outputs / b, b, inputs * area, 1])]);
  if (kind === "blocked" && area > 1) {
    order = emitter.transpose(emitter.reshape(order, [outputs / b, inputs / b, b, area, b]), [0, 1, 3, 2, 4]);
  }
  return emitter.reshape(order, [outputs, inputs, shape.height, shape.width]);
}

/** Which taps of a kernel a filter has, row-major. */
export interface Taps {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/**
 * The filter that takes the output's gradient to the input's: outputs and inputs exchanged, with these taps in this
 * order (all of them reversed for stride 1).
 */
export function backwardFilter(
  context: LoweringContext,
  weight: string,
  shape: FilterShape,
  kind: FilterKind,
  taps: Taps,
): string {
  const { rows, columns } = taps;
  const picked = rows.flatMap((row) => columns.map((column) => row * shape.width + column));
  const { emitter, forms } = context;
  const b = forms.blockSize;
  if (kind === "depthwise") {
    const outputs = roundUp(shape.outputs, b);
    const byTap = emitter.reshape(forwardFilter(context, weight, shape, kind), [
      outputs / b,
      shape.height * shape.width,
      b,
    ]);
    const chosen = emitter.op("Gather", [byTap, emitter.int64s(picked)], { axis: 1 });
    return emitter.reshape(chosen, [outputs, 1, rows.length, columns.length]);
  }
  const outputs = roundUp(shape.inputs, b);
  const inputs = kind === "blocked" ? roundUp(shape.outputs, b) : shape.outputs;
  const chosen =
    kind === "blocked" && filterKind(shape, 1, forms) === "blocked"
      ? exchangedBlocks(context, weight, shape, picked)
      : exchangedWeight(context, weight, shape, kind, picked);
  return emitter.reshape(chosen, [outputs, inputs, rows.length, columns.length]);
}

/** From the forward filter: every block transposed, then the blocks put in their places. */
function exchangedBlocks(
  context: LoweringContext,
  weight: string,
  shape: FilterShape,
  picked: readonly number[],
): string {
  const { emitter, forms } = context;
  const b = forms.blockSize;
  const outputBlocks = roundUp(shape.outputs, b) / b;
  const inputBlocks = roundUp(shape.inputs, b) / b;
  const area = shape.height * shape.width;
  const count = outputBlocks * inputBlocks * area;
  const transposed = memoized(context, `transposedBlocks:${weight}`, () => {
    const blocks = emitter.reshape(forwardFilter(context, weight, shape, "blocked"), [count, b, b, 1]);
    return emitter.reshape(emitter.blockedOp("ReorderInput", [blocks]), [count, b * b]);
  });
  const order: number[] = [];
  for (let input = 0; input < inputBlocks; input++) {
    for (let output = 0; output < outputBlocks; output++) {
      for (const tap of picked) order.push((output * inputBlocks + input) * area + tap);
    }
  }
  return emitter.op("Gather", [transposed, emitter.int64s(order)], { axis: 0 });
}

/** From the weight, where the forward filter has no blocks of inputs. */
function exchangedWeight(
  context: LoweringContext,
  weight: string,
  shape: FilterShape,
  kind: FilterKind,
  picked: readonly number[],
): string {
  const { emitter, forms } = context;
  const b = forms.blockSize;
  const exchanged: FilterShape = { ...shape, outputs: shape.inputs, inputs: shape.outputs };
  const outputs = roundUp(shape.inputs, b);
  const inputs = kind === "blocked" ? roundUp(shape.outputs, b) : shape.outputs;
  const area = shape.height * shape.width;
  const byTap = memoized(context, `exchangedByTap:${kind}:${weight}`, () => {
    const transposed = emitter.transpose(forms.plain(weight), [1, 0, 2, 3]);
    return ordered(context, filled(context, transposed, exchanged, kind), exchanged, kind);
  });
  const blocks = kind === "blocked" ? [outputs / b, inputs / b, area, b * b] : [outputs / b, inputs, area, b];
  return emitter.op("Gather", [emitter.reshape(byTap, blocks), emitter.int64s(picked)], { axis: 2 });
}

function memoized({ memo }: LoweringContext, key: string, make: () => string): string {
  let known = memo.get(key);
  if (known === undefined) {
    known = make();
    memo.set(key, known);
  }
  return known;
}

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

function ordered({ emitter, forms }: LoweringContext, weight: string, shape: FilterShape, kind: FilterKind): string {
  const b = forms.blockSize;
  const outputs = roundUp(shape.outputs, b);
  const area = shape.height * shape.width;
  const inputs = kind === "blocked" ? roundUp(shape.inputs, b) : shape.inputs;
  const order =
    kind === "blocked"
      ? emitter.transpose(emitter.reshape(weight, [outputs / b, b, inputs / b, b, area]), [0, 2, 4, 3, 1])
      : emitter.transpose(emitter.reshape(weight, [outputs / b, b, inputs * area]), [0, 2, 1]);
  return emitter.reshape(order, [outputs, inputs, shape.height, shape.width]);
}

/** Which taps of a kernel a filter has, row-major, as [row, column]. */
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
  const { emitter, forms } = context;
  const b = forms.blockSize;
  const { rows, columns } = taps;
  const picked = rows.flatMap((row) => columns.map((column) => row * shape.width + column));
  const area = shape.height * shape.width;
  if (kind === "depthwise") {
    const byTap = memoized(context, `byTap:${weight}`, () => {
      const whole = filled(context, forms.plain(weight), shape, kind);
      return emitter.transpose(emitter.reshape(whole, [roundUp(shape.outputs, b) / b, b, area]), [0, 2, 1]);
    });
    const chosen = emitter.op("Gather", [byTap, emitter.int64s(picked)], { axis: 1 });
    return emitter.reshape(chosen, [roundUp(shape.outputs, b), 1, rows.length, columns.length]);
  }
  const exchanged: FilterShape = { ...shape, outputs: shape.inputs, inputs: shape.outputs };
  const inputs = kind === "blocked" ? roundUp(shape.outputs, b) : shape.outputs;
  const outputs = roundUp(shape.inputs, b);
  // [I/b, …, taps, b of I] with the taps picked afterwards: what is copied then is whole blocks.
  const byTap = memoized(context, `exchangedByTap:${kind}:${weight}`, () => {
    const transposed = emitter.transpose(forms.plain(weight), [1, 0, 2, 3]);
    return ordered(context, filled(context, transposed, exchanged, kind), exchanged, kind);
  });
  const blocks = kind === "blocked" ? [outputs / b, inputs / b, area, b * b] : [outputs / b, inputs, area, b];
  const chosen = emitter.op("Gather", [emitter.reshape(byTap, blocks), emitter.int64s(picked)], { axis: 2 });
  return emitter.reshape(chosen, [outputs, inputs, rows.length, columns.length]);
}

function memoized({ memo }: LoweringContext, key: string, make: () => string): string {
  let known = memo.get(key);
  if (known === undefined) {
    known = make();
    memo.set(key, known);
  }
  return known;
}

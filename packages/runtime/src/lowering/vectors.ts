// Per-channel vectors [C] beside blocked images: filled up with zeros to whole blocks, and cut again.

import type { ImageShape } from "./forms.js";
import type { LoweringContext } from "./rule.js";

/** The vector with `paddedChannels` entries. */
export function paddedVector(
  { forms, emitter, paddedVectors }: LoweringContext,
  name: string,
  shape: ImageShape,
): string {
  let padded = paddedVectors.get(name);
  if (padded === undefined) {
    const missing = shape.paddedChannels - shape.channels;
    padded = missing === 0 ? forms.plain(name) : emitter.op("Pad", [forms.plain(name), emitter.int64s([0, missing])]);
    paddedVectors.set(name, padded);
  }
  return padded;
}

/** Defines an output [C] of the node by its filled-up form. */
export function defineVector(
  context: LoweringContext,
  name: string | undefined,
  padded: string,
  shape: ImageShape,
): void {
  if (name === undefined || name === "") return;
  const { emitter, forms, paddedVectors } = context;
  paddedVectors.set(name, padded);
  const isWhole = shape.paddedChannels === shape.channels;
  forms.setPlain(
    name,
    isWhole ? padded : emitter.op("Slice", [padded, emitter.int64s([0]), emitter.int64s([shape.channels])]),
  );
}

// The precisions that networks of shifts and additions compute in.

/** Whether a network computes in float32 or in fixed point (`fixedPointNetwork`), and with which widths. */
export type Precision =
  | { readonly format: "float" }
  | { readonly format: "integer"; readonly add: number; readonly shift: number; readonly multiply: number };

/** Precisions that are trained. In `fixed16` shift layers are at 16 bit, as the authors' code has them; in `fixed8` at 8. */
export const precisions = {
  float32: { format: "float" },
  fixed16: { format: "integer", add: 8, shift: 16, multiply: 8 },
  fixed8: { format: "integer", add: 8, shift: 8, multiply: 8 },
} as const satisfies Readonly<Record<string, Precision>>;

export type PrecisionName = keyof typeof precisions;

export const precisionNames = Object.keys(precisions) as readonly PrecisionName[];

/** What a pickle of data holds. Lists and tuples are arrays, dictionaries are maps, bytes are `Uint8Array`. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleKey, PickleValue>
  | NumpyArray;

export type PickleKey = null | boolean | number | string;

/** An array of numbers in row-major order. */
export interface NumpyArray {
  readonly kind: "array";
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export function isNumpyArray(value: unknown): value is NumpyArray {
  return typeof value === "object" && value !== null && (value as Partial<NumpyArray>).kind === "array";
}

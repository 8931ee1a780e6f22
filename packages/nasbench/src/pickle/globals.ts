import { elementBytes, type NumpyType, numbersOf, numpyArray, numpyType } from "./numpy.js";
import { isNumpyArray, type NumpyArray, type PickleValue } from "./values.js";

// The few names that a pickle of numbers may mention. Nothing is ever called: each name is a rule of this file that puts
// data together. Every other name is refused.

/** A name that a pickle mentions. */
export interface PickleGlobal {
  readonly kind: "global";
  readonly name: string;
}

/** An array of which only the beginning was read: its contents follow with BUILD. */
export interface UnfinishedArray {
  readonly kind: "unfinished";
}

/** What stands on the stack beside data. */
export type PickleItem = PickleValue | PickleGlobal | NumpyType | UnfinishedArray;

const multiarray = ["numpy.core.multiarray", "numpy._core.multiarray"];
const numeric = ["numpy.core.numeric", "numpy._core.numeric"];

type Reduction = (parameters: readonly PickleItem[]) => PickleItem | undefined;

/** What REDUCE makes of a name and its arguments; undefined where the arguments are not those that NumPy writes. */
const reductions: ReadonlyMap<string, Reduction> = new Map<string, Reduction>([
  ...multiarray.map((module) => [`${module}._reconstruct`, reconstruct] as const),
  ...multiarray.map((module) => [`${module}.scalar`, scalar] as const),
  ...numeric.map((module) => [`${module}._frombuffer`, fromBuffer] as const),
  ["numpy.dtype", dtype],
  ["_codecs.encode", encode],
  // How Python 3 writes no bytes at all before protocol 3.
  ["__builtin__.bytes", (parameters) => (parameters.length === 0 ? new Uint8Array() : undefined)],
  ["collections.OrderedDict", (parameters) => (parameters.length === 0 ? new Map() : undefined)],
]);

/** Names that may be mentioned. */
export const allowedGlobals: readonly string[] = [...reductions.keys(), "numpy.ndarray"];

/** The rule's result; undefined where there is none for these arguments. */
export function reduceGlobal(name: string, parameters: readonly PickleItem[]): PickleItem | undefined {
  return reductions.get(name)?.(parameters);
}

function hasKind<Kind extends string>(item: unknown, kind: Kind): item is { readonly kind: Kind } {
  return typeof item === "object" && item !== null && (item as { kind?: unknown }).kind === kind;
}

export const isGlobal = (item: unknown): item is PickleGlobal => hasKind(item, "global");
export const isUnfinished = (item: unknown): item is UnfinishedArray => hasKind(item, "unfinished");
export const isType = (item: unknown): item is NumpyType => hasKind(item, "type");

/** `_reconstruct(numpy.ndarray, (0,), b"b")`: the beginning of every array before protocol 5. */
function reconstruct([of, shape, code]: readonly PickleItem[]): UnfinishedArray | undefined {
  const isArray = isGlobal(of) && of.name === "numpy.ndarray";
  return isArray && Array.isArray(shape) && code !== undefined ? { kind: "unfinished" } : undefined;
}

/** `dtype("f8", False, True)`. */
function dtype([text]: readonly PickleItem[]): NumpyType | undefined {
  return typeof text === "string" ? numpyType(text) : undefined;
}

/** `scalar(dtype, bytes)`. */
function scalar([type, bytes]: readonly PickleItem[]): number | undefined {
  if (!isType(type) || !(bytes instanceof Uint8Array) || bytes.length !== elementBytes(type)) return undefined;
  return numbersOf(type, bytes)[0];
}

/** `_frombuffer(bytes, dtype, shape, "C")`, of protocol 5. */
function fromBuffer([bytes, type, shape, order]: readonly PickleItem[]): NumpyArray | undefined {
  return arrayOf(shape, type, order === "F", bytes);
}

/** `encode("…", "latin1")`: how bytes are written before protocol 3. */
function encode([text, encoding]: readonly PickleItem[]): Uint8Array | undefined {
  if (typeof text !== "string" || encoding !== "latin1") return undefined;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return bytes.some((byte, index) => byte !== text.charCodeAt(index)) ? undefined : bytes;
}

/** What BUILD makes of an array's beginning: (version, shape, dtype, is Fortran, bytes or list of numbers). */
export function buildArray(state: PickleItem): NumpyArray | undefined {
  if (!Array.isArray(state) || state.length !== 5) return undefined;
  const [, shape, type, isFortran, contents] = state as PickleItem[];
  return typeof isFortran === "boolean" ? arrayOf(shape, type, isFortran, contents) : undefined;
}

/** What BUILD makes of a type: (3, byte order, …). */
export function buildType(type: NumpyType, state: PickleItem): boolean {
  if (!Array.isArray(state) || typeof state[1] !== "string" || !/^[<>|=]$/.test(state[1])) return false;
  // The memo may name this very type again: it is completed in place.
  type.isLittleEndian = state[1] !== ">";
  return true;
}

function arrayOf(
  shape: PickleItem | undefined,
  type: PickleItem | undefined,
  isFortran: boolean,
  contents: PickleItem | undefined,
): NumpyArray | undefined {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0))
    return undefined;
  const sizes = shape as number[];
  const count = sizes.reduce((product, size) => product * size, 1);
  if (!isType(type) || !(contents instanceof Uint8Array)) return undefined;
  if (contents.length !== count * elementBytes(type)) return undefined;
  return numpyArray(sizes, numbersOf(type, contents), isFortran);
}

/** Whether an item is data, looking at itself alone. */
export function isValue(item: PickleItem): item is PickleValue {
  return !isGlobal(item) && !isType(item) && !isUnfinished(item) && (!hasKind(item, "array") || isNumpyArray(item));
}

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readPickle } from "./read-pickle.js";
import { isNumpyArray, type PickleValue } from "./values.js";

// Pickles by Python and NumPy (oracles/hwnas-pickle.py).
const { values, cases } = JSON.parse(readFileSync(new URL("./pickles.golden.json", import.meta.url), "utf8")) as {
  values: Record<string, unknown>;
  cases: { name: string; of: string; base64: string }[];
};

/** In the oracle's JSON form. */
function plain(value: PickleValue): unknown {
  if (isNumpyArray(value)) return { shape: value.shape, values: [...value.values] };
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "number" && !Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

it.each(cases)("reads $name", ({ of, base64 }) => {
  expect(plain(readPickle(Buffer.from(base64, "base64")))).toEqual(values[of]);
});

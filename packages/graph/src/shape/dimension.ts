// Arithmetic on sizes of which some are known by name only.

import type { Dimension, Shape } from "../ir/graph.js";

/** The size that two equal sizes have, or undefined when they surely differ. A number says more than a name. */
export function commonSize(a: Dimension, b: Dimension): Dimension | undefined {
  if (a === b) return a;
  if (typeof a === "number" && typeof b === "number") return undefined;
  return typeof b === "number" ? b : a;
}

/** The size of two broadcast sizes; undefined when they do not fit. Two different names give a new one. */
export function broadcastSize(a: Dimension, b: Dimension, unknown: () => string): Dimension | undefined {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === "number") return typeof b === "number" ? undefined : a;
  return typeof b === "number" ? b : unknown();
}

/** Shapes broadcast against each other as in ONNX and NumPy, or undefined when they do not fit. */
export function broadcastShapes(shapes: readonly Shape[], unknown: () => string): Shape | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    let size: Dimension | undefined = 1;
    for (const shape of shapes) {
      const own = shape[shape.length - rank + axis];
      if (own === undefined) continue;
      size = broadcastSize(size, own, unknown);
      if (size === undefined) return undefined;
    }
    result.push(size);
  }
  return result;
}

/** A product of sizes: a number times names. */
interface Product {
  readonly factor: number;
  /** Sorted. */
  readonly names: readonly string[];
}

function toProduct(sizes: readonly Dimension[]): Product {
  let factor = 1;
  const names: string[] = [];
  for (const size of sizes) {
    if (typeof size === "number") {
      factor *= size;
      continue;
    }
    // A name that productSize made is taken apart again, so that merging axes and splitting them gives the sizes back.
    for (const part of factorNames(size)) {
      if (/^\d+$/.test(part)) factor *= Number(part);
      else names.push(part);
    }
  }
  return { factor, names: names.sort() };
}

/** The factors of a name such as `16*batch`: its parts between the `*` that stand outside parentheses. */
function factorNames(name: string): readonly string[] {
  const parts = [""];
  let depth = 0;
  for (const character of name) {
    if (character === "*" && depth === 0) {
      parts.push("");
      continue;
    }
    if (character === "(") depth++;
    if (character === ")") depth--;
    parts[parts.length - 1] += character;
  }
  return parts;
}

function toDimension({ factor, names }: Product): Dimension {
  if (names.length === 0 || factor === 0) return factor;
  return factor === 1 ? names.join("*") : `${factor}*${names.join("*")}`;
}

/** Product of sizes; with names among them a name such as `16*batch`. */
export function productSize(sizes: readonly Dimension[]): Dimension {
  return toDimension(toProduct(sizes));
}

/** Product of some sizes over the product of others; undefined when the division is not known to be exact. */
export function quotientSize(sizes: readonly Dimension[], divisors: readonly Dimension[]): Dimension | undefined {
  const dividend = toProduct(sizes);
  const divisor = toProduct(divisors);
  const names = [...dividend.names];
  for (const name of divisor.names) {
    const index = names.indexOf(name);
    if (index < 0) return undefined;
    names.splice(index, 1);
  }
  const factor = dividend.factor / divisor.factor;
  return Number.isInteger(factor) ? toDimension({ factor, names }) : undefined;
}

/** floor((size + offset) / step) + 1 by name; equal windows over equal names give equal names. */
export function windowSizeName(size: string, offset: number, step: number): string {
  const shifted = offset === 0 ? `(${size})` : `(${size}${offset > 0 ? "+" : "-"}${Math.abs(offset)})`;
  return step === 1 ? `(${size}${offset + 1 > 0 ? "+" : "-"}${Math.abs(offset + 1)})` : `(floor(${shifted}/${step})+1)`;
}

/** The shape with one axis replaced. */
export function withAxis(shape: Shape, axis: number, size: Dimension): Shape {
  return shape.map((own, index) => (index === axis ? size : own));
}

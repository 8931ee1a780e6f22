// How many bits a value takes where it is stored, read out of annotations, integer types and QuantizeLinear pairs.

import { elementTypes, type TensorAnnotation } from "@dovetail/graph";
import type { GraphFacts } from "./facts.js";

// Values leave these as they came in.
const copying = new Set(["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Dropout"]);

// What leaves these is on the same grid of values as what came in: zeros are added, values left out or moved.
const gridKeeping = new Set([
  ...copying,
  "Relu",
  "MaxPool",
  "GlobalMaxPool",
  "Slice",
  "Split",
  "Gather",
  "Pad",
  "Expand",
  "Tile",
  "DepthToSpace",
  "SpaceToDepth",
]);

// Done on the way from the accumulator to the memory, before the result is stored.
const fusedIntoOutput = new Set([
  "Identity",
  "Relu",
  "LeakyRelu",
  "PRelu",
  "Clip",
  "HardSwish",
  "HardSigmoid",
  "Sigmoid",
  "Tanh",
  "BatchNormalization",
]);

/** What is annotated on a value or on that of which it is a mere view; the nearer annotation goes before. */
export function annotationOf(facts: GraphFacts, name: string): TensorAnnotation | undefined {
  let merged: TensorAnnotation | undefined;
  for (let current: string | undefined = name; current; ) {
    const own = facts.graph.annotations.get(current);
    if (own) merged = { ...own, ...merged };
    const node = facts.producer(current);
    current = node && copying.has(node.operator) ? node.inputs[0] : undefined;
  }
  return merged;
}

/** Bits of a value that is read; undefined for a floating-point one of which nothing is said. */
export function readBitWidth(facts: GraphFacts, name: string): number | undefined {
  for (let current: string | undefined = name; current; ) {
    const known = ownBitWidth(facts, current);
    if (known !== undefined) return known;
    const node = facts.producer(current);
    if (node?.operator === "DequantizeLinear") return readBitWidth(facts, node.inputs[0]!);
    current = node && gridKeeping.has(node.operator) ? node.inputs[0] : undefined;
  }
  return undefined;
}

/** Bits of a value as it is stored after what is fused behind it; undefined where nothing is said or users disagree. */
export function storedBitWidth(facts: GraphFacts, name: string): number | undefined {
  const known = ownBitWidth(facts, name);
  if (known !== undefined) return known;
  const widths = facts.consumers(name).map((node) => {
    if (node.operator === "QuantizeLinear") return readBitWidth(facts, node.outputs[0]!);
    const fused = fusedIntoOutput.has(node.operator) && node.inputs[0] === name;
    return fused ? storedBitWidth(facts, node.outputs[0]!) : undefined;
  });
  return widths.every((width) => width === widths[0]) ? widths[0] : undefined;
}

function ownBitWidth(facts: GraphFacts, name: string): number | undefined {
  const annotated = facts.graph.annotations.get(name)?.bitWidth;
  if (annotated !== undefined) return annotated;
  const { bits, isFloat } = elementTypes[facts.type(name).elementType];
  return isFloat ? undefined : bits;
}

/** Bits of the element type itself. */
export function elementBits(facts: GraphFacts, name: string): number {
  return elementTypes[facts.type(name).elementType].bits;
}

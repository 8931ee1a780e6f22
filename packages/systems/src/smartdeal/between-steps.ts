// What a training keeps from one step to the next in the place of its layers' weights, read from its checkpoints.

import { elementCount, type Tensor } from "@dovetail/graph";
import type { Network, ParameterRole } from "@dovetail/models";
import { codeBits } from "./codes.js";
import { coefficientState, type Method } from "./methods.js";
import type { KeptWeights } from "./training-energy.js";

/** A tensor of a layer's weight. */
export interface KeptTensor {
  /** What follows the weight's name: `coefficients`, `coefficients:counter`, `basis`, …; `weight` for the weight itself. */
  readonly tensor: string;
  readonly elementType: string;
  readonly elements: number;
  /** What they take with every value at its width, rows that are zero for good as a bit each. */
  readonly bits: number;
}

export interface BetweenSteps {
  /** By the name of the weight. */
  readonly layers: Readonly<Record<string, readonly KeptTensor[]>>;
  /** See `floatWeightValues`: the most of all checkpoints. */
  readonly floatWeights: number;
}

/** Roles of parameters that are no weights and stand for none. */
const others: ReadonlySet<ParameterRole> = new Set<ParameterRole>([
  "bias",
  "scale",
  "shift",
  "runningMean",
  "runningVariance",
  "activationRange",
  "mask",
]);

/**
 * Values that stand for weights other than by codes and bases: all values of a checkpoint but int8 coefficients, bases,
 * what stands for no weight, and the optimizer's memory of any of these. A tensor that nothing is known of counts.
 */
export function floatWeightValues(
  { parameters }: Pick<Network, "parameters">,
  tensors: ReadonlyMap<string, Tensor>,
): number {
  const roles = new Map(parameters.map(({ name, role }) => [name, role]));
  const counts = ([name, tensor]: readonly [string, Tensor]): boolean => {
    const role = roles.get(name);
    if (role === undefined) return !roles.has(name.slice(0, name.lastIndexOf(":")));
    if (role === "basis" || others.has(role)) return false;
    return role !== "coefficient" || tensor.elementType !== "int8";
  };
  return [...tensors].filter(counts).reduce((sum, [, { dimensions }]) => sum + elementCount(dimensions), 0);
}

/** The tensors of a checkpoint, by layer; `kept` are the sizes of factors. */
export function keptTensors(
  network: Pick<Network, "parameters">,
  tensors: ReadonlyMap<string, Tensor>,
  { method, kept }: { readonly method: Method; readonly kept: Readonly<Record<string, KeptWeights>> },
): BetweenSteps["layers"] {
  const weights = network.parameters.filter(({ role }) => role === "weight").map(({ name }) => name);
  return Object.fromEntries(
    weights.map((weight) => [
      weight,
      [...tensors]
        .filter(([name]) => name === weight || name.startsWith(`${weight}:`))
        .map(([name, { elementType, dimensions }]) => {
          const tensor = name.slice(weight.length + 1) || "weight";
          const elements = elementCount(dimensions);
          return { tensor, elementType, elements, bits: bitsOf(tensor, elementType, elements, method, kept[weight]) };
        }),
    ]),
  );
}

function bitsOf(
  tensor: string,
  elementType: string,
  elements: number,
  method: Method,
  kept: KeptWeights | undefined,
): number {
  if (!kept || method.kind === "dense" || tensor.startsWith("basis")) return 32 * elements;
  const { keptRows, columns, rows } = kept;
  const marks = tensor === "coefficients" ? rows : 0;
  return keptRows * columns * coefficientBits(tensor, elementType, method) + marks;
}

function coefficientBits(tensor: string, elementType: string, method: Exclude<Method, { kind: "dense" }>): number {
  switch (tensor) {
    case "coefficients":
      return elementType === "int8" ? codeBits : 32;
    case "coefficients:counter":
      return coefficientState(method).ownBits;
    case "mask":
      return 1;
    default:
      return 32;
  }
}

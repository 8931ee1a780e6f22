// Modelled energy of an image's inference, and of its part in a step of training.

import { createRandomStream, inputError } from "@dovetail/core";
import { elementCount } from "@dovetail/graph";
import {
  type Architecture,
  type ArithmeticKind,
  createMappingCache,
  dram,
  eyerissLike,
  mapNetwork,
  type OperationTable,
  operationEnergy,
} from "@dovetail/hardware";
import type { Network, ParameterSpec } from "@dovetail/models";
import { weightKinds } from "./networks.js";
import type { Precision } from "./precision.js";
import { type Product, type ProductRole, productsOf, shiftWeightBits } from "./products.js";

/** Energy of arithmetic, and of all accesses to memories: scratchpads, global buffer, DRAM. */
export interface EnergyPart {
  readonly operationsPj: number;
  /** Of `operationsPj`, the points of which one operand is a shift weight: what a unit saves that skips its zeros. */
  readonly shiftPj: number;
  readonly memoryPj: number;
}

/**
 * A table of unit energies; `interpolated45` is `operators45` with integers of 9 to 31 bit between its figures of 8 and 32:
 * shifts in proportion to their bits, multiplications to their square.
 */
export type EnergyTable = OperationTable | "interpolated45";

/** How a parameter is updated: SGD with momentum and weight decay, or RAdam. */
export type UpdateRule = "sgd" | "radam";

export interface EnergyFigures {
  /** Of an image's inference. */
  readonly inference: EnergyPart;
  /** Of an image in training: the three products, and the image's share of the update. */
  readonly training: EnergyPart & { readonly byPart: Readonly<Record<ProductRole | "update", EnergyPart>> };
}

export interface EnergyOptions {
  readonly network: Network;
  readonly precision: Precision;
  readonly table: EnergyTable;
  /** Images of a batch share an update. */
  readonly batchSize: number;
  /** By the parameter's role; SGD by default. */
  readonly updateRuleOf?: ((role: ParameterSpec["role"]) => UpdateRule) | undefined;
}

const evaluations = 200;
const partialSumBits = 24;

/** Results of mappings, for all tables and networks. */
const cache = createMappingCache();

/**
 * Energy on an Eyeriss-like array of 12 × 14 elements whose unit is of the layer's kind: accesses of the mapping of least
 * energy that 200 evaluations find for each product, scratchpads as wide as their tensors, one image at a time; LPDDR4.
 * Every product moves its operands, those of add layers too; of an add layer's error product, Σ dY · clamp(w − x), the third
 * one, x, comes from DRAM once and passes the global buffer. Points cost what `operationEnergy` says; an error of an add layer
 * is a multiplication with half of an add point's two additions beside it. The update is in 32 bit: SGD reads weight,
 * gradient and momentum and writes two of them, with three multiplications and additions; RAdam has two more accesses for its
 * second memory, and nine (its root and division as one each). Normalization, ReLU, pooling and quantizers are left out: they
 * are much the same in all of the networks.
 *
 * Synthesised units above 8 bit have no figures: shifts of 16 bit are charged as of 8, which favours them.
 *
 * Throws `no_energy_data` for a table without figures for the format, `layer_unmapped` where a product fits no memory.
 */
export function networkEnergy(options: EnergyOptions): EnergyFigures {
  const { network, precision, table } = options;
  const parts: Record<ProductRole | "update", EnergyPart> = {
    forward: nothing,
    error: nothing,
    weightGradient: nothing,
    update: update(options),
  };
  for (const product of productsOf(network, precision)) {
    const operationsPj = product.points * pointPj(product, precision, table);
    parts[product.role] = sum(parts[product.role], {
      operationsPj,
      shiftPj: product.operation === "shift" ? operationsPj : 0,
      memoryPj: memoryPj(product, precision),
    });
  }
  const training = Object.values(parts).reduce(sum, nothing);
  return { inference: parts.forward, training: { ...training, byPart: parts } };
}

const nothing: EnergyPart = { operationsPj: 0, shiftPj: 0, memoryPj: 0 };

const sum = (a: EnergyPart, b: EnergyPart): EnergyPart => ({
  operationsPj: a.operationsPj + b.operationsPj,
  shiftPj: a.shiftPj + b.shiftPj,
  memoryPj: a.memoryPj + b.memoryPj,
});

function pointPj({ role, layer, operation, bitWidth }: Product, { format }: Precision, table: EnergyTable): number {
  const of = (kind: ArithmeticKind): number => unitPj(kind, bitWidth, format, table);
  return of(operation) + (role === "error" && layer === "add" ? of("add") / 2 : 0);
}

/** Energy of a point with its accumulation. */
function unitPj(operation: ArithmeticKind, bitWidth: number, format: Precision["format"], table: EnergyTable): number {
  if (table === "interpolated45") return interpolatedPj(operation, bitWidth, format);
  const width = table === "synthesised45" && operation !== "multiply" ? Math.min(bitWidth, 8) : bitWidth;
  return operationEnergy({ operation, bitWidth: width, format, table }).energyPj;
}

function interpolatedPj(operation: ArithmeticKind, bitWidth: number, format: Precision["format"]): number {
  const pointOf = (kind: ArithmeticKind, bits: number): number => unitPj(kind, bits, format, "operators45");
  if (operation === "add" || format === "float" || bitWidth <= 8) return pointOf(operation, bitWidth);
  // A point of an add layer is two additions; the others accumulate by one.
  const addition = (bits: number): number => pointOf("add", bits) / 2;
  const [narrow, wide] = [8, 32].map((bits) => pointOf(operation, bits) - addition(bits)) as [number, number];
  const power = operation === "multiply" ? 2 : 1;
  const place = (bitWidth ** power - 8 ** power) / (32 ** power - 8 ** power);
  return narrow + place * (wide - narrow) + addition(bitWidth);
}

function memoryPj({ problem, thirdOperandBits }: Product, { format }: Precision): number {
  const bits = (name: string): number => problem.dataSpaces.find((space) => space.name === name)!.bitWidth;
  const architecture = eyerissLike({
    weightBitWidth: bits("Weights"),
    activationBitWidth: bits("Inputs"),
    partialSumBitWidth: format === "float" ? 32 : partialSumBits,
  });
  const random = createRandomStream(0);
  const mapped = mapNetwork([{ problem }], architecture, { random, objective: "energy", evaluations, cache });
  const [layer] = mapped.layers;
  if (!layer?.ok) {
    throw inputError("layer_unmapped", `product ${problem.name} has no mapping on ${architecture.name}`, {
      expected: "a tile that fits the memories",
      received: layer?.rejection.reason ?? "none",
    });
  }
  return layer.cost.levels.reduce(
    (total, { accessEnergyPj }) => total + accessEnergyPj,
    thirdOperandBits * readThroughBufferPj(architecture),
  );
}

/** Energy of a bit that is read from DRAM, written to the global buffer and read there once. */
function readThroughBufferPj({ levels }: Architecture): number {
  const { widthBits, readPj, writePj } = levels.find(({ name }) => name === "globalBuffer")!.storage!;
  return dram({ kind: "LPDDR4" }).energyPjPerBit + (readPj + writePj) / widthBits;
}

/** Accesses and multiplications with additions that a parameter's update takes. */
const updates: Readonly<Record<UpdateRule, { readonly accesses: number; readonly points: number }>> = {
  sgd: { accesses: 5, points: 3 },
  radam: { accesses: 7, points: 9 },
};

/** An image's share of an update in float32. */
function update({ network, table, batchSize, updateRuleOf = () => "sgd" }: EnergyOptions): EnergyPart {
  const source = table === "operatorsZc706" ? table : "operators45";
  const pointPj = operationEnergy({ operation: "multiply", bitWidth: 32, format: "float", table: source }).energyPj;
  const accessPj = 32 * dram({ kind: "LPDDR4" }).energyPjPerBit;
  return network.parameters
    .filter(({ trainable }) => trainable)
    .map(({ role, shape }) => {
      const { accesses, points } = updates[updateRuleOf(role)];
      const share = elementCount(shape) / batchSize;
      return { operationsPj: share * points * pointPj, shiftPj: 0, memoryPj: share * accesses * accessPj };
    })
    .reduce(sum, nothing);
}

/** Bits that the weights of a network's layers take; normalizations and biases are not counted. */
export function weightBits(network: Network, precision: Precision): number {
  const widths = precision.format === "float" ? { add: 32, multiply: 32 } : precision;
  return [...weightKinds(network)].reduce((sum, [name, kind]) => {
    const shape = network.graph.types.get(name)!.shape as readonly number[];
    return sum + shape.reduce((count, size) => count * size, 1) * (kind === "shift" ? shiftWeightBits : widths[kind]);
  }, 0);
}

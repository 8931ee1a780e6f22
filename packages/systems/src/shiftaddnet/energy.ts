// Modelled energy of an image's inference, and of its part in a step of training.

import { createRandomStream, inputError } from "@dovetail/core";
import {
  createMappingCache,
  dram,
  eyerissLike,
  mapNetwork,
  type OperationTable,
  operationEnergy,
} from "@dovetail/hardware";
import { type Network, parameterCount } from "@dovetail/models";
import { weightKinds } from "./networks.js";
import { type Precision, type Product, type ProductRole, productsOf, shiftWeightBits } from "./products.js";

/** Energy of arithmetic, and of all accesses to memories: scratchpads, global buffer, DRAM. */
export interface EnergyPart {
  readonly operationsPj: number;
  readonly memoryPj: number;
}

export interface EnergyFigures {
  /** Of an image's inference. */
  readonly inference: EnergyPart;
  /** Of an image in training: the three products, and the image's share of the update. */
  readonly training: EnergyPart & { readonly byPart: Readonly<Record<ProductRole | "update", EnergyPart>> };
}

export interface EnergyOptions {
  readonly network: Network;
  readonly precision: Precision;
  readonly table: OperationTable;
  /** Images of a batch share an update. */
  readonly batchSize: number;
}

const evaluations = 200;
const partialSumBits = 24;

/** Results of mappings, for all tables and networks. */
const cache = createMappingCache();

/**
 * Energy on an Eyeriss-like array of 12 × 14 elements whose unit is of the layer's kind: accesses of the mapping of least
 * energy that 200 evaluations find for each product, scratchpads as wide as their tensors, one image at a time; LPDDR4.
 * Every product moves its operands, those of add layers too. Points cost what `operationEnergy` says; an error of an add layer
 * is a multiplication with half of an add point's two additions beside it. The update reads weight, gradient and momentum
 * and writes two of them in 32 bit, with three multiplications and additions. Normalization, ReLU, pooling and quantizers
 * are left out: they are much the same in all of the networks.
 *
 * Synthesised units above 8 bit have no figures: shifts of 16 bit are charged as of 8, which favours them.
 *
 * Throws `no_energy_data` for a table without figures for the format, `layer_unmapped` where a product fits no memory.
 */
export function networkEnergy({ network, precision, table, batchSize }: EnergyOptions): EnergyFigures {
  const parts: Record<ProductRole | "update", EnergyPart> = {
    forward: nothing,
    error: nothing,
    weightGradient: nothing,
    update: update(network, table, batchSize),
  };
  for (const product of productsOf(network, precision)) {
    parts[product.role] = sum(parts[product.role], {
      operationsPj: product.points * pointPj(product, precision, table),
      memoryPj: memoryPj(product, precision),
    });
  }
  const training = Object.values(parts).reduce(sum, nothing);
  return { inference: parts.forward, training: { ...training, byPart: parts } };
}

const nothing: EnergyPart = { operationsPj: 0, memoryPj: 0 };

const sum = (a: EnergyPart, b: EnergyPart): EnergyPart => ({
  operationsPj: a.operationsPj + b.operationsPj,
  memoryPj: a.memoryPj + b.memoryPj,
});

function pointPj({ role, layer, operation, bitWidth }: Product, { format }: Precision, table: OperationTable): number {
  const isSynthesised = table === "synthesised45";
  const of = (kind: Product["operation"]): number =>
    operationEnergy({
      operation: kind,
      bitWidth: isSynthesised && kind !== "multiply" ? Math.min(bitWidth, 8) : bitWidth,
      format,
      table,
    }).energyPj;
  return of(operation) + (role === "error" && layer === "add" ? of("add") / 2 : 0);
}

function memoryPj({ problem }: Product, { format }: Precision): number {
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
  return layer.cost.levels.reduce((total, { accessEnergyPj }) => total + accessEnergyPj, 0);
}

/** An image's share of an update by SGD with momentum and weight decay, in float32. */
function update(network: Network, table: OperationTable, batchSize: number): EnergyPart {
  const trained = parameterCount(network, { trainableOnly: true });
  const source = table === "synthesised45" ? "operators45" : table;
  const point = operationEnergy({ operation: "multiply", bitWidth: 32, format: "float", table: source }).energyPj;
  const accesses = 5;
  return {
    operationsPj: (3 * trained * point) / batchSize,
    memoryPj: (accesses * trained * 32 * dram({ kind: "LPDDR4" }).energyPjPerBit) / batchSize,
  };
}

/** Bits that the weights of a network's layers take; normalizations and biases are not counted. */
export function weightBits(network: Network, precision: Precision): number {
  const widths = precision.format === "float" ? { add: 32, multiply: 32 } : precision;
  return [...weightKinds(network)].reduce((sum, [name, kind]) => {
    const shape = network.graph.types.get(name)!.shape as readonly number[];
    return sum + shape.reduce((count, size) => count * size, 1) * (kind === "shift" ? shiftWeightBits : widths[kind]);
  }, 0);
}

import { type DataMove, dataMoves, unitsOf, type ZigZagAccelerator } from "./accelerator.js";
import { layerMacs, type ZigZagLayer } from "./layer.js";
import type { SpatialMapping, ZigZagMappingEntry } from "./mapping.js";
import { type OperandTable, operandTables } from "./operands.js";
import { effectiveUnrolling, type UnrolledLevels, unrolledLevels } from "./unrolling.js";

/** Position of each move in the tables of transfers. */
export const moveIndex: Readonly<Record<DataMove, number>> = {
  readToLow: 0,
  writeFromLow: 1,
  readToHigh: 2,
  writeFromHigh: 3,
};

/** A memory level of an operand, with the ports that its moves take. Slot 4·level + move, over all operands. */
export interface LevelTable {
  readonly operand: number;
  /** Level of the operand, 0 the innermost. */
  readonly level: number;
  readonly memory: number;
  readonly sizeBits: number;
  readonly readPj: number;
  readonly writePj: number;
  /** By move; 0 where no port serves it. */
  readonly minBits: Float64Array;
  readonly maxBits: Float64Array;
  /** Levels, as indices of the table, that lie in the same memory, this one included. */
  readonly sharing: readonly number[];
}

/** A physical port that carries something. */
export interface PortTable {
  readonly memory: number;
  readonly name: string;
  readonly bitsPerCycle: number;
  /** Slots that go through it, operand by operand. */
  readonly slots: readonly number[];
  /** Both inputs go through it. */
  readonly sharedByInputs: boolean;
}

export interface PreparedOperand extends OperandTable {
  /** Index of its first level in the table of levels; the others follow. */
  readonly firstLevel: number;
  readonly levels: number;
  /** By units in effect: with their fraction for energies, without it for latencies. */
  readonly fractional: UnrolledLevels;
  readonly whole: UnrolledLevels;
}

/** A layer on an accelerator under a spatial mapping: all that does not depend on the order in time. */
export interface PreparedLayer {
  readonly layer: ZigZagLayer;
  readonly accelerator: ZigZagAccelerator;
  readonly spatial: SpatialMapping;
  readonly dimensions: readonly string[];
  readonly macs: number;
  /** Cycles with all multipliers at work. */
  readonly idealCycles: number;
  readonly operands: readonly PreparedOperand[];
  readonly levels: readonly LevelTable[];
  readonly ports: readonly PortTable[];
  /** Iterations in time, by dimension. */
  readonly temporalSizes: Int32Array;
  /** No fraction is anywhere: both unrollings are the same. */
  readonly isExact: boolean;
}

/** Gathers the tables of a layer on an accelerator under a spatial mapping. */
export function prepareLayer(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  links: ZigZagMappingEntry["links"],
  spatial: SpatialMapping,
): PreparedLayer {
  const unrolling = effectiveUnrolling(layer, accelerator, spatial);
  let firstLevel = 0;
  const operands = operandTables(layer, accelerator, links).map((table): PreparedOperand => {
    const operand = {
      ...table,
      firstLevel,
      levels: table.memories.length,
      fractional: unrolledLevels(table, unrolling.fractional, accelerator),
      whole: unrolledLevels(table, unrolling.whole, accelerator),
    };
    firstLevel += operand.levels;
    return operand;
  });
  const macs = layerMacs(layer);
  return {
    layer,
    accelerator,
    spatial,
    dimensions: Object.keys(layer.dimensions),
    macs,
    idealCycles: Math.ceil(macs / unitsOf(accelerator)),
    operands,
    levels: levelTables(operands, accelerator),
    ports: portTables(operands, accelerator),
    temporalSizes: unrolling.temporalSizes,
    isExact: unrolling.fractional.every(({ factor }, index) => factor === unrolling.whole[index]!.factor),
  };
}

function levelTables(operands: readonly PreparedOperand[], { memories }: ZigZagAccelerator): LevelTable[] {
  const places = operands.flatMap((operand, index) =>
    operand.memories.map((memory, level) => ({ operand, index, level, memory })),
  );
  return places.map(({ operand, index, level, memory }) => {
    const { sizeBits, readPj, writePj, ports } = memories[memory]!;
    const minBits = new Float64Array(dataMoves.length);
    const maxBits = new Float64Array(dataMoves.length);
    for (const { transfers, minBitsPerCycle, maxBitsPerCycle } of ports) {
      for (const transfer of transfers) {
        if (transfer.operand !== operand.memoryOperand) continue;
        minBits[moveIndex[transfer.move]] = minBitsPerCycle;
        maxBits[moveIndex[transfer.move]] = maxBitsPerCycle;
      }
    }
    const sharing = places.flatMap((place, at) => (place.memory === memory ? [at] : []));
    return { operand: index, level, memory, sizeBits, readPj, writePj, minBits, maxBits, sharing };
  });
}

function portTables(operands: readonly PreparedOperand[], { memories }: ZigZagAccelerator): PortTable[] {
  return memories.flatMap((memory, index) =>
    memory.ports.map(({ name, maxBitsPerCycle, transfers }): PortTable => {
      const slots = memory.operands.flatMap((memoryOperand) => {
        const operand = operands.find((candidate) => candidate.memoryOperand === memoryOperand);
        if (operand === undefined) return [];
        const level = operand.firstLevel + operand.memories.indexOf(index);
        return transfers
          .filter((transfer) => transfer.operand === memoryOperand)
          .map(({ move }) => level * dataMoves.length + moveIndex[move]);
      });
      const inputs = new Set(transfers.map(({ operand }) => operand).filter((operand) => operand !== "O"));
      return { memory: index, name, bitsPerCycle: maxBitsPerCycle, slots, sharedByInputs: inputs.size > 1 };
    }),
  );
}

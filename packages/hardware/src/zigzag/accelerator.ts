// ZigZag's view of hardware: an array of multipliers, and memories from the innermost to the outermost. Each memory
// holds some of the three memory operands and moves them through ports.

/** What a memory may hold: two inputs and the output. Which tensor of a layer is which, the mapping says. */
export type MemoryOperand = "I1" | "I2" | "O";

export const memoryOperands: readonly MemoryOperand[] = ["I1", "I2", "O"];

/** The four ways in which data pass a memory, seen from it: "low" is towards the multipliers. */
export const dataMoves = ["readToLow", "writeFromLow", "readToHigh", "writeFromHigh"] as const;

export type DataMove = (typeof dataMoves)[number];

export interface ZigZagPort {
  readonly name: string;
  readonly kind: "read" | "write" | "readWrite";
  /** Least that one access takes. */
  readonly minBitsPerCycle: number;
  /** Most that one access takes; the memory's energies are for that much. */
  readonly maxBitsPerCycle: number;
  /** What goes through the port. */
  readonly transfers: readonly { readonly operand: MemoryOperand; readonly move: DataMove }[];
}

export interface ZigZagMemory {
  readonly name: string;
  readonly sizeBits: number;
  /** Energy of one access of a port's full width. */
  readonly readPj: number;
  readonly writePj: number;
  /** Area in the unit of the file (ZigZag gives none). */
  readonly area?: number | undefined;
  readonly operands: readonly MemoryOperand[];
  readonly ports: readonly ZigZagPort[];
  /** Dimensions of the array along which one instance serves all units; along the others there is an instance each. */
  readonly servedDimensions: readonly string[];
}

export interface ArrayDimension {
  readonly name: string;
  readonly size: number;
}

export interface ZigZagAccelerator {
  readonly name: string;
  /** Innermost first; for each operand that is the order of its levels. */
  readonly memories: readonly ZigZagMemory[];
  readonly array: {
    readonly dimensions: readonly ArrayDimension[];
    /** Energy of one multiply-accumulate. */
    readonly unitEnergyPj: number;
    readonly unitArea?: number | undefined;
  };
}

/** Indices of the memories that hold an operand, innermost first. */
export function memoriesOf({ memories }: ZigZagAccelerator, operand: MemoryOperand): number[] {
  return memories.flatMap((memory, index) => (memory.operands.includes(operand) ? [index] : []));
}

/** The port of a memory that a move of an operand goes through, if any. */
export function portOf({ ports }: ZigZagMemory, operand: MemoryOperand, move: DataMove): ZigZagPort | undefined {
  return ports.find(({ transfers }) =>
    transfers.some((transfer) => transfer.operand === operand && transfer.move === move),
  );
}

/** Multipliers of the array. */
export function unitsOf({ array }: ZigZagAccelerator): number {
  return array.dimensions.reduce((product, { size }) => product * size, 1);
}

import type { Architecture, ArchitectureLevel } from "../architecture/architecture.js";
import { operationPj } from "../cost/rates.js";
import type { Mapping } from "../mapping/mapping.js";
import type { DataSpace, Problem } from "../workload/problem.js";
import type { Rank } from "../workload/projection.js";
import type { MemoryOperand, ZigZagAccelerator, ZigZagMemory, ZigZagPort } from "../zigzag/accelerator.js";
import { dataMoves } from "../zigzag/accelerator.js";
import type { ZigZagQuestion } from "../zigzag/cost.js";
import type { LayerOperand, RankRelation, ZigZagLayer } from "../zigzag/layer.js";

// A loop nest on a chain of levels, said in ZigZag's terms. Each fan-out axis becomes a dimension of the array, each level
// with storage a memory that serves the axes inside it, each level's end a cut that all operands have in common.

/** A question to ZigZag's model with what it leaves out of the architecture, or why there is none. */
export type AsZigZag =
  | { readonly ok: true; readonly question: ZigZagQuestion; readonly leftOut: readonly string[] }
  | { readonly ok: false; readonly why: string };

/** A memory whose bandwidth nobody states moves so much in a cycle. */
const UNBOUNDED_BITS = 2 ** 30;

/** The mapping must have no remainders; the dimensions of size 1 should be dropped before. */
export function asZigZag(problem: Problem, architecture: Architecture, mapping: Mapping): AsZigZag {
  const results = problem.dataSpaces.filter(({ readWrite }) => readWrite);
  const operands = problem.dataSpaces.filter(({ readWrite }) => !readWrite);
  const [result] = results;
  if (result === undefined || results.length > 1 || operands.length !== 2) {
    return no("ZigZag's layers have two operands and one result");
  }
  if (problem.dataSpaces.some(({ projection }) => projection.some((rank) => rank.length > 2))) {
    return no("ZigZag's ranks have two dimensions at most");
  }
  if (result.projection.some((rank) => rank.length !== 1 || rank[0]!.coefficient !== 1)) {
    return no("ZigZag's results have ranks of one dimension");
  }
  const outermost = mapping.levels[0]!;
  if (problem.dataSpaces.some(({ name }) => !outermost.keep.includes(name))) {
    return no("in ZigZag every tensor lies in the outermost memory");
  }
  const links: Record<string, MemoryOperand> = {
    [operands[0]!.name]: "I1",
    [operands[1]!.name]: "I2",
    [result.name]: "O",
  };
  return {
    ok: true,
    leftOut: leftOut(problem, architecture, mapping),
    question: {
      layer: layerOf(problem, operands, result),
      accelerator: acceleratorOf(problem, architecture, mapping, links),
      links,
      spatial: Object.fromEntries(
        axesOf(architecture, mapping, 0).flatMap(({ name, loops }) =>
          loops.length === 0 ? [] : [[name, loops.map(({ dimension, bound }) => ({ dimension, factor: bound }))]],
        ),
      ),
      temporal: temporalOf(problem, mapping),
    },
  };
}

/** What an architecture says and ZigZag's hardware cannot. */
function leftOut({ dataSpaces }: Problem, { levels, compute }: Architecture, mapping: Mapping): string[] {
  const words = levels.flatMap(({ name, storage }, index) =>
    dataSpaces
      .filter((space) => mapping.levels[index]!.keep.includes(space.name))
      .filter(({ bitWidth }) => (storage?.wordBits ?? bitWidth) !== bitWidth)
      .map((space) => `${name} holds ${space.name} as words of ${storage!.wordBits} bits, ZigZag of ${space.bitWidth}`),
  );
  const leaks = levels.some(({ storage }) => storage?.leakagePjPerCycle) || compute.leakagePjPerCycle;
  const ports = levels.flatMap(({ name, storage = undefined }) =>
    storage && (storage.readBitsPerCycle ?? 0) !== (storage.writeBitsPerCycle ?? 0)
      ? [`${name}'s ports have the bandwidth of the slower one in ZigZag`]
      : [],
  );
  return [...words, ...ports, ...(leaks ? ["leakage is not in ZigZag's energy"] : [])];
}

function no(why: string): AsZigZag {
  return { ok: false, why };
}

function layerOf(problem: Problem, operands: readonly DataSpace[], result: DataSpace): ZigZagLayer {
  const relations: RankRelation[] = [];
  const rankName = (rank: Rank): string => {
    const [a, b] = rank;
    if (b === undefined) return a!.dimension;
    const name = `${a!.dimension}_${b.dimension}_${relations.length}`;
    const size = rank.reduce(
      (extent, term) => extent + term.coefficient * (problem.dimensions[term.dimension]! - 1),
      1,
    );
    relations.push({ rank: name, a: a!, b, size });
    return name;
  };
  const operandOf = ({ name, projection, bitWidth }: DataSpace): LayerOperand => ({
    name,
    ranks: projection.map(rankName),
    bits: bitWidth,
  });
  return {
    id: 0,
    name: problem.name,
    operator: "Conv",
    dimensions: problem.dimensions,
    output: { ...operandOf(result), finalBits: result.bitWidth },
    inputs: operands.map(operandOf),
    relations,
    sources: {},
  };
}

interface Axis {
  readonly name: string;
  readonly size: number;
  readonly loops: Mapping["levels"][number]["spatialX"];
}

/** Axes of the fan-outs from a level on inwards, innermost first. */
function axesOf({ levels }: Architecture, mapping: Mapping, from: number): Axis[] {
  return levels
    .slice(from)
    .flatMap(({ name, fanout }, index) => {
      const { spatialX, spatialY } = mapping.levels[from + index]!;
      return [
        { name: `${name}.y`, size: fanout?.y ?? 1, loops: spatialY },
        { name: `${name}.x`, size: fanout?.x ?? 1, loops: spatialX },
      ];
    })
    .filter(({ size }) => size > 1)
    .reverse();
}

function acceleratorOf(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  links: Readonly<Record<string, MemoryOperand>>,
): ZigZagAccelerator {
  const memories = architecture.levels.flatMap((level, index): ZigZagMemory[] => {
    const operands = mapping.levels[index]!.keep.map((name) => links[name]!);
    if (level.storage === undefined || operands.length === 0) return [];
    const served = axesOf(architecture, mapping, index).map(({ name }) => name);
    return [memoryOf(level, level.storage, operands, served)];
  });
  return {
    name: architecture.name,
    memories: memories.reverse(),
    array: {
      dimensions: axesOf(architecture, mapping, 0).map(({ name, size }) => ({ name, size })),
      unitEnergyPj: operationPj(problem, architecture),
    },
  };
}

function memoryOf(
  { name }: ArchitectureLevel,
  storage: NonNullable<ArchitectureLevel["storage"]>,
  operands: readonly MemoryOperand[],
  servedDimensions: readonly string[],
): ZigZagMemory {
  const { entries, widthBits, readPj, writePj, readBitsPerCycle, writeBitsPerCycle, sharedBitsPerCycle } = storage;
  const shared = sharedBitsPerCycle ?? UNBOUNDED_BITS;
  // One bandwidth for all ports, as ZigZag's energies are of one width: the least that is stated.
  const bits = Math.min(shared, readBitsPerCycle ?? shared, writeBitsPerCycle ?? shared);
  const port = (
    portName: string,
    kind: ZigZagPort["kind"],
    moves: readonly (typeof dataMoves)[number][],
  ): ZigZagPort => ({
    name: portName,
    kind,
    minBitsPerCycle: Math.min(widthBits, bits),
    maxBitsPerCycle: bits,
    transfers: operands.flatMap((operand) => moves.map((move) => ({ operand, move }))),
  });
  const reads = dataMoves.filter((move) => move.startsWith("read"));
  const writes = dataMoves.filter((move) => move.startsWith("write"));
  return {
    name,
    sizeBits: (entries ?? UNBOUNDED_BITS) * widthBits,
    readPj: (readPj * bits) / widthBits,
    writePj: (writePj * bits) / widthBits,
    operands,
    ports:
      sharedBitsPerCycle === undefined
        ? [port("read", "read", reads), port("write", "write", writes)]
        : [port("shared", "readWrite", dataMoves)],
    servedDimensions,
  };
}

/** All loops in time, innermost first, and where each tensor's levels end. */
function temporalOf({ dataSpaces }: Problem, { levels }: Mapping): ZigZagQuestion["temporal"] {
  const inwards = [...levels].reverse();
  const loops = inwards.flatMap(({ temporal }) =>
    [...temporal].reverse().map(({ dimension, bound }) => ({ dimension, factor: bound })),
  );
  const cuts = dataSpaces.map(({ name }) => {
    let inside = 0;
    const ends = inwards.flatMap(({ temporal, keep }) => {
      inside += temporal.length;
      return keep.includes(name) ? [inside] : [];
    });
    return [name, ends] as const;
  });
  return { loops, cuts: Object.fromEntries(cuts) };
}

import { inputError } from "@dovetail/core";
import type { Architecture, ArchitectureLevel, Storage } from "../architecture/architecture.js";
import { operationPj } from "../cost/rates.js";
import type { Loop, Mapping } from "../mapping/mapping.js";
import type { DataSpace, Problem } from "../workload/problem.js";
import type {
  ArrayDimension,
  MemoryOperand,
  ZigZagAccelerator,
  ZigZagMemory,
  ZigZagPort,
} from "../zigzag/accelerator.js";
import { distinctPoints, type LayerOperand, type RankRelation, type ZigZagLayer } from "../zigzag/layer.js";
import type { Unrolling, ZigZagMappingEntry } from "../zigzag/mapping.js";

// Our documents in ZigZag's terms. Fan-outs become dimensions of one array, of which each memory serves those further in.
// ZigZag's model is another (docs/models/zigzag.md): what is exported is the machine and the layer, not the figures.

/** ZigZag's view of a layer on an architecture. */
export interface ZigZagExport {
  readonly accelerator: ZigZagAccelerator;
  readonly entries: readonly ZigZagMappingEntry[];
  readonly layers: readonly ZigZagLayer[];
}

/** ZigZag needs a size for every memory; that of one without bound. */
const UNBOUNDED_BITS = 2 ** 40;

/** Tensors of a layer by ZigZag's names of operands. */
interface Operands {
  readonly output: DataSpace;
  readonly weights: DataSpace;
  readonly inputs: DataSpace;
}

/**
 * An architecture with a layer, and a mapping if there is one, for ZigZag. A memory without a bandwidth moves a row a
 * cycle through each of its ports.
 *
 * @throws DovetailError `zigzag_export` for what ZigZag cannot say, with the field.
 */
export function exportZigZag(problem: Problem, architecture: Architecture, mapping?: Mapping): ZigZagExport {
  checkNames(problem);
  const operands = operandsOf(problem);
  const axes = axesOf(architecture);
  return {
    accelerator: {
      name: architecture.name,
      memories: memoriesOf(architecture, operands, axes, mapping),
      array: {
        dimensions: axes.flatMap((own) => [own.x, own.y].filter((axis) => axis !== undefined)),
        unitEnergyPj: operationPj(problem, architecture),
        ...(architecture.compute.areaUm2 !== undefined && { unitArea: architecture.compute.areaUm2 }),
      },
    },
    entries: [entryOf(axes, mapping)],
    layers: [layerOf(problem, operands, architecture)],
  };
}

function cannotExport(message: string, path: readonly (string | number)[], details: object = {}): Error {
  return inputError("zigzag_export", message, { path, ...details });
}

/** ZigZag writes loops in either case and takes them for the same. */
function checkNames({ dimensions, dataSpaces }: Problem): void {
  const names = Object.keys(dimensions);
  const upper = names.map((name) => name.toUpperCase());
  const wrong = names.find((name, at) => !/^[A-Za-z]+\d*$/.test(name) || upper.indexOf(upper[at]!) < at);
  if (wrong !== undefined) {
    throw cannotExport("names of dimensions must be letters, digits last, whatever their case", ["dimensions", wrong]);
  }
  const scalar = dataSpaces.find(({ projection }) => projection.length === 0);
  if (scalar !== undefined) throw cannotExport("a tensor without ranks", ["dataSpaces", scalar.name, "projection"]);
}

function operandsOf({ dataSpaces }: Problem): Operands {
  const [output, secondOutput] = dataSpaces.filter(({ readWrite }) => readWrite);
  const read = dataSpaces.filter(({ readWrite }) => !readWrite);
  if (output === undefined || secondOutput !== undefined || read.length !== 2) {
    throw cannotExport("a layer has two tensors that are read and one that is written", ["dataSpaces"], {
      received: dataSpaces.map(({ name }) => name).join(", "),
    });
  }
  const sparse = dataSpaces.find(({ density }) => density !== undefined);
  if (sparse !== undefined) throw cannotExport("tensors with zeros", ["dataSpaces", sparse.name, "density"]);
  const weights = read.find(({ name }) => /^w/i.test(name)) ?? read[0]!;
  return { output, weights, inputs: read.find((space) => space !== weights)! };
}

/** Dimensions of the array that a level's fan-out makes. */
interface Axes {
  readonly x: ArrayDimension | undefined;
  readonly y: ArrayDimension | undefined;
}

function axesOf({ levels }: Architecture): Axes[] {
  let count = 0;
  return levels.map(({ fanout }, index) => {
    if (fanout === undefined) return { x: undefined, y: undefined };
    const path = ["levels", index, "fanout"];
    if (fanout.neighbourLinks && fanout.x * fanout.y > 1) {
      throw cannotExport("links between neighbours", [...path, "neighbourLinks"], { expected: "false" });
    }
    if ((fanout.multicast ?? "tiles") !== "tiles") {
      throw cannotExport("another network than one that sends tiles to all", [...path, "multicast"], {
        expected: "tiles",
      });
    }
    const axis = (size: number): ArrayDimension | undefined => (size === 1 ? undefined : { name: `D${++count}`, size });
    return { x: axis(fanout.x), y: axis(fanout.y) };
  });
}

function memoriesOf(
  architecture: Architecture,
  operands: Operands,
  axes: readonly Axes[],
  mapping: Mapping | undefined,
): ZigZagMemory[] {
  const memories = architecture.levels.flatMap((level, index): ZigZagMemory[] => {
    if (level.storage === undefined) return [];
    const held = heldAt(architecture, level, operands, mapping);
    if (held.length === 0) return [];
    checkStorage(level, index);
    const served = axes.slice(index).flatMap(({ x, y }) => [x, y].flatMap((axis) => (axis ? [axis.name] : [])));
    return [memoryOf(level.name, level.storage, held, served, index === 0)];
  });
  return memories.reverse();
}

/** Operands that a mapping keeps at a level; without one, those that no constraint lets pass by. */
function heldAt(
  { constraints }: Architecture,
  { name }: ArchitectureLevel,
  { output, weights, inputs }: Operands,
  mapping: Mapping | undefined,
): MemoryOperand[] {
  const keep = mapping?.levels.find(({ level }) => level === name)?.keep;
  const bypass = constraints?.levels?.find(({ level }) => level === name)?.bypass ?? [];
  const holds = (tensor: string): boolean => (keep === undefined ? !bypass.includes(tensor) : keep.includes(tensor));
  const pairs: [MemoryOperand, string][] = [
    ["I1", inputs.name],
    ["I2", weights.name],
    ["O", output.name],
  ];
  return pairs.flatMap(([operand, tensor]) => (holds(tensor) ? [operand] : []));
}

function checkStorage({ storage, sparse }: ArchitectureLevel, index: number): void {
  const path = ["levels", index, "storage"];
  const { clusterSize = 1, leakagePjPerCycle = 0, writePj, updatePj = writePj } = storage!;
  if (clusterSize > 1) throw cannotExport("clusters of instances", [...path, "clusterSize"], { expected: "1" });
  if (leakagePjPerCycle > 0) throw cannotExport("leakage", [...path, "leakagePjPerCycle"], { expected: "0" });
  if (updatePj !== writePj) {
    throw cannotExport("another energy for updates than for writes", [...path, "updatePj"], {
      expected: String(writePj),
    });
  }
  if (sparse !== undefined) throw cannotExport("compressed tensors and skipping", ["levels", index, "sparse"]);
}

function memoryOf(
  name: string,
  storage: Storage,
  operands: readonly MemoryOperand[],
  servedDimensions: readonly string[],
  outermost: boolean,
): ZigZagMemory {
  const { entries, widthBits, readPj, writePj, areaUm2, sharedBitsPerCycle, readBitsPerCycle, writeBitsPerCycle } =
    storage;
  const transfers = (reads: boolean, writes: boolean): ZigZagPort["transfers"] =>
    operands.flatMap((operand) => [
      ...(reads ? [{ operand, move: "readToLow" as const }] : []),
      ...(writes && operand === "O" ? [{ operand, move: "writeFromLow" as const }] : []),
      ...(reads && operand === "O" && !outermost ? [{ operand, move: "readToHigh" as const }] : []),
      ...(writes && !outermost ? [{ operand, move: "writeFromHigh" as const }] : []),
    ]);
  const port = (kind: ZigZagPort["kind"], bits: number | undefined): ZigZagPort => {
    const width = Math.max(1, Math.floor(bits ?? widthBits));
    return {
      name: kind === "readWrite" ? "rw_port_1" : `${kind[0]}_port_1`,
      kind,
      minBitsPerCycle: Math.min(width, widthBits),
      maxBitsPerCycle: width,
      transfers: transfers(kind !== "write", kind !== "read"),
    };
  };
  const ports =
    sharedBitsPerCycle === undefined
      ? [port("read", readBitsPerCycle), port("write", writeBitsPerCycle)]
      : [port("readWrite", sharedBitsPerCycle)];
  // An access is of a port's full width, ours of a row.
  const perPort = (energyPj: number, at: number): number =>
    (energyPj * ports[Math.min(at, ports.length - 1)]!.maxBitsPerCycle) / widthBits;
  return {
    name,
    sizeBits: entries === undefined ? UNBOUNDED_BITS : entries * widthBits,
    readPj: perPort(readPj, 0),
    writePj: perPort(writePj, 1),
    ...(areaUm2 !== undefined && { area: areaUm2 }),
    operands,
    ports: ports.filter(({ transfers: own }) => own.length > 0),
    servedDimensions,
  };
}

/** Loops along the array, and their order in time; without a mapping ZigZag searches both. */
function entryOf(axes: readonly Axes[], mapping: Mapping | undefined): ZigZagMappingEntry {
  const unrolling = (loops: readonly Loop[]): Unrolling =>
    loops
      .filter(({ bound }) => bound > 1)
      .map(({ dimension, bound }) => ({ dimension: dimension.toUpperCase(), factor: bound }));
  const spatial: Record<string, Unrolling> = {};
  mapping?.levels.forEach(({ spatialX, spatialY }, index) => {
    const { x, y } = axes[index] ?? { x: undefined, y: undefined };
    if (x !== undefined && unrolling(spatialX).length > 0) spatial[x.name] = unrolling(spatialX);
    if (y !== undefined && unrolling(spatialY).length > 0) spatial[y.name] = unrolling(spatialY);
  });
  const loops = [...(mapping?.levels ?? [])].reverse().flatMap(({ temporal }) => unrolling([...temporal].reverse()));
  return {
    name: "default",
    spatial,
    spatialHints: {},
    order: { inner: loops, outer: [] },
    links: { O: "O", W: "I2", I: "I1" },
  };
}

function layerOf(problem: Problem, operands: Operands, architecture: Architecture): ZigZagLayer {
  const { output, weights, inputs } = operands;
  const relations: RankRelation[] = [];
  const operand = (name: string, space: DataSpace): LayerOperand => ({
    name,
    ranks: space.projection.map((_, rank) => rankOf(problem, space, rank, name, relations)),
    bits: bitsIn(architecture, space),
  });
  const result = operand("O", output);
  const bits = Math.max(result.bits, ...partialSumBits(architecture, output));
  return {
    id: 0,
    name: problem.name,
    operator: "Layer",
    dimensions: Object.fromEntries(
      Object.entries(problem.dimensions).map(([name, size]) => [name.toUpperCase(), size]),
    ),
    output: { ...result, bits, finalBits: output.bitWidth },
    inputs: [operand("I", inputs), operand("W", weights)],
    relations,
    sources: {},
  };
}

/** A loop, or a window of two, whose relation is added. */
function rankOf(
  { dimensions }: Problem,
  space: DataSpace,
  index: number,
  operand: string,
  relations: RankRelation[],
): string {
  const terms = space.projection[index]!;
  const [a, b, third] = terms;
  if (a !== undefined && b === undefined && a.coefficient === 1) return a.dimension.toUpperCase();
  if (a === undefined || b === undefined || third !== undefined) {
    throw cannotExport("a rank is a loop, or a sum of two", ["dataSpaces", space.name, "projection", index]);
  }
  const rank = `${operand}X${index}`;
  relations.push({
    rank,
    a: { dimension: a.dimension.toUpperCase(), coefficient: a.coefficient },
    b: { dimension: b.dimension.toUpperCase(), coefficient: b.coefficient },
    size: distinctPoints(a.coefficient, dimensions[a.dimension]!, b.coefficient, dimensions[b.dimension]!),
  });
  return rank;
}

/** ZigZag's words have the tensor's width at all levels, but for partial sums. */
function bitsIn({ levels }: Architecture, { name, bitWidth, readWrite }: DataSpace): number {
  const other = levels.findIndex(({ storage }) => (storage?.wordBits ?? bitWidth) !== bitWidth);
  if (readWrite || other < 0) return bitWidth;
  const path = ["levels", other, "storage", "wordBits"];
  const { wordBits } = levels[other]!.storage!;
  // A level of wider words may be one of partial sums alone.
  if (wordBits! > bitWidth) return bitWidth;
  throw cannotExport(`words of ${name} that are narrower than the tensor's`, path, { expected: String(bitWidth) });
}

function partialSumBits({ levels }: Architecture, { bitWidth }: DataSpace): number[] {
  return levels.map(({ storage }) => storage?.wordBits ?? bitWidth);
}

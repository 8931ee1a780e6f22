import { inputError } from "@dovetail/core";
import { type DataMove, dataMoves, type ZigZagAccelerator } from "./accelerator.js";
import { levelEnergyPj } from "./accesses.js";
import { createEvaluator, type ZigZagEvaluator } from "./evaluator.js";
import type { ZigZagLayer } from "./layer.js";
import type { SpatialMapping, TemporalLoop, TemporalMapping, ZigZagMappingEntry } from "./mapping.js";
import { type PreparedLayer, prepareLayer } from "./prepared.js";
import type { LoopOrder } from "./traffic.js";

/** Name of the model, stamped into its results. */
export const zigzagModelName = "zigzag: ZigZag's cost model (3d12a96e)";

/** What passes one side of a memory level. Cycles and bits are of one unit, accesses of all units together. */
export interface MoveCost {
  readonly move: DataMove;
  readonly port: string;
  /** Bits moved in one period, and the period's cycles. */
  readonly bits: number;
  readonly periodCycles: number;
  readonly periods: number;
  /** In accesses of the port's full width. */
  readonly accesses: number;
  readonly energyPj: number;
  /** Cycles that the port takes in a period, and cycles that it may take. */
  readonly realCycles: number;
  readonly allowedCycles: number;
  /** Positive: the array waits for this transfer, were the port its own. Negative: cycles to spare. */
  readonly stallCycles: number;
  /** Cycles before or after the computation; below 0 where ZigZag shares out more of the computation than there is need. */
  readonly loadingCycles: number;
}

export interface MemoryLevelCost {
  readonly memory: string;
  /** Loops in time at this level, innermost first, after irrelevant loops at its bottom have gone to the level below. */
  readonly loops: readonly TemporalLoop[];
  /** Words that one unit holds, and their bits. */
  readonly words: number;
  readonly wordBits: number;
  readonly units: number;
  /** Cycles of all loops at or below this level. */
  readonly cycles: number;
  /** The tile's share of the memory. */
  readonly utilization: number;
  readonly doubleBuffered: boolean;
  readonly energyPj: number;
  /** Only what moves. */
  readonly moves: readonly MoveCost[];
}

export interface OperandCost {
  readonly operand: string;
  /** Words at the array itself: what one unit holds. */
  readonly arrayWords: number;
  /** Cycles that the array holds one word. */
  readonly stationaryCycles: number;
  /** Innermost first. */
  readonly levels: readonly MemoryLevelCost[];
  readonly energyPj: number;
}

export interface PortCost {
  readonly memory: string;
  readonly port: string;
  readonly bitsPerCycle: number;
  /** Positive: the array waits for the port. Negative: cycles to spare. */
  readonly stallCycles: number;
}

/** Energy, latency and everything on the way to them, of a layer under a mapping. */
export interface ZigZagCost {
  readonly model: string;
  readonly layer: string;
  readonly macs: number;
  readonly spatial: SpatialMapping;
  readonly temporal: TemporalMapping;
  readonly operands: readonly OperandCost[];
  readonly ports: readonly PortCost[];
  readonly macEnergyPj: number;
  readonly memoryEnergyPj: number;
  readonly energyPj: number;
  /** With every multiplier at work; with the spatial mapping. */
  readonly idealCycles: number;
  readonly temporalCycles: number;
  readonly stallCycles: number;
  readonly onloadingCycles: number;
  readonly offloadingCycles: number;
  /** Computation with stalls; with loading before it; with unloading after it, which is the latency. */
  readonly computeCycles: number;
  readonly loadedCycles: number;
  readonly latencyCycles: number;
  /** Ideal cycles over those of the spatial mapping, of the computation, of loading too, of all. */
  readonly spatialUtilization: number;
  readonly computeUtilization: number;
  readonly loadedUtilization: number;
  readonly utilization: number;
}

/** A layer, its hardware and how it is mapped. */
export interface ZigZagQuestion {
  readonly layer: ZigZagLayer;
  readonly accelerator: ZigZagAccelerator;
  readonly links: ZigZagMappingEntry["links"];
  readonly spatial: SpatialMapping;
  readonly temporal: TemporalMapping;
}

/**
 * What a layer costs on an accelerator under a mapping whose levels are given (cost-model.md section 4). Capacities are
 * not checked: `allocateLoops` cuts an order so that it fits.
 *
 * @throws DovetailError `zigzag_mapping` for loops that do not multiply to the layer's sizes, cuts that do not fit the
 * hierarchy, or a transfer that no port serves.
 */
export function evaluateZigZag({ layer, accelerator, links, spatial, temporal }: ZigZagQuestion): ZigZagCost {
  const prepared = prepareLayer(layer, accelerator, links, spatial);
  const order = encodeOrder(prepared, temporal.loops);
  const evaluator = createEvaluator(prepared);
  if (!evaluator.evaluate(order, encodeCuts(prepared, temporal))) {
    throw inputError("zigzag_mapping", "a transfer has no port", {
      path: ["memories"],
      expected: "a port for partial sums, or a mapping without them",
    });
  }
  return describeCost(evaluator, temporal);
}

/** Loops by index. Throws where they do not multiply to what the spatial mapping leaves. */
export function encodeOrder(prepared: PreparedLayer, loops: readonly TemporalLoop[]): LoopOrder {
  const { dimensions, temporalSizes } = prepared;
  const products = new Map<string, number>();
  for (const { dimension, factor } of loops) products.set(dimension, (products.get(dimension) ?? 1) * factor);
  const wrong = [...new Set([...dimensions, ...products.keys()])].find(
    (name) => (products.get(name) ?? 1) !== temporalSizes[dimensions.indexOf(name)],
  );
  if (wrong !== undefined) {
    throw inputError("zigzag_mapping", "the loops in time do not multiply to what is left of a dimension", {
      path: ["temporal_ordering", wrong],
      expected: `${temporalSizes[dimensions.indexOf(wrong)] ?? "no such loop"}`,
      received: `${products.get(wrong) ?? 1}`,
    });
  }
  return {
    dimensions: Int32Array.from(loops, ({ dimension }) => dimensions.indexOf(dimension)),
    factors: Int32Array.from(loops, ({ factor }) => factor),
    length: loops.length,
  };
}

function encodeCuts({ operands }: PreparedLayer, { loops, cuts }: TemporalMapping): Int32Array {
  const all = operands.flatMap(({ name, levels }) => {
    const own = cuts[name] ?? [];
    const grows = own.every((cut, level) => cut >= (own[level - 1] ?? 0) && Number.isInteger(cut));
    if (own.length === levels && grows && own[levels - 1] === loops.length) return own;
    throw inputError("zigzag_mapping", "the cuts do not fit the operand's memories", {
      path: ["cuts", name],
      expected: `${levels} numbers that do not fall, the last ${loops.length}`,
      received: own.join(", "),
    });
  });
  return Int32Array.from(all);
}

/** The full account of the mapping that was evaluated last. */
export function describeCost(evaluator: ZigZagEvaluator, temporal: TemporalMapping): ZigZagCost {
  const { prepared, traffic, totals } = evaluator;
  const { idealCycles, layer, macs, accelerator } = prepared;
  const temporalCycles = traffic.totalCycles;
  const computeCycles = temporalCycles + totals.stallCycles;
  const loadedCycles = computeCycles + totals.onloadingCycles;
  return {
    model: zigzagModelName,
    layer: layer.name,
    macs,
    spatial: prepared.spatial,
    temporal,
    operands: prepared.operands.map((_, index) => describeOperand(evaluator, index, temporal.loops)),
    ports: prepared.ports.map(({ memory, name, bitsPerCycle }, at) => ({
      memory: accelerator.memories[memory]!.name,
      port: name,
      bitsPerCycle,
      stallCycles: evaluator.portStalls[at]!,
    })),
    macEnergyPj: totals.energyPj - totals.memoryEnergyPj,
    memoryEnergyPj: totals.memoryEnergyPj,
    energyPj: totals.energyPj,
    idealCycles,
    temporalCycles,
    stallCycles: totals.stallCycles,
    onloadingCycles: totals.onloadingCycles,
    offloadingCycles: totals.offloadingCycles,
    computeCycles,
    loadedCycles,
    latencyCycles: totals.latencyCycles,
    spatialUtilization: idealCycles / temporalCycles,
    computeUtilization: idealCycles / computeCycles,
    loadedUtilization: idealCycles / loadedCycles,
    utilization: idealCycles / totals.latencyCycles,
  };
}

function describeOperand(evaluator: ZigZagEvaluator, index: number, loops: readonly TemporalLoop[]): OperandCost {
  const { prepared, traffic } = evaluator;
  const { name, firstLevel, levels } = prepared.operands[index]!;
  const described = Array.from({ length: levels }, (_, level) => describeLevel(evaluator, firstLevel + level, loops));
  return {
    operand: name,
    arrayWords: traffic.words[firstLevel + index]!,
    stationaryCycles: traffic.stationaryCycles[index]!,
    levels: described,
    energyPj: described.reduce((sum, { energyPj }) => sum + energyPj, 0),
  };
}

function describeLevel(evaluator: ZigZagEvaluator, at: number, loops: readonly TemporalLoop[]): MemoryLevelCost {
  const { prepared, traffic, accesses, doubleBuffered } = evaluator;
  const { operand, level, memory, sizeBits } = prepared.levels[at]!;
  const held = at + operand + 1;
  const start = level === 0 ? 0 : traffic.cuts[at - 1]!;
  return {
    memory: prepared.accelerator.memories[memory]!.name,
    loops: loops.slice(start, traffic.cuts[at]),
    words: traffic.words[held]!,
    wordBits: traffic.wordBits[held]!,
    units: prepared.operands[operand]!.fractional.count[level + 1]!,
    cycles: traffic.cycles[at]!,
    utilization: (traffic.words[held]! * traffic.wordBits[held]!) / sizeBits,
    doubleBuffered: doubleBuffered[at] === 1,
    energyPj: levelEnergyPj(prepared, at, accesses),
    moves: dataMoves.flatMap((move, index) => describeMove(evaluator, at, move, at * dataMoves.length + index)),
  };
}

function describeMove(evaluator: ZigZagEvaluator, at: number, move: DataMove, slot: number): MoveCost[] {
  const { prepared, traffic, accesses, transfers, loading } = evaluator;
  const periods = traffic.periods[slot]!;
  if (periods === 0) return [];
  const { memory, readPj, writePj } = prepared.levels[at]!;
  const port = prepared.ports.find((candidate) => candidate.memory === memory && candidate.slots.includes(slot));
  const realCycles = transfers.real[slot]!;
  const allowedCycles = transfers.allowed[slot]!;
  return [
    {
      move,
      port: port?.name ?? "",
      bits: traffic.bits[slot]!,
      periodCycles: traffic.period[slot]!,
      periods,
      accesses: accesses[slot]!,
      energyPj: accesses[slot]! * (move.startsWith("read") ? readPj : writePj),
      realCycles,
      allowedCycles,
      stallCycles: (realCycles - allowedCycles) * (periods - 1),
      loadingCycles: loading.cycles[slot]!,
    },
  ];
}

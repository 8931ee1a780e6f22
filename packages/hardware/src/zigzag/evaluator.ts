import { dataMoves } from "./accelerator.js";
import { countAccesses, hasPorts, levelEnergyPj } from "./accesses.js";
import { findDoubleBuffers } from "./double-buffer.js";
import { type LoadingCycles, loadPort, offloadingCycles, onloadingCycles } from "./loading.js";
import type { PreparedLayer } from "./prepared.js";
import { portStall, type TransferCycles, timeTransfers } from "./stalls.js";
import { countTraffic, createTraffic, type LoopOrder, type Traffic } from "./traffic.js";

/** Evaluates orders of loops of one prepared layer, one after another, in the same arrays. */
export interface ZigZagEvaluator {
  readonly prepared: PreparedLayer;
  readonly traffic: Traffic;
  readonly accesses: Float64Array;
  readonly doubleBuffered: Uint8Array;
  readonly transfers: TransferCycles;
  readonly loading: LoadingCycles;
  /** By port. */
  readonly portStalls: Float64Array;
  /** Totals of the mapping evaluated last. */
  readonly totals: ZigZagTotals;
  /** False where something would have to move that no port moves. `cuts`: by level, loops at or below it. */
  evaluate(order: LoopOrder, cuts: Int32Array): boolean;
}

export interface ZigZagTotals {
  memoryEnergyPj: number;
  energyPj: number;
  stallCycles: number;
  onloadingCycles: number;
  offloadingCycles: number;
  latencyCycles: number;
}

/** The model of ZigZag (cost-model.md §4) for one layer under one spatial mapping. */
export function createEvaluator(prepared: PreparedLayer): ZigZagEvaluator {
  const slots = prepared.levels.length * dataMoves.length;
  const traffic = createTraffic(prepared);
  const accesses = new Float64Array(slots);
  const doubleBuffered = new Uint8Array(prepared.levels.length);
  const scratch = new Float64Array(2 * prepared.levels.length);
  const transfers = { real: new Float64Array(slots), allowed: new Float64Array(slots) };
  const loading = { cycles: new Float64Array(slots), shared: new Uint8Array(slots) };
  const portStalls = new Float64Array(prepared.ports.length);
  const macEnergyPj = prepared.accelerator.array.unitEnergyPj * prepared.macs;
  const totals: ZigZagTotals = {
    memoryEnergyPj: 0,
    energyPj: 0,
    stallCycles: 0,
    onloadingCycles: 0,
    offloadingCycles: 0,
    latencyCycles: 0,
  };

  const evaluate = (order: LoopOrder, cuts: Int32Array): boolean => {
    countTraffic(prepared, order, cuts, traffic);
    if (!hasPorts(prepared, traffic)) return false;
    countAccesses(prepared, traffic, accesses);
    totals.memoryEnergyPj = 0;
    for (let at = 0; at < prepared.levels.length; at++) {
      totals.memoryEnergyPj += levelEnergyPj(prepared, at, accesses);
    }
    totals.energyPj = totals.memoryEnergyPj + macEnergyPj;
    findDoubleBuffers(prepared, traffic, scratch, doubleBuffered);
    timeTransfers(prepared, traffic, doubleBuffered, transfers);
    totals.stallCycles = 0;
    prepared.ports.forEach((port, at) => {
      portStalls[at] = portStall(port, traffic, transfers);
      totals.stallCycles = Math.max(totals.stallCycles, portStalls[at]!);
    });
    const computeCycles = traffic.totalCycles + totals.stallCycles;
    for (const port of prepared.ports) loadPort(prepared, port, traffic, transfers, computeCycles, loading);
    totals.onloadingCycles = onloadingCycles(prepared, loading);
    totals.offloadingCycles = offloadingCycles(prepared, loading);
    totals.latencyCycles = computeCycles + totals.onloadingCycles + totals.offloadingCycles;
    return true;
  };

  return {
    prepared,
    traffic,
    accesses,
    doubleBuffered,
    transfers,
    loading,
    portStalls,
    totals,
    evaluate,
  };
}

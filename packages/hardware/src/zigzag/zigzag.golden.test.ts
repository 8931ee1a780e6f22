import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { zigzagHardwareOf } from "../formats/zigzag-hardware.js";
import { zigzagMappingOf } from "../formats/zigzag-mapping.js";
import { zigzagWorkloadOf } from "../formats/zigzag-workload.js";
import type { DataMove } from "./accelerator.js";
import { evaluateZigZag, type ZigZagCost } from "./cost.js";
import { mapZigZagNetwork } from "./network.js";
import { mapZigZagLayer } from "./search.js";

// Facts from ZigZag, selected by oracles/select-zigzag-cases.py.

interface Detail {
  readonly temporal_mapping: Record<string, [string, number][][]>;
  readonly mem_energy_breakdown: Record<string, number[]>;
  readonly memory_word_access: Record<string, Record<string, number>[]>;
  readonly data_elem_per_level_unrolled: Record<string, number[]>;
  readonly double_buffer: Record<string, boolean[]>;
  readonly latency: Record<string, number>;
  readonly utilization: Record<string, number>;
}

interface Golden {
  readonly hardware: Record<string, unknown>;
  readonly fixedOrder: readonly {
    readonly id: string;
    readonly hardware: string;
    readonly mapping: unknown;
    readonly workload: unknown;
    readonly energy_pJ: number;
    readonly latency_cycles: number;
    readonly detail: Detail;
  }[];
  readonly gemm: {
    readonly hardware: string;
    readonly mapping: unknown;
    readonly workload: unknown;
    readonly energy_pJ: number;
    readonly latency_cycles: number;
  };
}

const golden = JSON.parse(readFileSync(new URL("zigzag.golden.json", import.meta.url), "utf8")) as Golden;

const moves: Readonly<Record<string, DataMove>> = {
  rd_out_to_low: "readToLow",
  wr_in_by_low: "writeFromLow",
  rd_out_to_high: "readToHigh",
  wr_in_by_high: "writeFromHigh",
};

describe.each(golden.fixedOrder)("ZigZag, $id", ({ hardware, mapping, workload, detail, ...expected }) => {
  const accelerator = zigzagHardwareOf(golden.hardware[hardware]);
  const layer = zigzagWorkloadOf([workload])[0]!;
  const entry = zigzagMappingOf([mapping])[0]!;
  const { cost } = mapZigZagLayer(layer, accelerator, entry, { starts: 0 });

  it("finds what ZigZag finds with the order given", () => {
    expect(cost.energyPj).toBeCloseTo(expected.energy_pJ, 2);
    expect(cost.latencyCycles).toBeCloseTo(expected.latency_cycles, 6);
  });

  it("agrees in every figure of every level", () => {
    expectFigures(cost, detail);
  });

  it("gives the same for the same levels as a question of its own", () => {
    const { spatial, temporal } = cost;
    expect(evaluateZigZag({ layer, accelerator, links: entry.links, spatial, temporal })).toEqual(cost);
  });
});

function expectFigures(cost: ZigZagCost, { latency, utilization, ...detail }: Detail): void {
  expect([cost.idealCycles, cost.temporalCycles, cost.stallCycles]).toEqual([
    latency.ideal_cycle,
    latency.ideal_temporal_cycle,
    latency.stall_slack_comb,
  ]);
  expect(cost.onloadingCycles).toBeCloseTo(latency.onload!, 6);
  expect(cost.offloadingCycles).toBeCloseTo(latency.offload!, 6);
  expect(cost.spatialUtilization).toBeCloseTo(utilization.spatial!, 12);
  expect(cost.utilization).toBeCloseTo(utilization.u2!, 12);
  for (const { operand, arrayWords, levels } of cost.operands) {
    const words = [arrayWords, ...levels.map((level) => level.words)];
    expect(words).toEqual(detail.data_elem_per_level_unrolled[operand]);
    const loops = levels.map((level) => level.loops.map(({ dimension, factor }) => [dimension, factor]));
    expect(loops).toEqual(detail.temporal_mapping[operand]);
    expect([false, ...levels.map((level) => level.doubleBuffered)]).toEqual(detail.double_buffer[operand]);
    for (const [level, found] of levels.entries()) {
      expect(found.energyPj).toBeCloseTo(detail.mem_energy_breakdown[operand]![level]!, 2);
      for (const [name, accesses] of Object.entries(detail.memory_word_access[operand]![level]!)) {
        expect(found.moves.find(({ move }) => move === moves[name])?.accesses ?? 0).toBe(accesses);
      }
    }
  }
}

it("reproduces ZigZag's total of its matrix product, and is never worse than its search", () => {
  const { hardware, mapping, workload, energy_pJ, latency_cycles } = golden.gemm;
  const question = [
    zigzagWorkloadOf(workload),
    zigzagHardwareOf(golden.hardware[hardware]),
    zigzagMappingOf(mapping),
  ] as const;
  const same = mapZigZagNetwork(...question, { factorLimit: 3, starts: 0 });
  expect(same.energyPj).toBeCloseTo(energy_pJ, 4);
  expect(same.latencyCycles).toBe(latency_cycles);
  const free = question[2].map((entry) => ({ ...entry, order: { inner: [], outer: [] } }));
  const ours = mapZigZagNetwork(question[0], question[1], free);
  expect(ours.latencyCycles).toBeLessThanOrEqual(latency_cycles);
});

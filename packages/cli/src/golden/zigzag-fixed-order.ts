import {
  evaluateZigZag,
  mapZigZagLayer,
  type TemporalMapping,
  type ZigZagCost,
  type ZigZagLayer,
  zigzagHardwareOf,
  zigzagMappingOf,
  zigzagWorkloadOf,
} from "@dovetail/hardware";
import * as z from "zod";
import { type Comparison, type GoldenCase, judge, startComparison } from "./result.js";

// Single layers that were run through ZigZag with a given order of loops. Two things must agree: what our search in its
// manner finds, and, at the mapping that it printed, every figure on the way to energy and latency.

const RELATIVE_TOLERANCE = 1e-9;

const numbers = z.record(z.string(), z.array(z.number()));

const caseSchema = z.object({
  id: z.string(),
  hardware: z.string(),
  mapping: z.unknown(),
  workload: z.unknown(),
  energy_pJ: z.number(),
  latency_cycles: z.number(),
  detail: z.object({
    temporal_mapping: z.record(z.string(), z.array(z.array(z.tuple([z.string(), z.number()])))),
    mac_energy: z.number(),
    mem_energy: z.number(),
    mem_energy_breakdown: numbers,
    memory_word_access: z.record(
      z.string(),
      z.array(
        z.object({
          rd_out_to_low: z.number(),
          wr_in_by_low: z.number(),
          rd_out_to_high: z.number(),
          wr_in_by_high: z.number(),
        }),
      ),
    ),
    data_elem_per_level_unrolled: numbers,
    double_buffer: z.record(z.string(), z.array(z.boolean())),
    latency: z.object({
      ideal_cycle: z.number(),
      ideal_temporal_cycle: z.number(),
      stall_slack_comb: z.number(),
      onload: z.number(),
      offload: z.number(),
      total0: z.number(),
      total1: z.number(),
      total2: z.number(),
    }),
    utilization: z.object({ spatial: z.number(), u0: z.number(), u1: z.number(), u2: z.number() }),
  }),
});

type FixedOrderCase = z.infer<typeof caseSchema>;
type Detail = FixedOrderCase["detail"];

const setSchema = z.object({ cases: z.array(caseSchema) });
const hardwareSchema = z.object({ hardware: z.record(z.string(), z.unknown()) });

/** The set `zigzag_executed_fixed_order`; its hardware stands in the set `zigzag_reference` of the same file. */
export function compareZigZagFixedOrder(data: unknown, siblings: Readonly<Record<string, unknown>>): GoldenCase[] {
  const { cases } = setSchema.parse(data);
  const { hardware } = hardwareSchema.parse(siblings.zigzag_reference);
  return cases.map((entry) => judge(entry.id, () => compareCase(entry, hardware[entry.hardware])));
}

function compareCase(entry: FixedOrderCase, hardware: unknown) {
  const accelerator = zigzagHardwareOf(hardware);
  const layer = zigzagWorkloadOf([entry.workload])[0]!;
  const mapping = zigzagMappingOf([entry.mapping])[0]!;
  const comparison = startComparison();
  const expect = (figure: string, expected: number | undefined, found: number | undefined): void => {
    if (expected === undefined || found === undefined) comparison.expect(figure, expected, found);
    else comparison.expectRelative(figure, expected, found, RELATIVE_TOLERANCE);
  };
  const { cost: searched } = mapZigZagLayer(layer, accelerator, mapping, { starts: 0 });
  expect("energy of the mapping found", entry.energy_pJ, searched.energyPj);
  expect("latency of the mapping found", entry.latency_cycles, searched.latencyCycles);
  const temporal = temporalMappingOf(entry.detail, layer);
  const cost = evaluateZigZag({ layer, accelerator, links: mapping.links, spatial: searched.spatial, temporal });
  expect("energy", entry.energy_pJ, cost.energyPj);
  expect("latency", entry.latency_cycles, cost.latencyCycles);
  compareTotals(expect, entry.detail, cost);
  for (const operand of cost.operands) compareOperand(expect, comparison, entry.detail, operand);
  return comparison.differences;
}

type Expect = (figure: string, expected: number | undefined, found: number | undefined) => void;

/** The order of the loops is the same for all operands; where it is cut is each operand's own. */
function temporalMappingOf({ temporal_mapping: printed }: Detail, { output, inputs }: ZigZagLayer): TemporalMapping {
  const loops = (printed[output.name] ?? []).flat().map(([dimension, factor]) => ({ dimension, factor }));
  const cuts = [output, ...inputs].map(({ name }) => {
    let held = 0;
    return [name, (printed[name] ?? []).map((level) => (held += level.length))] as const;
  });
  return { loops, cuts: Object.fromEntries(cuts) };
}

function compareTotals(expect: Expect, { latency, utilization, ...detail }: Detail, cost: ZigZagCost): void {
  expect("energy of multiply-accumulates", detail.mac_energy, cost.macEnergyPj);
  expect("energy of memories", detail.mem_energy, cost.memoryEnergyPj);
  expect("ideal cycles", latency.ideal_cycle, cost.idealCycles);
  expect("cycles of the loops", latency.ideal_temporal_cycle, cost.temporalCycles);
  expect("stalls", latency.stall_slack_comb, cost.stallCycles);
  expect("loading", latency.onload, cost.onloadingCycles);
  expect("unloading", latency.offload, cost.offloadingCycles);
  expect("latency 0", latency.total0, cost.computeCycles);
  expect("latency 1", latency.total1, cost.loadedCycles);
  expect("latency 2", latency.total2, cost.latencyCycles);
  expect("spatial utilization", utilization.spatial, cost.spatialUtilization);
  expect("utilization 0", utilization.u0, cost.computeUtilization);
  expect("utilization 1", utilization.u1, cost.loadedUtilization);
  expect("utilization 2", utilization.u2, cost.utilization);
}

const moveNames = {
  rd_out_to_low: "readToLow",
  wr_in_by_low: "writeFromLow",
  rd_out_to_high: "readToHigh",
  wr_in_by_high: "writeFromHigh",
} as const;

function compareOperand(
  expect: Expect,
  comparison: Comparison,
  detail: Detail,
  { operand, levels, arrayWords }: ZigZagCost["operands"][number],
): void {
  const words = detail.data_elem_per_level_unrolled[operand] ?? [];
  const buffered = detail.double_buffer[operand] ?? [];
  expect(`${operand} words at the array`, words[0], arrayWords);
  expect(`${operand} levels`, detail.memory_word_access[operand]?.length, levels.length);
  for (const [level, found] of levels.entries()) {
    const place = `${operand} in ${found.memory}`;
    expect(`${place}: words`, words[level + 1], found.words);
    expect(`${place}: energy`, detail.mem_energy_breakdown[operand]?.[level], found.energyPj);
    comparison.expectText(`${place}: double-buffered`, String(buffered[level + 1]), String(found.doubleBuffered));
    const loops = (detail.temporal_mapping[operand]?.[level] ?? []).map(
      ([dimension, factor]) => `${dimension} ${factor}`,
    );
    const foundLoops = found.loops.map(({ dimension, factor }) => `${dimension} ${factor}`);
    comparison.expectText(`${place}: loops`, loops.join(" "), foundLoops.join(" "));
    for (const [name, move] of Object.entries(moveNames)) {
      const expected = detail.memory_word_access[operand]?.[level]?.[name as keyof typeof moveNames];
      expect(`${place}: ${name}`, expected, found.moves.find((each) => each.move === move)?.accesses ?? 0);
    }
  }
}

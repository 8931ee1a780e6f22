import { inputError } from "@dovetail/core";
import {
  type AccessCounts,
  type Architecture,
  encodeMapping,
  type Loop,
  type Mapping,
  type Problem,
  parseRank,
  prepareAnalysis,
} from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, judge, startComparison } from "./result.js";

// Random mappings that were run through Timeloop: all counts of all levels and operands must agree.

const operands = ["Weights", "Inputs", "Outputs"] as const;
const ranksSchema = z.array(z.string());

const countsSchema = z.object({
  tile: z.number(),
  partition: z.number(),
  instances: z.number(),
  reads: z.number(),
  fills: z.number(),
  updates: z.number(),
  temporal_reductions: z.number(),
});

const setSchema = z.object({
  environment: z.string().default(""),
  architecture: z.object({
    levels_outer_to_inner: z
      .array(
        z.object({
          name: z.string(),
          fanout_below: z.object({ X: z.int().positive(), Y: z.int().positive() }).optional(),
        }),
      )
      .min(2),
  }),
  problem_shape: z.object({
    dimensions: z.array(z.string()),
    Weights: ranksSchema,
    Inputs: ranksSchema,
    Outputs: ranksSchema,
  }),
  cases: z.array(
    z.object({
      id: z.string(),
      link_transfers: z.boolean().optional(),
      problem_instance: z.record(z.string(), z.int().positive()),
      mapping: z.array(
        z.object({
          level: z.string(),
          temporal_outer_to_inner: z.array(z.tuple([z.string(), z.int().positive()])),
          spatial_outer_to_inner: z.array(z.tuple([z.string(), z.int().positive(), z.enum(["X", "Y"])])),
          keep: z.array(z.string()),
        }),
      ),
      expected: z.record(z.string(), z.unknown()),
    }),
  ),
});

type ExecutedSet = z.infer<typeof setSchema>;
type ExecutedCase = ExecutedSet["cases"][number];

const unitSchema = z.object({ computes_total: z.number(), cycles: z.number(), utilized_instances: z.number() });

/** The set `timeloop_executed_random`. */
export function compareTimeloopExecuted(data: unknown): GoldenCase[] {
  const set = setSchema.parse(data);
  const architecture = architectureOf(set);
  return set.cases.map((entry) => judge(entry.id, () => compareCase(set, architecture, entry)));
}

function compareCase(set: ExecutedSet, architecture: Architecture, entry: ExecutedCase) {
  const neighbourLinks = entry.link_transfers ?? true;
  const analysis = prepareAnalysis(problemOf(set, entry), architecture, { neighbourLinks });
  const comparison = startComparison();
  if (!analysis.run(encodeMapping(analysis.tables, mappingOf(entry)))) {
    comparison.expectText("mapping", "fits", analysis.rejection.reason);
    return comparison.differences;
  }
  const { counts } = analysis;
  const units = set.architecture.levels_outer_to_inner.at(-1)!.name;
  const computes = unitSchema.parse(entry.expected[units]);
  comparison.expect(`${units} computes`, computes.computes_total, counts.computes);
  comparison.expect(`${units} cycles`, computes.cycles, counts.computeCycles);
  comparison.expect(`${units} instances`, computes.utilized_instances, counts.units);
  architecture.levels.forEach(({ name }, level) => {
    const expected = z.record(z.enum(operands), countsSchema.optional()).parse(withAllOperands(entry.expected[name]));
    operands.forEach((operand, index) => {
      const wanted = expected[operand];
      if (wanted === undefined) return;
      const found = countsAt(counts, level, level * operands.length + index);
      for (const [figure, value] of Object.entries(wanted)) {
        comparison.expect(`${name} ${operand} ${figure}`, value, found[figure as keyof typeof wanted]);
      }
    });
  });
  return comparison.differences;
}

function withAllOperands(expected: unknown): object {
  const none = Object.fromEntries(operands.map((operand) => [operand, undefined]));
  return { ...none, ...(expected as object | undefined) };
}

function countsAt(counts: AccessCounts, level: number, cell: number): z.infer<typeof countsSchema> {
  return {
    tile: counts.tile[cell]!,
    partition: counts.partition[cell]!,
    instances: counts.instances[level]!,
    reads: counts.reads[cell]!,
    fills: counts.fills[cell]!,
    updates: counts.updates[cell]!,
    temporal_reductions: counts.temporalReductions[cell]!,
  };
}

function architectureOf({ architecture }: ExecutedSet): Architecture {
  const levels = architecture.levels_outer_to_inner;
  return {
    name: "executed",
    levels: levels.slice(0, -1).map(({ name, fanout_below: fanout }) => ({
      name,
      storage: { widthBits: 16, readPj: 0, writePj: 0 },
      ...(fanout && { fanout: { x: fanout.X, y: fanout.Y, neighbourLinks: true } }),
    })),
    compute: { name: levels[levels.length - 1]!.name, energyPj: 0 },
  };
}

/** Ranks are sums of `dimension` or `dimension*coefficient`, the coefficient by name: its value is the instance's. */
function problemOf({ problem_shape: shape }: ExecutedSet, { problem_instance: instance }: ExecutedCase): Problem {
  const rank = (text: string) => {
    const named = text.replace(/\*([A-Za-z_]\w*)/g, (_, name: string) => `*${instance[name]}`);
    const parsed = parseRank(named);
    if (parsed === undefined) throw inputError("golden_projection", "not a projection", { received: text });
    return parsed;
  };
  return {
    name: shape.dimensions.join(""),
    dimensions: Object.fromEntries(shape.dimensions.map((name) => [name, instance[name]!])),
    dataSpaces: operands.map((name) => ({
      name,
      readWrite: name === "Outputs",
      projection: shape[name].map(rank),
      bitWidth: 16,
    })),
  };
}

function mappingOf({ mapping }: ExecutedCase): Mapping {
  return {
    levels: mapping.map(({ level, keep, temporal_outer_to_inner: temporal, spatial_outer_to_inner: spatial }) => {
      const along = (axis: "X" | "Y"): Loop[] =>
        spatial.filter((loop) => loop[2] === axis).map(([dimension, bound]) => ({ dimension, bound }));
      return {
        level,
        keep,
        temporal: temporal.map(([dimension, bound]) => ({ dimension, bound })),
        spatialY: along("Y"),
        spatialX: along("X"),
      };
    }),
  };
}

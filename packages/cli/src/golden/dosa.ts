import { type Architecture, convolutionProblem, evaluateCost, type Loop, type Mapping } from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, type GoldenDifference, skip, startComparison } from "./result.js";

// Cycles of Gemmini in FPGA-accelerated simulation (FireSim), as DOSA published them, beside our analytical ones of the
// same mappings. Nothing is judged: ours has no transfer and no instruction to wait for, so it is a lower bound.

const size = z.coerce.number().int().positive();

const rowSchema = z.object({
  "mapping.mapping": z.string(),
  "arch.meshX": size,
  "prob.C": size,
  "prob.K": size,
  "prob.N": size,
  "prob.P": size,
  "prob.Q": size,
  "prob.R": size,
  "prob.S": size,
  "prob.Hstride": size,
  "prob.Wstride": size,
  "target.gemmini_cycle": z.coerce.number(),
});

type Row = z.infer<typeof rowSchema>;

const setSchema = z.object({ rows: z.array(rowSchema) });

const tensors: Readonly<Record<string, string>> = { W: "Weights", I: "Inputs", O: "Outputs" };
/** DOSA's letter of output channels is K. */
const dimensionOf = (letter: string): string => (letter === "K" ? "M" : letter);

/** The set `dosa_firesim_reference`. */
export function compareDosa(data: unknown): GoldenCase[] {
  return setSchema
    .parse(data)
    .rows.map((row, index) => skip(`row:${index}`, "simulated hardware beside an analytical model", () => beside(row)));
}

function beside(row: Row): readonly GoldenDifference[] {
  const mapping = mappingOf(row["mapping.mapping"]);
  const problem = convolutionProblem({
    batch: row["prob.N"],
    inputChannels: row["prob.C"],
    outputChannels: row["prob.K"],
    outputHeight: row["prob.P"],
    outputWidth: row["prob.Q"],
    kernelHeight: row["prob.R"],
    kernelWidth: row["prob.S"],
    strideHeight: row["prob.Hstride"],
    strideWidth: row["prob.Wstride"],
  });
  const cost = evaluateCost(problem, architectureOf(mapping, row["arch.meshX"]), mapping, { model: "timeloop" });
  const comparison = startComparison();
  const cycles = row["target.gemmini_cycle"];
  if (cost.ok) comparison.expect("cycles", cycles, cost.latencyCycles);
  else comparison.expectText("mapping", "fits", `${cost.reason} ${cost.level ?? ""}`);
  return comparison.differences;
}

/** Levels separated by ` - `, outermost first: `L2[WI] N1 K4X` keeps weights and inputs and spreads K over four columns. */
function mappingOf(text: string): Mapping {
  return {
    levels: text.split(" - ").map((level) => {
      const [head = "", ...loops] = level.trim().split(/\s+/);
      const [, name, kept] = z.tuple([z.string(), z.string(), z.string()]).parse(/^(\w+)\[([WIO]+)\]$/.exec(head));
      const parsed = loops.map((loop) => {
        const match = z
          .string()
          .array()
          .min(3)
          .parse(/^([A-Z])(\d+)(X?)$/.exec(loop));
        return { dimension: dimensionOf(match[1]!), bound: Number(match[2]), isSpatial: match[3] === "X" };
      });
      const loopsOf = (isSpatial: boolean): Loop[] =>
        parsed
          .filter((loop) => loop.isSpatial === isSpatial && loop.bound > 1)
          .map(({ dimension, bound }) => ({ dimension, bound }));
      return {
        level: name,
        keep: [...kept].map((letter) => tensors[letter]!),
        temporal: loopsOf(false),
        spatialX: loopsOf(true),
        spatialY: [],
      };
    }),
  };
}

/** Memories without limits: only the mapping's own parallelism bounds the cycles. */
function architectureOf(mapping: Mapping, columns: number): Architecture {
  const storage = { widthBits: 8, readPj: 0, writePj: 0, leakagePjPerCycle: 0, clusterSize: 1 };
  return {
    name: "gemmini",
    levels: mapping.levels.map(({ level, spatialX }) => ({
      name: level,
      storage,
      ...(spatialX.length > 0 && { fanout: { x: columns, y: 1, neighbourLinks: false } }),
    })),
    compute: { name: "mac", energyPj: 0 },
  };
}

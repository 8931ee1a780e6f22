import { type SystolicDataflow, type SystolicLayer, systolicConvolution, systolicCost } from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, type GoldenDifference, judge, skip, startComparison } from "./result.js";

// Reports that SCALE-Sim ships for its own test cases. Judged are the cycles without stalls and the buffer accesses.

const dataflows: Readonly<Record<string, SystolicDataflow>> = {
  ws: "weightStationary",
  is: "inputStationary",
  os: "outputStationary",
};

const size = z.int().positive();

const layerSchema = z.union([
  z.object({ name: z.string(), M: size, N: size, K: size }),
  z.object({
    name: z.string(),
    ifmap_h: size,
    ifmap_w: size,
    filter_h: size,
    filter_w: size,
    channels: size,
    num_filter: size,
    stride: size,
  }),
]);

const caseSchema = z.object({
  id: z.string(),
  judged: z.boolean().default(true),
  reason: z.string().optional(),
  config: z.object({ array: z.tuple([size, size]), dataflow: z.enum(["ws", "is", "os"]) }),
  layer: z.unknown(),
  expected: z.object({
    compute: z.object({ "Total Cycles": z.number(), "Stall Cycles": z.number() }),
    detailed_access: z.object({
      "SRAM IFMAP Reads": z.number(),
      "SRAM Filter Reads": z.number(),
      "SRAM OFMAP Writes": z.number(),
    }),
  }),
});

type ReferenceCase = z.infer<typeof caseSchema>;

const setSchema = z.array(caseSchema);

/** The set `scalesim_reference`. */
export function compareScaleSim(data: unknown): GoldenCase[] {
  return setSchema.parse(data).map((entry) => {
    if (!entry.judged) return skip(entry.id, entry.reason ?? "not judged: pruned weights, which no model covers");
    return judge(entry.id, () => compareCase(entry));
  });
}

function compareCase({ config, layer, expected }: ReferenceCase): readonly GoldenDifference[] {
  const [rows, columns] = config.array;
  const cost = systolicCost(layerOf(layer), { rows, columns, dataflow: dataflows[config.dataflow]! });
  const { compute, detailed_access: access } = expected;
  const comparison = startComparison();
  comparison.expect("cycles without stalls", compute["Total Cycles"] - compute["Stall Cycles"], cost.latencyCycles);
  comparison.expect("input reads", access["SRAM IFMAP Reads"], cost.buffers.inputReads);
  comparison.expect("weight reads", access["SRAM Filter Reads"], cost.buffers.weightReads);
  // With output stationary the tool writes rows that hold no output (cost-model.md section 6.1).
  if (config.dataflow !== "os") {
    comparison.expect("output writes", access["SRAM OFMAP Writes"], cost.buffers.outputWrites);
  }
  return comparison.differences;
}

function layerOf(data: unknown): SystolicLayer {
  const layer = layerSchema.parse(data);
  if ("M" in layer) return { name: layer.name, rows: layer.M, inner: layer.K, columns: layer.N };
  return systolicConvolution({
    name: layer.name,
    inputHeight: layer.ifmap_h,
    inputWidth: layer.ifmap_w,
    kernelHeight: layer.filter_h,
    kernelWidth: layer.filter_w,
    channels: layer.channels,
    filters: layer.num_filter,
    strideHeight: layer.stride,
    strideWidth: layer.stride,
  });
}

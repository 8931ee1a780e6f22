import { type RowStationaryOperator, rowStationaryClockHz, rowStationaryCost } from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, type GoldenDifference, judge, startComparison } from "./result.js";

// Outputs of the Eyeriss-only predictor of DNN-Chip-Predictor for operators of NAS-Bench-201.

/** The same formulas in another order of operations. */
const RELATIVE_TOLERANCE = 1e-12;

const kinds = { Conv: "convolution", FC: "linear", AvgP: "averagePooling" } as const;
const size = z.int().positive();

const operatorSchema = z.object({
  type: z.enum(["Conv", "FC", "AvgP"]),
  kernel_size: size,
  stride: size,
  input_H: size,
  input_W: size,
  input_C: size,
  output_E: size,
  output_F: size,
  output_M: size,
  energyMj: z.number(),
  latencyMs: z.number(),
  minEnergyMj: z.number(),
  minLatencyMs: z.number(),
});

/** The set `eyeriss-row-stationary-operators`. */
export function compareEyerissOperators(data: unknown): GoldenCase[] {
  return z
    .array(operatorSchema)
    .parse(data)
    .map((entry, index) => judge(`operator:${index}`, () => compareOperator(entry)));
}

function compareOperator(entry: z.infer<typeof operatorSchema>): readonly GoldenDifference[] {
  const operator: RowStationaryOperator = {
    kind: kinds[entry.type],
    inputChannels: entry.input_C,
    inputHeight: entry.input_H,
    inputWidth: entry.input_W,
    outputChannels: entry.output_M,
    outputHeight: entry.output_E,
    outputWidth: entry.output_F,
    kernelSize: entry.kernel_size,
    stride: entry.stride,
  };
  const { chosen, leastEnergyPj, leastLatencyCycles } = rowStationaryCost(operator);
  const milliseconds = (cycles: number): number => (1e3 * cycles) / rowStationaryClockHz;
  const comparison = startComparison();
  comparison.expectRelative("energy (mJ)", entry.energyMj, chosen.energyPj * 1e-9, RELATIVE_TOLERANCE);
  comparison.expectRelative("latency (ms)", entry.latencyMs, milliseconds(chosen.latencyCycles), RELATIVE_TOLERANCE);
  comparison.expectRelative("least energy (mJ)", entry.minEnergyMj, leastEnergyPj * 1e-9, RELATIVE_TOLERANCE);
  comparison.expectRelative(
    "least latency (ms)",
    entry.minLatencyMs,
    milliseconds(leastLatencyCycles),
    RELATIVE_TOLERANCE,
  );
  return comparison.differences;
}

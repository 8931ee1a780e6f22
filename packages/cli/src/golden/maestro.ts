import { type RowStationaryOperator, rowStationaryCost } from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, judge, skip, startComparison } from "./result.js";

// MAESTRO's runs of AlexNet on a row-stationary array of 168 units, four images. Bounds and their reasons:
// docs/models/bounds.md, written before the comparison.

const BATCH = 4;
const CYCLE_FACTOR = 1.5;

const rowSchema = z.object({
  "Layer Number": z.string(),
  "Runtime (Cycles)": z.coerce.number(),
  "Num MACs": z.coerce.number(),
});

const setSchema = z.object({ rows: z.array(rowSchema) });

interface AlexNetLayer {
  /** Halves of the network that do not see each other. */
  readonly groups: number;
  readonly operator: RowStationaryOperator;
}

/** Channels are of one group. */
function layer(
  groups: number,
  [inputChannels, outputChannels]: readonly [number, number],
  [input, output]: readonly [number, number],
  [kernelSize, stride]: readonly [number, number],
): AlexNetLayer {
  return {
    groups,
    operator: {
      kind: "convolution",
      inputChannels,
      outputChannels,
      inputHeight: input,
      inputWidth: input,
      outputHeight: output,
      outputWidth: output,
      kernelSize,
      stride,
    },
  };
}

/** AlexNet as Krizhevsky published it: layers 2, 4 and 5 in two groups. */
const alexNet: Readonly<Record<string, AlexNetLayer>> = {
  CONV1: layer(1, [3, 96], [227, 55], [11, 4]),
  CONV2: layer(2, [48, 128], [27, 27], [5, 1]),
  CONV3: layer(1, [256, 384], [13, 13], [3, 1]),
  CONV4: layer(2, [192, 192], [13, 13], [3, 1]),
  CONV5: layer(2, [192, 128], [13, 13], [3, 1]),
};

/** The set `maestro_executed`. */
export function compareMaestro(data: unknown): GoldenCase[] {
  return setSchema.parse(data).rows.map((row) => {
    const name = row["Layer Number"];
    const found = alexNet[name];
    if (found === undefined) return skip(name, "not a convolution of AlexNet");
    return judge(name, () => {
      const { groups, operator } = found;
      const { inputChannels, outputChannels, outputHeight, outputWidth, kernelSize } = operator;
      const macs = BATCH * groups * inputChannels * outputChannels * outputHeight * outputWidth * kernelSize ** 2;
      const cycles = BATCH * groups * rowStationaryCost(operator).leastLatencyCycles;
      const comparison = startComparison();
      comparison.expect("multiply-accumulates", row["Num MACs"], macs);
      const factor = Math.max(cycles / row["Runtime (Cycles)"], row["Runtime (Cycles)"] / cycles);
      if (factor > CYCLE_FACTOR) comparison.expect("cycles", row["Runtime (Cycles)"], cycles);
      return comparison.differences;
    });
  });
}

import { type Tensor, tensorFromData } from "@dovetail/graph";
import type { SwitchableNetwork } from "@dovetail/quant";

/**
 * Weights in which every precision has the batch-norm parameters and ranges of one: how a network that was trained at one
 * precision is used at others (RPI without RPT).
 */
export function copyPrecision(
  { network, bitWidths }: SwitchableNetwork,
  weights: ReadonlyMap<string, Tensor>,
  from: number,
): Map<string, Tensor> {
  const row = bitWidths.indexOf(from);
  const copied = new Map(weights);
  for (const { name, shape, row: index } of network.parameters) {
    if (index === undefined) continue;
    const values = weights.get(name)!.data as Float32Array;
    const size = values.length / bitWidths.length;
    const rows = new Float32Array(values.length);
    for (let target = 0; target < bitWidths.length; target++) {
      rows.set(values.subarray(row * size, (row + 1) * size), target * size);
    }
    copied.set(name, tensorFromData("float32", shape, rows));
  }
  return copied;
}

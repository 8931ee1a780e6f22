import { join } from "node:path";
import { decodePacked, unpackTensor } from "@dovetail/compress";
import { readModel, type Tensor, tensorNumbers } from "@dovetail/graph";
import { readWholeFile } from "@dovetail/train";
import { inFile } from "../files/read-text.js";
import { runFiles } from "./layout.js";

/** The weights that the network computes with are those of the packed file, rounded to 8 bit with a scale a channel. */
export async function packedFaults(folder: string): Promise<string[]> {
  const path = join(folder, runFiles.packed);
  const bytes = await readWholeFile(path, 2 ** 31 - 1);
  const { tensors } = inFile(path, () => decodePacked(bytes));
  const { graph } = readModel(await readWholeFile(join(folder, runFiles.network), 2 ** 31 - 1));
  const faults: string[] = [];
  for (const [name, packed] of tensors) {
    if (packed.kind !== "structured") continue;
    const codes = graph.initializers.get(`${name}:quantized`);
    const scales = graph.initializers.get(`${name}:scale`);
    if (!codes || !scales) faults.push(`${name} is no weight of the network`);
    else if (!isRounded(unpackTensor(packed), codes, tensorNumbers(scales), packed.isTransposed)) {
      faults.push(`${name}: the packed weights are not the network's`);
    }
  }
  return faults;
}

function isRounded(weight: Tensor, codes: Tensor, scales: readonly number[], isTransposed: boolean): boolean {
  const values = tensorNumbers(weight);
  const integers = tensorNumbers(codes);
  const size = values.length / scales.length;
  return values.every((value, index) => {
    const channel = isTransposed ? index % scales.length : Math.floor(index / size);
    return Math.abs(value / scales[channel]! - integers[index]!) < 0.501;
  });
}

import { digestOfBytes, type ImageDataset } from "@dovetail/train";
import type { Origin } from "./metrics.js";
import type { RunRecord } from "./record.js";

/**
 * Where a run's figures come from. Inputs are named by the file's place in the run folder, or by the short name that the
 * data set gives its files, so that no path of a machine stands in the results.
 */
export function originOf(
  { command, versions }: RunRecord,
  seed: number,
  dataset: ImageDataset,
  files: ReadonlyMap<string, string | Uint8Array>,
): Origin {
  const own = [...files].map(([name, contents]) => [name, digestOfBytes(contents)] as const);
  const ofData = dataset.source.files.map(({ name, sha256 }) => [name, sha256] as const);
  return { seed, versions, command, inputs: Object.fromEntries([...own, ...ofData]) };
}

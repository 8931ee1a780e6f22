import type { PublishedFault } from "@dovetail/nasbench";

/** Known faults of the published data, for people. */
export function faultLines(faults: readonly PublishedFault[]): string[] {
  return faults.map(({ metrics, text }) => `  note on ${metrics.join(", ")}: ${text}`);
}

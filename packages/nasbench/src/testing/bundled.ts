// For tests only: the tables that come with the package.
import { readFileSync } from "node:fs";
import { benchmarkFiles, type HardwareBenchmark, readBenchmark } from "../tables/benchmark.js";

export function bundledBytes(): { readonly cells: Uint8Array; readonly fbnet: Uint8Array } {
  const read = (name: string): Uint8Array => readFileSync(new URL(`../../data/${name}`, import.meta.url));
  return { cells: read(benchmarkFiles.cells), fbnet: read(benchmarkFiles.fbnet) };
}

export function bundledBenchmark(): Promise<HardwareBenchmark> {
  return readBenchmark(bundledBytes());
}

import type { Watch } from "@dovetail/core";
import type { DecodedImages, SourceFile } from "./dataset.js";

/** A data set that has been found and hashed, but not decoded. */
export interface ImageSource {
  readonly name: string;
  readonly files: readonly SourceFile[];
  readonly citation: string;
  readonly licence: string;
  /** Everything besides the files that the decoded bytes depend on. */
  readonly options: Readonly<Record<string, unknown>>;
  decode(watch: Watch): Promise<DecodedImages>;
}

/** What a decoding loop calls every so often: reports progress, lets other work run, and stops when cancelled. */
export async function reportDecoding(watch: Watch, name: string, done: number, total: number): Promise<void> {
  watch.signal?.throwIfAborted();
  watch.onProgress?.({ task: `decode ${name}`, done, total, unit: "images" });
  await new Promise((resolve) => setImmediate(resolve));
}

/** How many images are decoded between two reports. */
export const decodingStride = 1000;

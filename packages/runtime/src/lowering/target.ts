import type { ProviderName } from "../providers/provider.js";

/** What a graph is lowered to. */
export interface LoweringTarget {
  readonly provider: ProviderName;
  /** Channels in a block of the blocked layout: 16 with AVX-512, 8 with AVX2; undefined where there is none. */
  readonly blockSize?: 8 | 16 | undefined;
}

import type { PixelOptions } from "../layers/pixels.js";

/** What every network of the zoo can be asked for. */
export interface ZooOptions {
  /** 10 by default. */
  readonly classCount?: number | undefined;
  readonly pixels?: PixelOptions | undefined;
}

import type { CommonOptions } from "../terminal/command-io.js";
import type { BitOptions } from "./network-cost.js";

/** What a tool's files are costed with. */
export interface CostFromOptions extends CommonOptions, BitOptions {
  readonly verbose?: boolean;
}

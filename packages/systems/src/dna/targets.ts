import type { RandomStream } from "@dovetail/core";
import { createAsicTarget } from "./asic-target.js";
import { createFpgaTarget } from "./fpga-target.js";
import type { CoSearchOptions } from "./options.js";
import type { Target } from "./target.js";

/** The hardware that a recipe asks for. */
export function createTarget(options: CoSearchOptions, random: RandomStream): Target {
  return options.target.kind === "asic" ? createAsicTarget(options, random) : createFpgaTarget(options);
}

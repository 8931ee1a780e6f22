import { inputError, nearestWord } from "@dovetail/core";
import type { CommandIo } from "../terminal/command-io.js";
import type { CostFromOptions } from "./cost-from-options.js";
import { costFromScaleSim } from "./cost-from-scalesim.js";
import { costFromTimeloop } from "./cost-from-timeloop.js";
import { costFromZigZag } from "./cost-from-zigzag.js";

// `dovetail cost --from TOOL FILES…`: the files of another tool, costed by the model that agrees with it.

type CostFromTool = (io: CommandIo, options: CostFromOptions, files: readonly string[]) => Promise<void>;

const tools: Readonly<Record<string, CostFromTool>> = {
  scalesim: costFromScaleSim,
  timeloop: costFromTimeloop,
  zigzag: costFromZigZag,
};

/** The tools, for the help. */
export const toolNames: readonly string[] = Object.keys(tools);

/** Costs the files of a tool. Throws the input error `unknown_tool`. */
export async function costFrom(
  io: CommandIo,
  tool: string,
  options: CostFromOptions,
  files: readonly string[],
): Promise<void> {
  const run = Object.hasOwn(tools, tool) ? tools[tool] : undefined;
  if (run !== undefined) return run(io, options, files);
  const near = nearestWord(tool, toolNames);
  throw inputError("unknown_tool", "the files of this tool cannot be read", {
    file: "--from",
    expected: `one of ${toolNames.join(", ")}`,
    received: tool,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

import { inputError } from "@dovetail/core";
import { printMapping, printProblem, readTimeloop, type TimeloopInput } from "@dovetail/hardware";
import { readText } from "../files/read-text.js";
import { type CommandIo, printResult } from "../terminal/command-io.js";
import type { CostFromOptions } from "./cost-from-options.js";
import { refusal } from "./refusal.js";
import { costMapping, describeCost } from "./sparse-cost.js";

/** Timeloop's files, in any order: one processed input, or architecture, problem and mapping apart, and an ERT. */
export async function readTimeloopInput(files: readonly string[]): Promise<TimeloopInput> {
  if (files.length === 0) {
    throw inputError("timeloop_files", "no file", {
      expected: "Timeloop's files: a processed input, or architecture, problem, mapping; and an ERT",
    });
  }
  return readTimeloop(await Promise.all(files.map(async (file) => ({ file, text: await readText(file) }))));
}

/** What a mapping of Timeloop costs, by the model that counts as Timeloop does. */
export async function costFromTimeloop(
  io: CommandIo,
  options: CostFromOptions,
  files: readonly string[],
): Promise<void> {
  const { problem, architecture, mapping } = await readTimeloopInput(files);
  if (mapping === undefined) {
    throw inputError("timeloop_section", "no file has a mapping", {
      expected: "a section mapping",
      received: files.join(", "),
      hint: "dovetail map --from timeloop looks for one",
    });
  }
  const cost = costMapping(problem, architecture, mapping, "timeloop");
  if (!cost.ok) throw refusal(files.join(", "), cost);
  printResult(io, options, { ...cost, mapping }, () => [
    printProblem(problem),
    printMapping(mapping),
    describeCost(cost),
  ]);
}

import { join } from "node:path";
import { createRandomStream, inputError } from "@dovetail/core";
import {
  type CostModel,
  type MapperName,
  mapLayerWith,
  type Objective,
  printMapping,
  printProblem,
  type TimeloopInput,
  writeArchitecture,
  writeMapping,
  writeProblem,
} from "@dovetail/hardware";
import { writeFileAtomically } from "@dovetail/train";
import { type CommandIo, type CommonOptions, printResult, withWatch } from "../terminal/command-io.js";
import { readTimeloopInput } from "./cost-from-timeloop.js";
import { describeProofs, proofOf } from "./map-proof.js";
import { refusal } from "./refusal.js";
import { costMapping, describeCost } from "./sparse-cost.js";

export interface MapFromOptions extends CommonOptions {
  readonly objective: Objective;
  readonly evaluations: number;
  readonly seed: number;
  readonly model: CostModel;
  readonly mapper: MapperName;
  readonly nodes?: number;
  readonly output?: string;
}

/** Searches a mapping in the constraints of Timeloop's files; sparsity is looked at when it is costed, not in the search. */
export async function mapFrom(
  io: CommandIo,
  tool: string,
  options: MapFromOptions,
  files: readonly string[],
): Promise<void> {
  if (tool !== "timeloop") {
    throw inputError("unknown_tool", "no mapping is searched in the files of this tool", {
      file: "--from",
      expected: "timeloop",
      received: tool,
      hint: tool === "zigzag" ? "dovetail cost --from zigzag searches itself" : undefined,
    });
  }
  const input = await readTimeloopInput(files);
  const { problem } = input;
  const architecture = input.constrained();
  const { objective, evaluations, nodes, seed, model, mapper } = options;
  const effort = { evaluations, ...(nodes !== undefined && { nodes }) };
  const found = await withWatch(io, options, async ({ signal }) =>
    mapLayerWith(problem, architecture, {
      objective,
      ...effort,
      mapper,
      model,
      random: createRandomStream(seed),
      signal,
    }),
  );
  const name = files.join(", ");
  if (!found.ok) throw refusal(name, found.rejection, "no mapping fits the constraints");
  const cost = costMapping(problem, architecture, found.mapping, model);
  if (!cost.ok) throw refusal(name, cost);
  if (options.output !== undefined) await writeDocuments(options.output, { ...input, mapping: found.mapping });
  const proofs = proofOf(problem.name, found);
  const result = { ...cost, mapping: found.mapping, ...(proofs.length > 0 && { proofs }) };
  printResult(io, options, result, () => [
    printProblem(problem),
    printMapping(found.mapping),
    describeCost(cost),
    ...describeProofs(proofs),
  ]);
}

/** Problem, architecture and mapping as our documents. */
async function writeDocuments(folder: string, { problem, mapping, constrained }: TimeloopInput): Promise<void> {
  await writeFileAtomically(join(folder, "problem.yaml"), writeProblem(problem));
  await writeFileAtomically(join(folder, "architecture.yaml"), writeArchitecture(constrained()));
  await writeFileAtomically(join(folder, "mapping.yaml"), writeMapping(mapping!));
}

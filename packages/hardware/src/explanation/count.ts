import { inputError } from "@dovetail/core";
import type { MappingRejection } from "../analysis/check.js";
import type { Architecture } from "../architecture/architecture.js";
import { costModelOf, type DataSpaceCost, type MappingCost } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { explainExact } from "./exact.js";
import type { CountExplanation, CountQuestion, NamedCount } from "./explanation.js";
import { explainTimeloop } from "./timeloop.js";

/**
 * Derives a count of a mapping that fits; the rejection when it does not.
 *
 * @throws DovetailError `unknown_count` when the level does not keep the tensor, or either does not exist.
 */
export function explainCount(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  question: CountQuestion,
): CountExplanation | MappingRejection {
  const cost = evaluateCost(problem, architecture, mapping, question);
  if (!cost.ok) return cost;
  const count = findCount(cost, question);
  if (count === undefined) {
    throw inputError("unknown_count", "there is no such count", {
      received: `${question.level}.${question.dataSpace}.${question.kind}`,
    });
  }
  const model = costModelOf(question);
  return model === "exact"
    ? explainExact(problem, architecture, mapping, question, count)
    : explainTimeloop(problem, architecture, mapping, question, count);
}

function findCount(
  cost: MappingCost,
  { level, dataSpace, kind }: Pick<NamedCount, "level" | "dataSpace" | "kind">,
): NamedCount | undefined {
  const at = cost.levels.find((candidate) => candidate.level === level);
  const space: DataSpaceCost | undefined = at?.dataSpaces.find((candidate) => candidate.dataSpace === dataSpace);
  if (at === undefined || space === undefined) return undefined;
  return { level, dataSpace, kind, words: space[kind], instances: at.instances };
}

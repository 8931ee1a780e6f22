import { inputError } from "@dovetail/core";
import {
  type Architecture,
  type CostModel,
  type CostResult,
  evaluateCost,
  evaluateSparseCost,
  isSparse,
  type Mapping,
  type MappingCost,
  type Problem,
  printCost,
  printSparseCost,
  type SparseCost,
} from "@dovetail/hardware";

// Tensors with zeros are costed by the sparse layer, which lies on the counts of the model *timeloop* and on no other's.

/**
 * Cost of a mapping by a model; where the layer or the architecture has sparsity, by the sparse layer.
 *
 * @throws DovetailError `mapping_rejected` when the mapping does not go with the formats.
 */
export function costMapping(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  model: CostModel,
): CostResult {
  if (!isSparse(problem, architecture)) return evaluateCost(problem, architecture, mapping, { model });
  const cost = evaluateSparseCost(problem, architecture, mapping);
  if (cost.ok || cost.reason !== "sparsity") return cost;
  throw inputError("mapping_rejected", `the mapping does not go with the formats: ${cost.message}`, {
    path: [`${cost.dataSpace} at ${cost.level}`],
  });
}

/** The cost as tables, of sparsity too where there is any. */
export function describeCost(cost: MappingCost): string {
  return isSparseCost(cost) ? printSparseCost(cost) : printCost(cost);
}

function isSparseCost(cost: MappingCost): cost is SparseCost {
  return "gated" in cost.compute;
}

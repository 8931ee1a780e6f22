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

/**
 * Throws the input error `sparse_counts` where counts are asked to be derived or compared that sparsity has changed: the
 * derivations are of dense counts.
 */
export function refuseSparse(problem: Problem, architecture: Architecture, option: string): void {
  if (!isSparse(problem, architecture)) return;
  throw inputError("sparse_counts", `${option} speaks of dense counts, and tensors here are sparse`, {
    hint: "without density and sparse in the documents the counts are dense; docs/models/sparse.md says what sparsity makes of them",
  });
}

/** What a mapper found, costed with its sparsity: mappers count as if there were none. */
export function withSparsity(
  found: { readonly mapping: Mapping; readonly cost: MappingCost },
  problem: Problem,
  architecture: Architecture,
  model: CostModel,
): MappingCost {
  if (!isSparse(problem, architecture)) return found.cost;
  const cost = costMapping(problem, architecture, found.mapping, model);
  if (cost.ok) return cost;
  throw inputError("mapping_rejected", "the mapping that was found does not fit with its metadata", {
    path: [cost.level ?? ""],
    expected: cost.available === undefined ? undefined : `at most ${cost.available}`,
    received: cost.needed === undefined ? undefined : `${cost.needed}`,
  });
}

/** The cost as tables, of sparsity too where there is any. */
export function describeCost(cost: MappingCost): string {
  return isSparseCost(cost) ? printSparseCost(cost) : printCost(cost);
}

function isSparseCost(cost: MappingCost): cost is SparseCost {
  return "gated" in cost.compute;
}

import type { MappingRejection } from "../analysis/check.js";
import type { Tables } from "../analysis/tables.js";
import type { Architecture } from "../architecture/architecture.js";
import type { CostOptions } from "../cost/cost.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { type Computes, countComputes, type Operand } from "./compute.js";
import { defineRanks } from "./fiber-ranks.js";
import { expectOccupancies } from "./occupancy.js";
import { chooseOptimizations } from "./optimizations.js";
import { type Prepared, prepareSparse } from "./prepare.js";
import type { SparseAction } from "./schema.js";
import { countSparse } from "./traffic.js";

/** Why a mapping does not go with what the architecture says about sparsity. */
export interface SparseRejection {
  readonly ok: false;
  readonly reason: "sparsity";
  readonly level: string;
  readonly dataSpace: string;
  readonly message: string;
}

/** Accesses and operations of a mapping on sparse tensors. */
export interface SparseAnalysis extends Prepared {
  readonly ok: true;
  readonly computes: Computes;
}

/**
 * Counts what a mapping does on sparse tensors, after Timeloop's sparse analysis (`PerformSparseProcessing`) at commit
 * 4cf6d4c. docs/models/sparse.md has the mechanics.
 */
export function analyzeSparse(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  options: CostOptions = {},
): SparseAnalysis | SparseRejection | MappingRejection {
  const prepared = prepareSparse(problem, architecture, mapping, options);
  if ("ok" in prepared) return prepared;
  const refused = conversionsRefused(prepared) ?? ranksRefused(prepared);
  if (refused !== undefined) return refused;
  for (const movements of prepared.movements) expectOccupancies(movements);
  const { levels, rates, tables, nest, movements, models } = prepared;
  const inner = <T>(values: (level: number) => T): T[] => levels.map((_, level) => values(levels.length - 1 - level));
  const blocks = inner((level) => rates.wordsPerAccess[level * tables.spaces.length]!);
  const optimizations = chooseOptimizations(
    {
      nest,
      movements,
      models,
      blocks,
      metadataRatio: levels.map((level, index) =>
        Math.floor((level?.metadata?.wordBits ?? 0) / wordBits(prepared, index)),
      ),
    },
    levels.map((level) => concerning(level?.actions ?? [], tables)),
    inner((level) => rates.readPj[level]!),
  );
  if ("target" in optimizations) {
    return sparseRejection(prepared, optimizations.level, optimizations.target, "no level from here on keeps it");
  }
  let operations = prepared.counts.computes;
  const operands: Operand[] = [];
  tables.spaces.forEach((space, index) => {
    const { arrival, computes } = countSparse(movements[index]!, optimizations[index]!, space.readWrite, operations);
    operations = computes;
    if (!space.readWrite) operands.push(operandOf(prepared, index, arrival.leftOut));
  });
  const [first, second] = operands;
  if (first === undefined || second === undefined || operands.length > 2) {
    const name = tables.spaces.find(({ readWrite }) => !readWrite)?.name ?? tables.spaces[0]!.name;
    return sparseRejection(prepared, 0, name, "the sparse model multiplies two tensors, no more and no fewer");
  }
  const sparsity = architecture.compute.sparse ?? {};
  return { ...prepared, ok: true, computes: countComputes(operations, [first, second], sparsity) };
}

/** Actions on the tensors that the layer has; of options and leaders that it lacks nothing is left out. */
function concerning(actions: readonly SparseAction[], { spaces }: Tables): SparseAction[] {
  const has = (name: string): boolean => spaces.some((space) => space.name === name);
  return actions.flatMap(({ kind, options }) => {
    const own = options
      .map(({ target, on }) => ({ target, on: on.filter(has) }))
      .filter(({ target, on }) => has(target) && on.length > 0);
    return own.length === 0 ? [] : [{ kind, options: own }];
  });
}

function wordBits({ rates, tables }: Prepared, level: number): number {
  return rates.wordBits[(tables.levelCount - 1 - level) * tables.spaces.length]!;
}

function operandOf({ movements, models, tables }: Prepared, space: number, leftOut: number | undefined): Operand {
  const innermost = movements[space]!.find(({ shape }) => shape > 0);
  const point = Array.from({ length: tables.spaces[space]!.rankCount }, () => 1);
  const { occupancy, probability } = models[space]!.occupancies(point);
  const density = occupancy.reduce((sum, words, index) => sum + words * probability[index]!, 0);
  return { density: Math.round(density * 1e6) / 1e6, compressed: innermost?.format !== undefined, leftOut };
}

/** Where a tensor changes from compressed to not, the inner level must be able to do it; the other way nothing can. */
function conversionsRefused(prepared: Prepared): SparseRejection | undefined {
  const { tables, levels, movements } = prepared;
  for (const [index, { name, readWrite }] of tables.spaces.entries()) {
    for (const [level, movement] of movements[index]!.entries()) {
      if (movement.shape === 0 || movement.parent === undefined) continue;
      const parent = movements[index]![movement.parent]!;
      const refuse = (message: string): SparseRejection => sparseRejection(prepared, level, name, message);
      if (movement.compressed && !parent.compressed) return refuse("it is compressed here, but not in the level above");
      if (movement.compressed || !parent.compressed) continue;
      if (levels[level]?.decompresses !== true) return refuse("it comes compressed, and the level cannot decompress");
      if (readWrite && levels[level]?.compresses !== true)
        return refuse("it must go up compressed, and the level cannot compress");
    }
  }
  return undefined;
}

function ranksRefused(prepared: Prepared): SparseRejection | undefined {
  const { nest, tables, movements } = prepared;
  for (const [index, space] of tables.spaces.entries()) {
    const found = defineRanks(nest, space, movements[index]!);
    if (found === undefined) continue;
    const message =
      found.what === "ranks"
        ? "its loops ask for more ranks than the format has"
        : "the inner ranks of its format are not those of the next inner level";
    return sparseRejection(prepared, found.level, space.name, message);
  }
  return undefined;
}

function sparseRejection({ tables }: Prepared, level: number, dataSpace: string, message: string): SparseRejection {
  const { levels } = tables.architecture;
  return { ok: false, reason: "sparsity", level: levels[levels.length - 1 - level]!.name, dataSpace, message };
}

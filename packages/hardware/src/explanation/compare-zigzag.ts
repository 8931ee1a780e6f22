import { DovetailError } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import type { MappingCost } from "../cost/cost.js";
import type { Mapping } from "../mapping/mapping.js";
import { dropUnitDimensions } from "../mapspace/unit-dimensions.js";
import type { DataSpace, Problem } from "../workload/problem.js";
import type { DataMove } from "../zigzag/accelerator.js";
import { evaluateZigZag, type MemoryLevelCost, type ZigZagCost } from "../zigzag/cost.js";
import { asZigZag } from "./as-zigzag.js";
import { type CountKind, countKinds } from "./explanation.js";

// Where ZigZag's model counts otherwise than exact. The two have no rules in common that could be changed one by one, so
// that a mechanism is told by what the mapping has; what remains after those that can be computed goes to the last.

/**
 * - `held`: the innermost memory is read once for as long as a unit can hold the word
 * - `sentUp`: a sum that goes up is read in the memory that it leaves
 * - `firstSums`: the first sum of a word is read and moved like any other
 * - `window`: every tile is brought whole, and units that share a part of a window are served together
 * - `tiles`: a tile is brought in every round of the loops outside, or words shared in space are counted otherwise
 */
export type ZigZagMechanism = "held" | "sentUp" | "firstSums" | "window" | "tiles";

/** A count that differs. Words of all instances. */
export interface ZigZagDifference {
  readonly level: string;
  readonly dataSpace: string;
  readonly kind: CountKind;
  readonly zigzag: number;
  readonly exact: number;
  /** From ZigZag's count to the exact one. */
  readonly parts: readonly { readonly mechanism: ZigZagMechanism; readonly words: number }[];
}

export type ZigZagComparison =
  | {
      readonly ok: true;
      readonly cost: ZigZagCost;
      /** What the architecture says and ZigZag's hardware cannot: energies and times differ by it too. */
      readonly leftOut: readonly string[];
      readonly differences: readonly ZigZagDifference[];
    }
  | { readonly ok: false; readonly why: string };

/** ZigZag's model of a mapping without remainders beside the exact one, where it can be said in ZigZag's terms. */
export function compareZigZag(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  exact: MappingCost,
): ZigZagComparison {
  const reduced = dropUnitDimensions(problem);
  const asked = asZigZag(reduced, architecture, withoutUnitLoops(mapping));
  if (!asked.ok) return asked;
  let cost: ZigZagCost;
  try {
    cost = evaluateZigZag(asked.question);
  } catch (error) {
    // What else its mappings cannot say.
    if (error instanceof DovetailError) return { ok: false, why: error.diagnostics[0]!.message };
    throw error;
  }
  const differences = problem.dataSpaces.flatMap((space, index) =>
    differencesOf(space, reduced.dataSpaces[index]!, cost, exact),
  );
  return { ok: true, cost, leftOut: asked.leftOut, differences };
}

function withoutUnitLoops({ levels }: Mapping): Mapping {
  const longer = ({ bound }: { readonly bound: number }): boolean => bound > 1;
  return {
    levels: levels.map((level) => ({
      ...level,
      temporal: level.temporal.filter(longer),
      spatialX: level.spatialX.filter(longer),
      spatialY: level.spatialY.filter(longer),
    })),
  };
}

function differencesOf(space: DataSpace, reduced: DataSpace, cost: ZigZagCost, exact: MappingCost): ZigZagDifference[] {
  const operand = cost.operands.find(({ operand: name }) => name === space.name)!;
  const isWindow = reduced.projection.some((rank) => rank.length > 1);
  return operand.levels.flatMap((level, place) => {
    const ours = exact.levels.find(({ level: name }) => name === level.memory)!;
    const counts = ours.dataSpaces.find(({ dataSpace }) => dataSpace === space.name)!;
    return countKinds.flatMap((kind) => {
      const known = Math.round(counts[kind] * ours.instances);
      const moved = movesOf(space, kind).map((move) => wordsOf(level, move));
      const zigzag = moved.reduce((sum, words) => sum + words, 0);
      if (zigzag === known) return [];
      const parts: { mechanism: ZigZagMechanism; words: number }[] = [];
      let left = known - zigzag;
      const add = (mechanism: ZigZagMechanism, words: number): void => {
        if (words !== 0) parts.push({ mechanism, words });
        left -= words;
      };
      if (space.readWrite) {
        if (kind === "reads") add("sentUp", -moved[1]!);
        add(kind === "updates" ? "tiles" : "firstSums", left);
      } else {
        if (kind === "reads" && place === 0) add("held", zigzag * (operand.stationaryCycles - 1));
        add(isWindow ? "window" : "tiles", left);
      }
      return [{ level: level.memory, dataSpace: space.name, kind, zigzag, exact: known, parts }];
    });
  });
}

/** The moves that a count of ours has in it, from the memory's point of view. */
function movesOf({ readWrite }: DataSpace, kind: CountKind): readonly DataMove[] {
  if (kind === "fills") return ["writeFromHigh"];
  if (kind === "updates") return ["writeFromLow"];
  return readWrite ? ["readToLow", "readToHigh"] : ["readToLow"];
}

/** Words of a move, over all instances. */
function wordsOf({ moves, units, wordBits }: MemoryLevelCost, kind: DataMove): number {
  const found = moves.find(({ move }) => move === kind);
  return found === undefined ? 0 : Math.round((found.bits * found.periods * units) / wordBits);
}

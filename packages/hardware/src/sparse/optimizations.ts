import { type Impact, impactOf, type LeaderQuestion } from "./leaders.js";
import type { SparseAction } from "./schema.js";

/** What is left out of the accesses to one tensor at one level. */
export interface LevelOptimization {
  readonly kind: "gate" | "skip";
  readonly probability: number;
}

/** [data space][level], innermost first; undefined where all accesses are made. */
export type Optimizations = readonly (readonly (LevelOptimization | undefined)[])[];

/**
 * The optimizations of all levels (innermost first); a string names the target of one that no level keeps. Where two
 * of them concern the same accesses, the one that leaves out more counts, gating having been looked at first.
 * Timeloop's `DefineStorageOptimizationImpact` and `DefineIneffectualReadImpact`.
 */
export function chooseOptimizations(
  question: LeaderQuestion,
  actions: readonly (readonly SparseAction[])[],
  readPj: readonly number[],
): Optimizations | { readonly level: number; readonly target: string } {
  const chosen: (LevelOptimization | undefined)[][] = question.movements.map((levels) => levels.map(() => undefined));
  for (const kind of ["gate", "skip"] as const) {
    for (const [level, own] of actions.entries()) {
      for (const action of own.filter((candidate) => candidate.kind === kind)) {
        const impacts: Impact[] = [];
        for (const option of action.options) {
          const impact = impactOf(question, level, option);
          if (impact === undefined) return { level, target: option.target };
          impacts.push(impact);
        }
        const { target, level: at, probability } = mostSaving(impacts, question.blocks, readPj);
        const known = chosen[target]![at];
        if (known === undefined || known.probability < probability) chosen[target]![at] = { kind, probability };
      }
    }
  }
  return chosen;
}

/** The last of the options that save most: energy per word, words of the tile, share that is left out. */
function mostSaving(impacts: readonly Impact[], blocks: readonly number[], readPj: readonly number[]): Impact {
  let best = impacts[0]!;
  let most = 0;
  for (const impact of impacts) {
    const savings = (readPj[impact.level]! / blocks[impact.level]!) * impact.tileWords * impact.probability;
    if (savings < most) continue;
    best = impact;
    most = savings;
  }
  return best;
}

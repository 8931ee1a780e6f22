import type { Derivation } from "../analysis/derivation.js";
import type { CostOptions } from "../cost/cost.js";
import type { ExactDerivation } from "../exact/derivation.js";
import type { Mapping } from "../mapping/mapping.js";

// Why a count is what it is: a sum of terms, each with the loop-by-loop derivation that it comes from. The command line
// prints it; reports and pages may draw it.

export const countKinds = ["reads", "fills", "updates"] as const;

export type CountKind = (typeof countKinds)[number];

/** One summand of a count. */
export interface CountTerm {
  /** In words, to be read after the number. */
  readonly what: string;
  /** Per instance; negative where something is taken off. */
  readonly words: number;
}

/** Children of a level, and how many different tiles they hold at a time; in the model *timeloop*. */
export interface Spread {
  readonly level: string;
  readonly children: number;
  readonly classes: number;
}

interface Explanation {
  readonly ok: true;
  readonly level: string;
  readonly dataSpace: string;
  readonly kind: CountKind;
  /** Per instance in use: the sum of the terms. */
  readonly words: number;
  readonly instances: number;
  readonly terms: readonly CountTerm[];
}

export interface TimeloopExplanation extends Explanation {
  readonly model: "timeloop";
  /** The words that one child takes in; absent where nothing moves. */
  readonly derivation?: Derivation | undefined;
  /** From the level inwards to the last that the tensor passes by. */
  readonly spread: readonly Spread[];
}

export interface ExactExplanation extends Explanation {
  readonly model: "exact";
  /** The boundaries that the terms come from, in their order; none where nothing moves. */
  readonly derivations: readonly ExactDerivation[];
}

export type CountExplanation = TimeloopExplanation | ExactExplanation;

export interface CountQuestion extends CostOptions {
  readonly level: string;
  readonly dataSpace: string;
  readonly kind: CountKind;
}

/** What is known of a count before it is explained. */
export interface NamedCount {
  readonly level: string;
  readonly dataSpace: string;
  readonly kind: CountKind;
  readonly words: number;
  readonly instances: number;
}

/** The levels that keep a tensor, outermost first. */
export function keepersOf({ levels }: Mapping, dataSpace: string): string[] {
  return levels.filter(({ keep }) => keep.includes(dataSpace)).map(({ level }) => level);
}

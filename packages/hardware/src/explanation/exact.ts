import type { Architecture } from "../architecture/architecture.js";
import { deriveExact, type ExactDerivation } from "../exact/derivation.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import {
  type CountQuestion,
  type CountTerm,
  type ExactExplanation,
  keepersOf,
  type NamedCount,
} from "./explanation.js";

/** Terms and derivations of a count of the model *exact*. */
export function explainExact(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  { neighbourLinks }: CountQuestion,
  count: NamedCount,
): ExactExplanation {
  const { level, dataSpace, kind, instances } = count;
  const keepers = keepersOf(mapping, dataSpace);
  const outer = keepers[keepers.indexOf(level) - 1];
  const derive = (at: string): ExactDerivation =>
    deriveExact(problem, architecture, mapping, { level: at, dataSpace, neighbourLinks });
  const below = kind === "fills" ? undefined : derive(level);
  const above = outer === undefined || kind === "updates" ? undefined : derive(outer);
  const readWrite = (below ?? above)?.readWrite ?? false;
  const explain = (terms: readonly CountTerm[], derivations: readonly (ExactDerivation | undefined)[]) => ({
    ok: true as const,
    model: "exact" as const,
    ...count,
    terms: terms.filter(({ words }) => words !== 0),
    derivations: derivations.filter((derivation) => derivation !== undefined),
  });
  if (!readWrite) {
    if (kind === "updates") return explain([], []);
    if (kind === "fills") return explain(above ? fillTerms(above, instances) : [], [above]);
    const siblings = above?.passed ?? 0;
    return explain(
      [
        { what: `read for ${below!.child}`, words: below!.read / instances },
        { what: "read to be passed on to siblings", words: siblings / instances },
      ],
      [below, siblings > 0 ? above : undefined],
    );
  }
  if (kind === "updates") return explain([{ what: `written by ${below!.child}`, words: count.words }], [below]);
  const boundary = kind === "reads" ? below : above;
  if (boundary === undefined) return explain([], []);
  // Of the sums that the children take up, those that nothing was added to yet begin at zero.
  const takenUp = boundary.read / instances;
  const zero = count.words - takenUp;
  return explain(
    [
      { what: `sums taken up by ${boundary.child}, those of one word once`, words: takenUp },
      { what: "of them begin at zero", words: Math.abs(zero) < 1e-9 * takenUp ? 0 : zero },
    ],
    [boundary],
  );
}

function fillTerms({ level, taken, passed }: ExactDerivation, instances: number): CountTerm[] {
  return [
    { what: `read from ${level}, for itself or with others`, words: (taken - passed) / instances },
    { what: "passed on by siblings", words: passed / instances },
  ];
}

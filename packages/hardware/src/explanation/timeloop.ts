import { internalError } from "@dovetail/core";
import { type Derivation, deriveTraffic } from "../analysis/derivation.js";
import type { Architecture } from "../architecture/architecture.js";
import type { DataSpaceCost } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import {
  type CountQuestion,
  type CountTerm,
  keepersOf,
  type NamedCount,
  type Spread,
  type TimeloopExplanation,
} from "./explanation.js";

// In the model timeloop the words of a level are those of one child's walk times the different tiles, in all fan-outs
// down to the next level that keeps the tensor. (A level that is passed by multiplies the traffic of the next outer one by
// its own accesses over the words that arrive at it: of the walks all but the innermost cancel out.) What a level
// receives is the walk of its own tile, whatever the next outer level keeps.

/** Terms and derivation of a count of the model *timeloop*. */
export function explainTimeloop(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  question: CountQuestion,
  count: NamedCount,
): TimeloopExplanation {
  const { level, dataSpace, kind, words } = count;
  const { halo, neighbourLinks = true, elideFirstReads = true } = question;
  const names = architecture.levels.map(({ name }) => name);
  const keepers = keepersOf(mapping, dataSpace);
  const { readWrite } = problem.dataSpaces.find(({ name }) => name === dataSpace)!;
  const derive = (index: number): Derivation =>
    deriveTraffic(problem, architecture, mapping, { level: names[index]!, dataSpace, halo });
  const inner = keepers[keepers.indexOf(level) + 1];
  const last = inner === undefined ? names.length - 1 : names.indexOf(inner) - 1;
  const at = names.indexOf(level);
  const moves = kind === "fills" ? keepers[0] !== level : kind === "reads" || readWrite;
  const derivation = moves ? derive(kind === "fills" ? at - 1 : last) : undefined;
  const passed = kind === "fills" ? [] : names.slice(at, last + 1);
  const spread = derivation ? passed.map((_, index): Spread => spreadOf(derive(at + index))) : [];
  const tiles = spread.reduce((product, { classes }) => product * classes, 1);
  const terms: CountTerm[] = [];
  if (derivation) terms.push({ what: trafficWords[kind], words: derivation.wordsPerChild * tiles });
  const unlinked = countWithout(problem, architecture, mapping, {
    ...question,
    model: "timeloop",
    neighbourLinks: false,
  });
  if (readWrite && kind !== "updates" && elideFirstReads) {
    terms.push({
      what: "first sums of the words that fall to an instance are not read",
      words: -unlinked.partitionWords,
    });
  }
  const sum = terms.reduce((total, term) => total + term.words, 0);
  terms.push({ what: "more would be taken off than there is", words: unlinked[kind] - sum });
  if (neighbourLinks) terms.push({ what: "what neighbours pass on", words: words - unlinked[kind] });
  if (derivation === undefined && words === 0) terms.length = 0;
  return { ok: true, model: "timeloop", ...count, terms: terms.filter((term) => term.words !== 0), derivation, spread };
}

const trafficWords = {
  reads: "for what lies below",
  fills: "from above",
  updates: "from below",
} as const;

function spreadOf({ level, children, classes }: Derivation): Spread {
  return { level, children, classes };
}

/** The same data space with other options; the mapping fits whatever they are. */
function countWithout(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  { level, dataSpace, ...options }: CountQuestion,
): DataSpaceCost {
  const cost = evaluateCost(problem, architecture, mapping, options);
  if (!cost.ok) throw internalError("explanation_unfit", "the mapping no longer fits");
  const at = cost.levels.find((candidate) => candidate.level === level)!;
  return at.dataSpaces.find((candidate) => candidate.dataSpace === dataSpace)!;
}

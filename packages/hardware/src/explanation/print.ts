import { printDerivation } from "../analysis/derivation.js";
import type { ExactDerivation, ExactStep } from "../exact/derivation.js";
import type { CountExplanation, Spread } from "./explanation.js";

/** The derivation of a count as text. */
export function printExplanation(explanation: CountExplanation): string {
  const { level, dataSpace, kind, words, instances, terms } = explanation;
  const lines = [`${level}.${dataSpace}.${kind} = ${rounded(words)} words per instance, ${instances} in use`];
  if (terms.length === 0) lines.push("  nothing moves: this is where the tensor lies before and after the layer");
  const signed = terms.map(
    (term, index) => `${term.words < 0 ? "− " : index > 0 ? "+ " : ""}${rounded(Math.abs(term.words))}`,
  );
  const width = Math.max(0, ...signed.map((text) => text.length));
  terms.forEach(({ what }, index) => {
    lines.push(`  ${signed[index]!.padStart(width)}  ${what}`);
  });
  if (explanation.model === "exact") lines.push(...explanation.derivations.map(printExactDerivation));
  else if (explanation.derivation) {
    lines.push(
      printDerivation(explanation.derivation),
      ...printSpread(explanation.spread, explanation.derivation.wordsPerChild),
    );
  }
  return lines.join("\n");
}

function printSpread(spread: readonly Spread[], wordsPerChild: number): string[] {
  if (spread.length < 2) return [];
  const fanouts = spread.filter(({ children }) => children > 1);
  const tiles = fanouts.map(
    ({ level, children, classes }) => ` × ${classes} different tiles of ${children} below ${level}`,
  );
  const passed = spread
    .slice(1)
    .map(({ level }) => level)
    .join(" and ");
  const product = spread.reduce((total, { classes }) => total * classes, wordsPerChild);
  return [`  the tensor passes ${passed} by: ${wordsPerChild} words${tiles.join("")} = ${product}`];
}

/** One boundary of the model *exact* as text; words over all instances. */
export function printExactDerivation(derivation: ExactDerivation): string {
  const { level, dataSpace, readWrite, child, passedBy, parents, children, ranks, tileWords, steps } = derivation;
  const past = passedBy.length > 0 ? ` past ${passedBy.join(" and ")}` : "";
  const [from, to] = readWrite ? [child, level] : [level, child];
  const tile = ranks.map(({ rank, points, extent }) => `${points}${points < extent ? ` of ${extent}` : ""} (${rank})`);
  return [
    `${dataSpace} from ${from} to ${to}${past}: ${parents} × ${level}, ${children} × ${child}, words of all`,
    `  a tile of ${child}: ${tile.join(" × ") || "one word"} = ${tileWords} words; ${describeNetwork(derivation)}`,
    ...steps.map((step) => `  ${describeStep(step, derivation)}`),
    ...(steps.length > 1 ? [`  together: ${describeWords(derivation, derivation)}`] : []),
  ].join("\n");
}

function describeNetwork({ readWrite, multicast, links, parents, children }: ExactDerivation): string {
  if (parents === children) return readWrite ? "each goes back by itself" : "each is sent by itself";
  if (readWrite) return "sums of one word are added up on the way";
  const texts = {
    none: "every child is sent its own",
    tiles: "children with the same tile are sent it together",
    fragments: "a word is sent to all children together that want it",
  } as const;
  return `${texts[multicast]}${links ? ", and siblings pass on what they hold" : ""}`;
}

function describeStep(step: ExactStep, derivation: ExactDerivation): string {
  const { loop, times, move } = step;
  if (loop === undefined) {
    const when = derivation.steps.length > 1 || times === 1 ? "at the start" : `in each of ${times} cycles`;
    return `${when}: ${describeWords(step, derivation)}`;
  }
  const name = `${loop.dimension} 0..${loop.bound} at ${loop.level}, ${times} ${times === 1 ? "time" : "times"}`;
  if (move.every((distance) => distance === 0) && step.taken === 0) return `${name}: the tile stays, nothing is new`;
  return `${name}: the tile moves by (${move.join(", ")}), ${describeWords(step, derivation)}`;
}

function describeWords(
  { taken, passed, read }: Pick<ExactStep, "taken" | "passed" | "read">,
  { readWrite, child, level }: ExactDerivation,
): string {
  if (readWrite) return `${taken} sums begun by ${child}, ${read} reach ${level}`;
  const siblings = passed > 0 ? `, ${passed} of them from siblings` : "";
  return `${taken} words taken by ${child}${siblings}, ${read} read at ${level}`;
}

function rounded(words: number): string {
  return Number.isInteger(words) ? String(words) : words.toFixed(2);
}

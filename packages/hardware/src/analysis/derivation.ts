import { inputError } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { formatRank } from "../workload/projection.js";
import { encodeMapping } from "./code.js";
import { countClasses, createFanoutScratch } from "./fanout.js";
import { createNest, layOut } from "./nest.js";
import { compileTables, type Tables } from "./tables.js";
import {
  AGAIN,
  createTileWalk,
  type Halo,
  haloRules,
  STAYS,
  setDirection,
  startWalk,
  type TileWalk,
  takeStep,
  wordsOf,
} from "./walk.js";

/** What one temporal loop does to the tile of a child. */
export interface DerivationStep {
  /** Level that the loop stands at. */
  readonly level: string;
  readonly dimension: string;
  readonly bound: number;
  /** Move of the tile per rank when this loop advances and the loops inside start over. */
  readonly move: readonly number[];
  /** `stays`: nothing new; `again`: the same move as that of the innermost moving loop; `turns`: another one. */
  readonly kind: "stays" | "again" | "turns";
  /** Words that one such step brings. */
  readonly wordsPerStep: number;
  /** How often it happens over the whole layer. */
  readonly times: number;
}

/** Where the words between a level and its children come from, before links and before levels are passed by. */
export interface Derivation {
  readonly level: string;
  readonly dataSpace: string;
  /** The projection, as text, and the extent of one child's tile along each rank. */
  readonly ranks: readonly { readonly rank: string; readonly extent: number }[];
  /** Words of the first tile. */
  readonly tileWords: number;
  /** The temporal loops outside the tile, outermost first. */
  readonly steps: readonly DerivationStep[];
  /** Words that one child takes in: the first tile, and `wordsPerStep · times` of each loop. */
  readonly wordsPerChild: number;
  /** Children in use, and how many different tiles they hold at a time. */
  readonly children: number;
  readonly classes: number;
  /** Accesses of the level for its children: `wordsPerChild · classes`. */
  readonly accesses: number;
}

export interface DerivationOptions {
  readonly level: string;
  readonly dataSpace: string;
  readonly halo?: Halo | undefined;
}

/**
 * Why a count is what it is: the words that move between a level and its children, loop by loop.
 * The children of the innermost level are the compute units, which take one word per iteration.
 *
 * @throws DovetailError when the mapping, level or data space do not belong to the problem and the architecture.
 */
export function deriveTraffic(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  { level: levelName, dataSpace, halo = "timeloop-default" }: DerivationOptions,
): Derivation {
  const tables = compileTables(problem, architecture);
  const code = encodeMapping(tables, mapping);
  const level = architecture.levels.findIndex((candidate) => candidate.name === levelName);
  const space = tables.spaces.find((candidate) => candidate.name === dataSpace);
  if (level < 0 || space === undefined) {
    throw inputError("unknown_count", "there is no such count", { received: `${dataSpace} at ${levelName}` });
  }
  const nest = createNest(tables);
  layOut(nest, tables, code);
  const walk = createTileWalk(nest, space, tables.dimensionCount, haloRules[halo]);
  const tileWords = startWalk(walk, level);
  const extents = Array.from(walk.extent);
  const steps = deriveSteps(tables, walk, level, tileWords);
  const wordsPerChild = steps.reduce((sum, step) => sum + step.wordsPerStep * step.times, tileWords);
  const classes = countClasses(tables, nest, code, space, level, createFanoutScratch(tables));
  const { projection } = problem.dataSpaces.find((candidate) => candidate.name === dataSpace)!;
  return {
    level: levelName,
    dataSpace,
    ranks: projection.map((rank, index) => ({ rank: formatRank(rank), extent: extents[index]! })),
    tileWords,
    steps,
    wordsPerChild,
    children: nest.used[level]!,
    classes,
    accesses: wordsPerChild * classes,
  };
}

/** The steps of a walk that has just been started, outermost loop first. */
function deriveSteps(tables: Tables, walk: TileWalk, level: number, tileWords: number): DerivationStep[] {
  const { nest } = walk;
  const innermost = level === tables.levelCount - 1;
  const steps: DerivationStep[] = [];
  let started = false;
  let outside = nest.loopBound.subarray(nest.firstLoop[level]!, nest.loopCount).reduce((a, b) => a * b, 1);
  for (let loop = nest.firstLoop[level]!; loop < nest.loopCount; loop++) {
    let kind = takeStep(walk, loop);
    if (!started && kind !== STAYS) {
      // The innermost moving loop sets the direction.
      setDirection(walk);
      started = true;
      kind = AGAIN;
    }
    const bound = nest.loopBound[loop]!;
    outside /= bound;
    steps.unshift({
      level: levelOfLoop(tables, nest.firstLoop, loop),
      dimension: tables.dimensionNames[nest.loopDimension[loop]!]!,
      bound,
      move: Array.from(walk.move),
      kind: kind === STAYS ? "stays" : kind === AGAIN ? "again" : "turns",
      wordsPerStep: innermost ? 1 : wordsOf(walk, kind, tileWords),
      times: (bound - 1) * outside,
    });
  }
  return steps;
}

function levelOfLoop(tables: Tables, firstLoop: Int32Array, loop: number): string {
  let level = tables.levelCount - 1;
  while (level > 0 && loop >= firstLoop[level - 1]!) level--;
  return tables.architecture.levels[level]!.name;
}

/** The derivation as text. */
export function printDerivation(derivation: Derivation): string {
  const { level, dataSpace, ranks, tileWords, steps, wordsPerChild, children, classes, accesses } = derivation;
  const extents = ranks.map(({ rank, extent }) => `${extent} (${rank})`).join(" × ");
  const lines = steps.map(({ level: at, dimension, bound, move, kind, wordsPerStep, times }) => {
    const moves = kind === "stays" ? "stays" : `moves by (${move.join(", ")})`;
    return `  ${dimension} 0..${bound} at ${at}: ${moves}, ${wordsPerStep} words × ${times} times`;
  });
  return [
    `${dataSpace} below ${level}: ${wordsPerChild} words per child, ${accesses} accesses`,
    `  first tile: ${extents || "one word"} = ${tileWords} words`,
    ...lines,
    `  ${children} ${children === 1 ? "child" : "children"} with ${classes} different ${classes === 1 ? "tile" : "tiles"}`,
  ].join("\n");
}

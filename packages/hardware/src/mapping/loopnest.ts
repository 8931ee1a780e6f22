import { inputError } from "@dovetail/core";
import type { ReadOptions } from "../documents/document.js";
import type { Loop, Mapping, MappingLevel } from "./mapping.js";

// The mapping as people draw it: an indented loop nest, outermost first.
//
//   DRAM keeps Weights, Inputs, Outputs
//     for P in 0..8
//       array keeps -
//         spatial y for C in 0..4
//           spatial x for Q in 0..14

const levelLine = /^([A-Za-z_][A-Za-z0-9_.-]*) keeps (.+)$/;
const loopLine = /^(?:spatial ([xy]) )?for ([A-Za-z_][A-Za-z0-9_]*) in 0\.\.(\d+)$/;

/** The mapping as an indented loop nest; `parseMapping` gives the same mapping back. */
export function printMapping(mapping: Mapping): string {
  const lines: string[] = [];
  let depth = 0;
  for (const level of mapping.levels) {
    const keep = level.keep.length === 0 ? "-" : level.keep.join(", ");
    lines.push(`${"  ".repeat(depth++)}${level.level} keeps ${keep}`);
    const add = (prefix: string, loops: readonly Loop[]): void => {
      for (const { dimension, bound } of loops) {
        lines.push(`${"  ".repeat(depth++)}${prefix}for ${dimension} in 0..${bound}`);
      }
    };
    add("", level.temporal);
    add("spatial y ", level.spatialY);
    add("spatial x ", level.spatialX);
  }
  return lines.join("\n");
}

interface OpenLevel {
  level: string;
  keep: string[];
  temporal: Loop[];
  spatialY: Loop[];
  spatialX: Loop[];
}

/**
 * Reads what `printMapping` wrote; indentation and blank lines are free.
 *
 * @throws DovetailError `mapping_syntax` with line and column.
 */
export function parseMapping(text: string, options: ReadOptions = {}): Mapping {
  const levels: OpenLevel[] = [];
  text.split(/\r?\n/).forEach((source, index) => {
    const line = source.trim();
    if (line === "") return;
    const place = { file: options.file, line: index + 1, column: source.indexOf(line) + 1, received: line };
    const header = levelLine.exec(line);
    if (header) {
      levels.push({ ...openLevel(header[1]!), keep: names(header[2]!) });
      return;
    }
    const loop = loopLine.exec(line);
    const level = levels[levels.length - 1];
    if (!loop || !level) {
      throw inputError("mapping_syntax", "not a line of a loop nest", {
        ...place,
        expected: level ? "`LEVEL keeps A, B` or `[spatial x|y] for D in 0..N`" : "`LEVEL keeps A, B`",
      });
    }
    addLoop(level, loop, place);
  });
  if (levels.length === 0) throw inputError("mapping_syntax", "the loop nest is empty", { file: options.file });
  return { levels: levels as readonly MappingLevel[] };
}

type Place = { file: string | undefined; line: number; column: number; received: string };

function addLoop(level: OpenLevel, match: RegExpExecArray, place: Place): void {
  const loop = { dimension: match[2]!, bound: Number(match[3]) };
  if (!Number.isSafeInteger(loop.bound) || loop.bound < 1) {
    throw inputError("mapping_syntax", "a loop's bound must be at least 1", place);
  }
  const kind = match[1] === undefined ? "temporal" : match[1] === "x" ? "spatialX" : "spatialY";
  if (kind !== "spatialX" && level.spatialX.length > 0) {
    throw inputError("mapping_syntax", "this loop must stand before the level's spatial x loops", place);
  }
  if (kind === "temporal" && level.spatialY.length > 0) {
    throw inputError("mapping_syntax", "a temporal loop must stand before the level's spatial loops", place);
  }
  if (level[kind].some((other) => other.dimension === loop.dimension)) {
    throw inputError("mapping_syntax", "this dimension has a loop of this kind here already", place);
  }
  level[kind].push(loop);
}

function openLevel(level: string): OpenLevel {
  return { level, keep: [], temporal: [], spatialY: [], spatialX: [] };
}

function names(list: string): string[] {
  return list === "-" ? [] : list.split(",").map((name) => name.trim());
}

import { inputError } from "@dovetail/core";
import type { Architecture, ArchitectureLevel } from "../architecture/architecture.js";
import { evaluateCost } from "../cost/explain.js";
import type { Loop, Mapping, MappingLevel } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";

// The row-stationary dataflow by rule, without a search: what a chip does that has one dataflow for all layers.

type Bounds = Readonly<Record<string, number>>;

/** Levels of the Eyeriss-like family, outermost first. */
const levelNames = ["DRAM", "globalBuffer", "columns", "rows", "inputs", "weights", "partialSums"] as const;

/**
 * Row stationary on an Eyeriss-like array (`eyerissLike`; Chen et al., JSSC 2017): kernel rows over the array's rows and
 * output rows over its columns, channels and filters over what is left of them; in a processing element a kernel row of
 * as many channels and filters as the scratchpads hold; an image row after another in the buffer, and as many more filters
 * as fit there; channels innermost outside, so that partial sums stay. Bounds may leave remainders: for the model *exact*.
 *
 * @throws DovetailError `row_stationary_levels` for an architecture that is not of this family, and
 * `row_stationary_capacity` where not even a pixel of the layer fits it.
 */
export function rowStationaryMapping(problem: Problem, architecture: Architecture): Mapping {
  const array = arrayOf(architecture);
  const size = (dimension: string): number => problem.dimensions[dimension] ?? 1;
  const [r, p] = [Math.min(size("R"), array.rows), Math.min(size("P"), array.columns)];
  const s = Math.min(size("S"), array.inputWords);
  const [channels, channelSets] = dealt(size("C"), Math.floor(array.inputWords / s), Math.floor(array.rows / r));
  const spadFilters = Math.min(array.sumWords, Math.floor(array.weightWords / (s * channels)));
  const [filters, filterSets] = dealt(size("M"), spadFilters, Math.floor(array.columns / p));
  const mappingWith = (bufferColumns: number, bufferFilters: number): Mapping => {
    const rest = (dimension: string, inside: number): number => Math.ceil(size(dimension) / inside);
    return mappingOf({
      // Kernels larger than the array or a scratchpad are taken in pieces.
      DRAM: {
        G: size("G"),
        N: size("N"),
        M: rest("M", filterSets * filters * bufferFilters),
        P: rest("P", p),
        Q: rest("Q", bufferColumns),
        R: rest("R", r),
        S: rest("S", s),
        C: rest("C", channelSets * channels),
      },
      globalBuffer: { M: bufferFilters, Q: bufferColumns },
      columns: { M: filterSets, P: p },
      rows: { C: channelSets, R: r },
      weights: { C: channels, S: s },
      partialSums: { M: filters },
    });
  };
  const fits = (mapping: Mapping): boolean => evaluateCost(problem, architecture, mapping).ok;
  let columns = size("Q");
  while (columns > 1 && !fits(mappingWith(columns, 1))) columns = Math.ceil(columns / 2);
  if (!fits(mappingWith(columns, 1))) {
    throw inputError("row_stationary_capacity", `layer ${problem.name} does not fit the memories row-stationary`, {
      expected: "memories for a row of a kernel and its sums",
      received: architecture.name,
    });
  }
  const mostFilters = Math.ceil(size("M") / (filterSets * filters));
  let more = 1;
  while (more < mostFilters && fits(mappingWith(columns, more + 1))) more++;
  return mappingWith(columns, more);
}

/** A dimension over sets of units, then inside each: as many sets as can be had, none of them without work. */
function dealt(size: number, mostInside: number, mostSets: number): readonly [inside: number, sets: number] {
  const inside = Math.max(1, Math.min(mostInside, Math.ceil(size / mostSets)));
  return [inside, Math.min(mostSets, Math.ceil(size / inside))];
}

interface RowStationaryArray {
  readonly rows: number;
  readonly columns: number;
  readonly inputWords: number;
  readonly weightWords: number;
  readonly sumWords: number;
}

function arrayOf({ name, levels }: Architecture): RowStationaryArray {
  const found = levels.map((level) => level.name);
  if (found.join() !== levelNames.join()) {
    throw inputError("row_stationary_levels", "no Eyeriss-like architecture", {
      path: ["levels"],
      expected: levelNames.join(", "),
      received: `${name}: ${found.join(", ")}`,
    });
  }
  const at = (level: (typeof levelNames)[number]): ArchitectureLevel => levels[levelNames.indexOf(level)]!;
  const words = (level: (typeof levelNames)[number]): number => at(level).storage?.entries ?? Number.POSITIVE_INFINITY;
  return {
    rows: at("rows").fanout?.y ?? 1,
    columns: at("columns").fanout?.x ?? 1,
    inputWords: words("inputs"),
    weightWords: words("weights"),
    sumWords: words("partialSums"),
  };
}

function mappingOf(bounds: Partial<Record<(typeof levelNames)[number], Bounds>>): Mapping {
  const keeps: Partial<Record<(typeof levelNames)[number], readonly string[]>> = {
    DRAM: ["Weights", "Inputs", "Outputs"],
    globalBuffer: ["Inputs", "Outputs"],
    inputs: ["Inputs"],
    weights: ["Weights"],
    partialSums: ["Outputs"],
  };
  return {
    levels: levelNames.map((level): MappingLevel => {
      const loops: Loop[] = Object.entries(bounds[level] ?? {})
        .filter(([, bound]) => bound > 1)
        .map(([dimension, bound]) => ({ dimension, bound }));
      return {
        level,
        keep: keeps[level] ?? [],
        temporal: level === "columns" || level === "rows" ? [] : loops,
        spatialY: level === "rows" ? loops : [],
        spatialX: level === "columns" ? loops : [],
      };
    }),
  };
}

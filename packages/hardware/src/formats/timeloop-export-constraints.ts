import type { Architecture, ArchitectureLevel } from "../architecture/architecture.js";
import { ANY_ORDER, type LevelConstraints, type LoopConstraints } from "../architecture/constraints.js";
import type { Problem } from "../workload/problem.js";
import { cannotExport, separated } from "./timeloop-export-parts.js";

// Constraints as `architecture_constraints`. A dimension or a tensor that the problem lacks is not concerned.

/** The directives of all levels. */
export function exportConstraints(problem: Problem, { levels, constraints }: Architecture): object[] {
  if ((constraints?.minComputeUtilization ?? 0) > 0) {
    throw cannotExport("a least share of the compute units", ["constraints", "minComputeUtilization"]);
  }
  return levels.flatMap((level, index) => {
    const own = constraints?.levels?.find((entry) => entry.level === level.name);
    const path = ["constraints", "levels", level.name];
    return levelConstraints(problem, level, index, own ?? { level: level.name }, path);
  });
}

function levelConstraints(
  problem: Problem,
  level: ArchitectureLevel,
  index: number,
  own: LevelConstraints,
  path: readonly string[],
): object[] {
  const names = Object.keys(problem.dimensions);
  const tensors = problem.dataSpaces.map(({ name }) => name);
  const target = level.name;
  const held = level.storage !== undefined;
  const temporal = held ? (own.temporal ?? {}) : { dimensions: [] };
  const keep = (own.keep ?? []).filter((name) => tensors.includes(name));
  const bypass = held ? (own.bypass ?? []).filter((name) => tensors.includes(name)) : tensors;
  return [
    ...(Object.keys(temporal).length === 0
      ? []
      : [{ target, type: "temporal", ...loopDirective(names, temporal, [...path, "temporal"]) }]),
    ...spatialDirective(names, tensors, level, own, path),
    // The outermost level keeps what nothing else is said of.
    ...(keep.length + bypass.length === 0 || (index === 0 && bypass.length === 0)
      ? []
      : [{ target, type: "bypass", ...(keep.length > 0 && { keep }), ...(bypass.length > 0 && { bypass }) }]),
  ];
}

function loopDirective(names: readonly string[], loops: LoopConstraints, path: readonly string[]): object {
  const factors = factorsOf(names, loops);
  const inner = innerOrder(names, loops, path);
  return {
    ...(factors.length > 0 && { factors: factors.join(",") }),
    ...(inner.length > 0 && { permutation: separated(inner) }),
  };
}

/** Dimensions that may have no loop have one of bound 1. */
function factorsOf(names: readonly string[], { dimensions, factors = {} }: LoopConstraints): string[] {
  return names.flatMap((name) => {
    if (factors[name] !== undefined) return [`${name}=${factors[name]}`];
    return dimensions !== undefined && !dimensions.includes(name) ? [`${name}=1`] : [];
  });
}

/** Innermost first, as far as the order is given; a free part must lie outside, where Timeloop leaves it. */
function innerOrder(names: readonly string[], { permutation }: LoopConstraints, path: readonly string[]): string[] {
  if (permutation === undefined) return [];
  const present = permutation.filter((name) => name === ANY_ORDER || names.includes(name));
  const free = present.indexOf(ANY_ORDER);
  if (free > 0) {
    throw cannotExport("an order that is free further in", [...path, "permutation"], {
      expected: `${ANY_ORDER} first, or nowhere`,
      received: permutation.join(" "),
    });
  }
  return present.filter((name) => name !== ANY_ORDER).reverse();
}

/** Timeloop has one list for both axes and cuts it in two: the dimensions of the axes must not be the same. */
function spatialDirective(
  names: readonly string[],
  tensors: readonly string[],
  { name: target, fanout }: ArchitectureLevel,
  { spatialX = {}, spatialY = {} }: LevelConstraints,
  path: readonly string[],
): object[] {
  const { x = 1, y = 1, neighbourLinks = true } = fanout ?? {};
  if (x * y === 1) return [];
  const links = neighbourLinks ? {} : { no_link_transfer: tensors };
  const bare = [spatialX, spatialY].every((loops) => Object.keys(loops).length === 0);
  if (bare) {
    const split = y === 1 ? { split: names.length } : x === 1 ? { split: 0 } : {};
    const directive = { target, type: "spatial", ...split, ...links };
    return Object.keys(directive).length > 2 ? [directive] : [];
  }
  const along = (size: number, loops: LoopConstraints): string[] =>
    size === 1 ? [] : names.filter((name) => (loops.dimensions?.includes(name) ?? true) && loops.factors?.[name] !== 1);
  const alongX = along(x, spatialX);
  const alongY = along(y, spatialY);
  const both = alongX.find((name) => alongY.includes(name));
  if (both !== undefined) {
    throw cannotExport("a dimension that may lie along either axis", [...path, "spatialX"], {
      expected: "dimensions of spatialX and spatialY that differ",
      received: both,
    });
  }
  const neither = names.filter((name) => !alongX.includes(name) && !alongY.includes(name));
  const order = (loops: LoopConstraints, own: readonly string[]): string[] => {
    const inner = innerOrder(names, loops, path).filter((name) => own.includes(name));
    return [...inner, ...own.filter((name) => !inner.includes(name))];
  };
  const factors = [
    ...alongX.flatMap((name) => (spatialX.factors?.[name] === undefined ? [] : [`${name}=${spatialX.factors[name]}`])),
    ...alongY.flatMap((name) => (spatialY.factors?.[name] === undefined ? [] : [`${name}=${spatialY.factors[name]}`])),
    ...neither.map((name) => `${name}=1`),
  ];
  return [
    {
      target,
      type: "spatial",
      ...(factors.length > 0 && { factors: factors.join(",") }),
      permutation: separated([...order(spatialX, alongX), ...order(spatialY, alongY), ...neither]),
      split: alongX.length,
      ...links,
    },
  ];
}

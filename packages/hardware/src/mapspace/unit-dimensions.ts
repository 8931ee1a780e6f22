import type { Problem } from "../workload/problem.js";

/**
 * The same loop nest without its dimensions of size 1 and without name, so that problems of one `shapeKey` become one
 * problem. Every mapping of the one is a mapping of the other, at the same cost.
 */
export function dropUnitDimensions(problem: Problem): Problem {
  const sizes = problem.dimensions;
  return {
    ...problem,
    name: "layer",
    dimensions: Object.fromEntries(Object.entries(sizes).filter(([, size]) => size > 1)),
    dataSpaces: problem.dataSpaces.map((dataSpace) => ({
      ...dataSpace,
      projection: dataSpace.projection
        .map((rank) => rank.filter((term) => sizes[term.dimension]! > 1))
        .filter((rank) => rank.length > 0),
    })),
  };
}

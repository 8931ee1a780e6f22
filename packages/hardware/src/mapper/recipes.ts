import type { Recipe } from "../mapspace/construct.js";
import type { Mapspace } from "../mapspace/mapspace.js";

/**
 * Recipes for every tensor (weight-, input-, output-stationary): the dimensions that address it fill the memories first,
 * so that its tiles are large, or last, so that they are used often.
 */
export function recipes({ tables, relevant }: Mapspace): Recipe[] {
  const { levelCount, dimensionCount, spaces } = tables;
  const dimensions = Array.from({ length: dimensionCount }, (_, dimension) => dimension);
  return [1, 0].flatMap((first) =>
    spaces.map((_, tensor) => {
      const isFirst = (dimension: number): boolean => relevant[tensor * dimensionCount + dimension] === first;
      const fill = [...dimensions.filter(isFirst), ...dimensions.filter((dimension) => !isFirst(dimension))];
      return { fill: Uint8Array.from(fill), stationary: new Uint8Array(levelCount).fill(tensor) };
    }),
  );
}

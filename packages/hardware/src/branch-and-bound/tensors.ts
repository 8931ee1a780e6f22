import type { SpaceTable, Tables } from "../analysis/tables.js";

// How the bounds see a tensor: its ranks, sorted by how they can overlap over time.

/** A rank with one dimension: successive tiles never overlap along it. */
export interface SingleRank {
  readonly dimension: number;
  readonly coefficient: number;
}

/** A rank with two dimensions, as a window that slides: successive tiles may overlap (a halo). */
export interface PairRank {
  readonly first: number;
  readonly second: number;
  readonly firstCoefficient: number;
  readonly secondCoefficient: number;
}

export interface TensorShape {
  readonly table: SpaceTable;
  /** [dimension]: 1 where it addresses the tensor. */
  readonly relevant: Uint8Array;
  readonly singles: readonly SingleRank[];
  readonly pairs: readonly PairRank[];
  /** [dimension]: its pair, or −1. */
  readonly pairOf: Int8Array;
  /** Dimensions in several ranks, or in a rank of three or more: the bounds take their words as 1. */
  readonly others: readonly number[];
}

export function shapeTensors({ spaces, dimensionCount }: Tables): TensorShape[] {
  return spaces.map((table) => shapeTensor(table, dimensionCount));
}

function shapeTensor(table: SpaceTable, dimensionCount: number): TensorShape {
  const ranks = Array.from({ length: table.rankCount }, (_, rank) =>
    Array.from({ length: table.firstTerm[rank + 1]! - table.firstTerm[rank]! }, (_, term) => ({
      dimension: table.termDimension[table.firstTerm[rank]! + term]!,
      coefficient: table.termCoefficient[table.firstTerm[rank]! + term]!,
    })),
  );
  const appearances = new Uint8Array(dimensionCount);
  for (const { dimension } of ranks.flat()) appearances[dimension]!++;
  const lonely = ranks.filter((rank) => rank.every(({ dimension }) => appearances[dimension] === 1));
  const pairs = lonely
    .filter((rank) => rank.length === 2)
    .map(([first, second]) => ({
      first: first!.dimension,
      second: second!.dimension,
      firstCoefficient: first!.coefficient,
      secondCoefficient: second!.coefficient,
    }));
  const singles = lonely.filter((rank) => rank.length === 1).map(([term]) => term!);
  const pairOf = new Int8Array(dimensionCount).fill(-1);
  pairs.forEach(({ first, second }, index) => {
    pairOf[first] = index;
    pairOf[second] = index;
  });
  const bounded = new Set(singles.map(({ dimension }) => dimension));
  return {
    table,
    relevant: Uint8Array.from(appearances, (count) => (count > 0 ? 1 : 0)),
    singles,
    pairs,
    pairOf,
    others: [...appearances.keys()].filter(
      (dimension) => appearances[dimension]! > 0 && pairOf[dimension] === -1 && !bounded.has(dimension),
    ),
  };
}

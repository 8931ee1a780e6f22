import { boxVolume } from "../analysis/tables.js";
import type { Chains } from "./chains.js";
import type { PairTable } from "./pair-tables.js";
import type { Setting } from "./setting.js";
import { compileTerms, type Skeleton, type Terms } from "./terms.js";

/** What a layer costs at the least. */
export interface LeastCost {
  energyPj: number;
  latencyCycles: number;
}

/**
 * Lower bounds over all completions of a mapping whose fan-outs and keeping are fixed, while dimensions get their loops in
 * time one after another. Nothing but its making allocates.
 */
export interface Bounder {
  readonly skeleton: Skeleton;
  readonly terms: Terms;
  /** Dimensions in the order in which they are dealt; `depth` counts those that are. */
  readonly order: readonly number[];
  readonly chains: readonly Chains[];
  /** Chain of each dimension that is dealt. */
  readonly chosen: Int32Array;
  /** The last bound. */
  readonly least: LeastCost;
  /** [level][dimension]: energy above the least of its level when that dimension's loop is the level's innermost one. */
  readonly innermostPj: Float64Array;
  /** Gives the next dimension of the order (at `depth`) a chain; false when the tiles then overflow a memory. */
  deal(depth: number, chain: number): boolean;
  /** Takes the dimension at `depth` back. */
  takeBack(depth: number): void;
  /** Writes `least`, `depth` dimensions being dealt. */
  bound(depth: number): void;
  /** Whether links may serve a step of a term, all dimensions being dealt. */
  maybeLinked(term: number): boolean;
  /** Whether loops other than the innermost moving one may reuse a halo of a term, all dimensions being dealt. */
  mayReturn(term: number): boolean;
}

/** Where a dimension acts on a term. */
interface PairPlace {
  readonly table: PairTable;
  readonly isFirst: boolean;
  readonly partner: number;
  readonly pair: number;
}

const NO_LEVEL = -1;

export function createBounder(setting: Setting, skeleton: Skeleton, order: readonly number[]): Bounder {
  const { space, shapes } = setting;
  const { tables, limits, orderRank } = space;
  const { levelCount, dimensionCount } = tables;
  const tensorCount = tables.spaces.length;
  const compiled = compileTerms(setting, skeleton);
  const { terms } = compiled;
  const count = terms.length;
  const chains = skeleton.spread.map((spread, dimension) => setting.chains.get(dimension, spread));
  const pairLimit = Math.max(1, ...shapes.map(({ pairs }) => pairs.length));
  const pairTables = terms.map((term) =>
    shapes[term.tensor]!.pairs.map((pair, index) =>
      setting.pairTable(term.tensor, index, {
        pair,
        boundary: term.boundary,
        linkLevels: term.linkLevels,
        firstSpread: skeleton.spread[pair.first]!,
        secondSpread: skeleton.spread[pair.second]!,
      }),
    ),
  );

  // State by depth.
  const depths = order.length + 1;
  const plain = new Float64Array(depths * count);
  const star = new Int8Array(depths * count).fill(NO_LEVEL);
  const pairFull = new Float64Array(depths * count * pairLimit).fill(1);
  const pairWalk = new Float64Array(depths * count * pairLimit).fill(1);
  const pairLinks = new Uint8Array(depths * count * pairLimit);
  const idle = new Float64Array(depths * tensorCount * levelCount).fill(1);
  const lastRank = new Int16Array(depths * levelCount).fill(-1);
  const tile = new Float64Array(levelCount * dimensionCount);
  const chosen = new Int32Array(dimensionCount).fill(-1);

  // [term][dimension][chain]: words along a rank of one dimension, over the least of them; and the innermost level of a loop.
  const growth = terms.map((term) =>
    chains.map((list, dimension) => {
      const rank = shapes[term.tensor]!.singles.find((single) => single.dimension === dimension);
      return rank === undefined ? undefined : singleWords(list, term.boundary, rank.coefficient, levelCount);
    }),
  );
  const leastGrowth = growth.map((row) => row.map((words) => (words === undefined ? 1 : Math.min(...words))));
  const loopLevel = terms.map((term) =>
    chains.map((list, dimension) =>
      shapes[term.tensor]!.relevant[dimension] === 1 ? innermostLoops(list, term.boundary, levelCount) : undefined,
    ),
  );
  const pairPlaces: (PairPlace | undefined)[][] = terms.map((term, index) =>
    chains.map((_, dimension) => {
      const shape = shapes[term.tensor]!;
      const pair = shape.pairOf[dimension]!;
      if (pair < 0) return undefined;
      const { first, second } = shape.pairs[pair]!;
      const isFirst = first === dimension;
      return { table: pairTables[index]![pair]!, isFirst, partner: isFirst ? second : first, pair };
    }),
  );
  const mayStand = Uint8Array.from({ length: levelCount * dimensionCount }, (_, cell) =>
    standsAnywhere(chains[cell % dimensionCount]!, Math.floor(cell / dimensionCount), levelCount) ? 1 : 0,
  );
  const boundedLevels = Array.from({ length: levelCount }, (_, level) => level).filter(
    (level) => limits.capacity[level]! < Number.POSITIVE_INFINITY,
  );

  // The root.
  terms.forEach((_, term) => {
    plain[term] = leastGrowth[term]!.reduce((product, words) => product * words, 1);
    pairTables[term]!.forEach(({ least }, pair) => {
      pairFull[term * pairLimit + pair] = least.full[0]!;
      pairWalk[term * pairLimit + pair] = least.walk[0]!;
      pairLinks[term * pairLimit + pair] = least.links[0]!;
    });
  });
  chains.forEach(({ leastTile }, dimension) => {
    for (let level = 0; level < levelCount; level++) tile[level * dimensionCount + dimension] = leastTile[level]!;
  });
  const position = new Int32Array(dimensionCount);
  order.forEach((dimension, at) => {
    position[dimension] = at;
  });

  // Of the bound at hand.
  const base = new Float64Array(count);
  const atStar = new Float64Array(count);
  const ratio = new Float64Array(count);
  const innermostPj = new Float64Array(levelCount * dimensionCount);
  const least: LeastCost = { energyPj: 0, latencyCycles: 0 };

  function deal(depth: number, chain: number): boolean {
    const dimension = order[depth]!;
    const list = chains[dimension]!;
    chosen[dimension] = chain;
    const row = chain * levelCount;
    for (let level = 0; level < levelCount; level++) tile[level * dimensionCount + dimension] = list.tile[row + level]!;
    if (!fits()) return false;
    for (let term = 0; term < count; term++) dealTerm(depth, term, dimension, chain);
    for (let tensor = 0; tensor < tensorCount; tensor++) {
      const relevant = shapes[tensor]!.relevant[dimension] === 1;
      const from = (depth * tensorCount + tensor) * levelCount;
      const to = from + tensorCount * levelCount;
      for (let level = 0; level < levelCount; level++) {
        idle[to + level] = idle[from + level]! * (relevant ? 1 : list.bounds[row + level]!);
      }
    }
    for (let level = 0; level < levelCount; level++) {
      const before = lastRank[depth * levelCount + level]!;
      const rank = orderRank[level * dimensionCount + dimension]!;
      lastRank[(depth + 1) * levelCount + level] = list.bounds[row + level]! > 1 && rank > before ? rank : before;
    }
    return true;
  }

  function takeBack(depth: number): void {
    const dimension = order[depth]!;
    const { leastTile } = chains[dimension]!;
    for (let level = 0; level < levelCount; level++) tile[level * dimensionCount + dimension] = leastTile[level]!;
  }

  function fits(): boolean {
    for (let index = 0; index < boundedLevels.length; index++) {
      const level = boundedLevels[index]!;
      let needed = 0;
      for (let tensor = 0; tensor < tensorCount; tensor++) {
        const cell = level * tensorCount + tensor;
        if (skeleton.keep[cell] !== 1) continue;
        needed += boxVolume(tables.spaces[tensor]!, tile, level * dimensionCount) * limits.weight[cell]!;
      }
      if (needed > limits.capacity[level]!) return false;
    }
    return true;
  }

  function dealTerm(depth: number, term: number, dimension: number, chain: number): void {
    const from = depth * count + term;
    const to = from + count;
    const words = growth[term]![dimension];
    plain[to] = words === undefined ? plain[from]! : (plain[from]! * words[chain]!) / leastGrowth[term]![dimension]!;
    const levels = loopLevel[term]![dimension];
    star[to] = levels === undefined ? star[from]! : Math.max(star[from]!, levels[chain]!);
    for (let pair = 0; pair < pairLimit; pair++) {
      pairFull[to * pairLimit + pair] = pairFull[from * pairLimit + pair]!;
      pairWalk[to * pairLimit + pair] = pairWalk[from * pairLimit + pair]!;
      pairLinks[to * pairLimit + pair] = pairLinks[from * pairLimit + pair]!;
    }
    const place = pairPlaces[term]![dimension];
    if (place === undefined) return;
    const { table, isFirst, partner, pair } = place;
    const cell = to * pairLimit + pair;
    if (position[partner]! < depth) {
      const other = chosen[partner]!;
      const index = isFirst ? chain * table.secondCount + other : other * table.secondCount + chain;
      pairFull[cell] = table.full[index]!;
      pairWalk[cell] = table.walk[index]!;
      pairLinks[cell] = table.links[index]!;
    } else {
      const bounds = isFirst ? table.byFirst : table.bySecond;
      pairFull[cell] = bounds.full[chain]!;
      pairWalk[cell] = bounds.walk[chain]!;
      pairLinks[cell] = bounds.links[chain]!;
    }
  }

  function bound(depth: number): void {
    let energyPj = compiled.energyPj;
    for (let term = 0; term < count; term++) energyPj += prepareTerm(depth, term);
    for (let level = 0; level < levelCount; level++) energyPj += chooseInnermost(depth, level);
    least.energyPj = energyPj;
    least.latencyCycles = compiled.cycles;
    const { demands } = compiled;
    for (let index = 0; index < demands.length; index++) {
      const { cycles, perWord } = demands[index]!;
      let needed = cycles;
      for (let term = 0; term < count; term++) needed += perWord[term]! * base[term]! * ratio[term]!;
      if (needed > least.latencyCycles) least.latencyCycles = needed;
    }
    least.energyPj += compiled.leakagePjPerCycle * least.latencyCycles;
  }

  /** Words of a term without the loops that its innermost relevant one decides about; its energy when none is dealt. */
  function prepareTerm(depth: number, term: number): number {
    const { tensor } = terms[term]!;
    const cell = depth * count + term;
    let words = plain[cell]!;
    let smallest = 1;
    for (let pair = 0; pair < pairLimit; pair++) {
      const full = pairFull[cell * pairLimit + pair]!;
      words *= full;
      smallest = Math.min(smallest, pairWalk[cell * pairLimit + pair]! / full);
    }
    const at = star[cell]!;
    const row = (depth * tensorCount + tensor) * levelCount;
    for (let level = 0; level < at; level++) words *= idle[row + level]!;
    base[term] = words;
    atStar[term] = at < 0 ? 1 : idle[row + at]!;
    ratio[term] = smallest;
    return at < 0 ? words * smallest * pricePj(depth, term) : 0;
  }

  function pricePj(depth: number, term: number): number {
    const { energyPj, linkedEnergyPj, linkLevels } = terms[term]!;
    return linkLevels.length > 0 && linksPossible(depth, term) ? linkedEnergyPj : energyPj;
  }

  function linksPossible(depth: number, term: number): boolean {
    if (shapes[terms[term]!.tensor]!.others.length > 0) return true;
    const cell = (depth * count + term) * pairLimit;
    for (let pair = 0; pair < pairLimit; pair++) if (pairLinks[cell + pair] === 1) return true;
    return false;
  }

  /** Least energy of the terms whose innermost relevant loop stands at a level, over the choices of its innermost loop. */
  function chooseInnermost(depth: number, level: number): number {
    const row = level * dimensionCount;
    let concerned = false;
    for (let term = 0; term < count; term++) concerned ||= star[depth * count + term] === level;
    let best = concerned ? Number.POSITIVE_INFINITY : 0;
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      innermostPj[row + dimension] = 0;
      if (!concerned || !mayBeInnermost(depth, level, dimension)) continue;
      let energyPj = 0;
      for (let term = 0; term < count; term++) {
        if (star[depth * count + term] !== level) continue;
        energyPj += pricePj(depth, term) * base[term]! * wordsWith(depth, term, dimension);
      }
      innermostPj[row + dimension] = energyPj;
      if (energyPj < best) best = energyPj;
    }
    for (let dimension = 0; dimension < dimensionCount; dimension++) innermostPj[row + dimension]! -= best;
    return best;
  }

  function mayBeInnermost(depth: number, level: number, dimension: number): boolean {
    const cell = level * dimensionCount + dimension;
    const isDealt = position[dimension]! < depth;
    const stands = isDealt
      ? chains[dimension]!.bounds[chosen[dimension]! * levelCount + level]! > 1
      : mayStand[cell] === 1;
    return stands && orderRank[cell]! >= lastRank[depth * levelCount + level]!;
  }

  /** Factor on a term's words when a dimension's loop is the innermost one where the term's innermost relevant loop stands. */
  function wordsWith(depth: number, term: number, dimension: number): number {
    const shape = shapes[terms[term]!.tensor]!;
    if (shape.relevant[dimension] !== 1) return ratio[term]!;
    if (ratio[term] === 1) return atStar[term]!;
    for (let pair = 0; pair < shape.pairs.length; pair++) {
      const { first, second } = shape.pairs[pair]!;
      if (position[first]! >= depth || position[second]! >= depth) return atStar[term]! * ratio[term]!;
    }
    const pair = shape.pairOf[dimension]!;
    if (pair < 0) return shape.others.length > 0 ? atStar[term]! * ratio[term]! : atStar[term]!;
    const cell = (depth * count + term) * pairLimit + pair;
    return (atStar[term]! * pairWalk[cell]!) / pairFull[cell]!;
  }

  return {
    skeleton,
    terms: compiled,
    order,
    chains,
    chosen,
    least,
    innermostPj,
    deal,
    takeBack,
    bound,
    maybeLinked: (term) => terms[term]!.linkLevels.length > 0 && linksPossible(order.length, term),
    mayReturn: (term) =>
      shapes[terms[term]!.tensor]!.others.length > 0 ||
      shapes[terms[term]!.tensor]!.pairs.some(({ first, second }, pair) => {
        const table = pairTables[term]![pair]!;
        return table.returns[chosen[first]! * table.secondCount + chosen[second]!] === 1;
      }),
  };
}

/** [chain]: extent of the child's tile along a rank of one dimension, times the bounds of the loops outside it. */
function singleWords(list: Chains, boundary: number, coefficient: number, levelCount: number): Float64Array {
  return Float64Array.from({ length: list.count }, (_, chain) => {
    let words = 1 + coefficient * (list.child[chain * levelCount + boundary]! - 1);
    for (let level = boundary; level >= 0; level--) words *= list.bounds[chain * levelCount + level]!;
    return words;
  });
}

/** [chain]: the innermost level at the boundary or outside it with a loop of the dimension; −1 without one. */
function innermostLoops(list: Chains, boundary: number, levelCount: number): Int8Array {
  return Int8Array.from({ length: list.count }, (_, chain) => {
    for (let level = boundary; level >= 0; level--) if (list.bounds[chain * levelCount + level]! > 1) return level;
    return NO_LEVEL;
  });
}

/** Whether a chain has a loop at a level. */
function standsAnywhere({ count, bounds }: Chains, level: number, levelCount: number): boolean {
  for (let chain = 0; chain < count; chain++) if (bounds[chain * levelCount + level]! > 1) return true;
  return false;
}

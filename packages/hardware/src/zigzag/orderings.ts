// Orders of loops: the factors that a search permutes, and their distinct permutations.

/** A loop that a search places: dimension by index. */
export interface FreeLoop {
  readonly dimension: number;
  readonly factor: number;
}

/** Prime factors of what is left of each dimension. */
export function primeLoops(sizes: Int32Array): FreeLoop[] {
  const loops: FreeLoop[] = [];
  for (const [dimension, size] of sizes.entries()) {
    let rest = size;
    for (let prime = 2; prime * prime <= rest; prime++) {
      for (; rest % prime === 0; rest /= prime) loops.push({ dimension, factor: prime });
    }
    if (rest > 1) loops.push({ dimension, factor: rest });
  }
  return loops;
}

/**
 * Merges loops until there are at most `limit`: again and again the two smallest factors of the dimension that has most
 * loops. A dimension keeps one loop at least, so there may be more.
 */
export function mergeLoops(loops: readonly FreeLoop[], limit: number): FreeLoop[] {
  const merged = [...loops];
  while (merged.length > Math.max(limit, 1)) {
    const counts = new Map<number, number>();
    for (const { dimension } of merged) counts.set(dimension, (counts.get(dimension) ?? 0) + 1);
    const [dimension, most] = [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best));
    if (most < 2) break;
    const own = merged.filter((loop) => loop.dimension === dimension).sort((a, b) => a.factor - b.factor);
    const [first, second] = own as [FreeLoop, FreeLoop];
    merged.splice(merged.indexOf(first), 1);
    merged[merged.indexOf(second)] = { dimension, factor: first.factor * second.factor };
  }
  return merged;
}

/**
 * Visits every distinct order once whose loops are accepted at their places, until `visit` gives false. The array passed
 * is reused.
 */
export function visitPermutations(
  loops: readonly FreeLoop[],
  accepts: (place: number, loop: FreeLoop) => boolean,
  visit: (order: readonly FreeLoop[]) => boolean,
): void {
  const kinds = new Map<string, { readonly loop: FreeLoop; left: number }>();
  for (const loop of loops) {
    const key = `${loop.dimension}:${loop.factor}`;
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, { loop, left: 1 });
    else kind.left++;
  }
  const distinct = [...kinds.values()];
  const order: FreeLoop[] = [];
  const place = (at: number): boolean => {
    if (at === loops.length) return visit(order);
    for (const kind of distinct) {
      if (kind.left === 0 || !accepts(at, kind.loop)) continue;
      kind.left--;
      order[at] = kind.loop;
      const goesOn = place(at + 1);
      kind.left++;
      if (!goesOn) return false;
    }
    return true;
  };
  place(0);
}

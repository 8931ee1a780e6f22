import type { FrontPoint } from "./front.js";
import type { FpgaResources } from "./model.js";

interface Combination extends FpgaResources {
  readonly point: FrontPoint;
  readonly previous: Combination | undefined;
}

/**
 * One point from each chunk's front so that the slowest chunk is as fast as possible and the sums of DSP and BRAM stay
 * within the limits: bisection on the bottleneck over the cycles that occur, each step a dynamic program over
 * non-dominated (DSP, BRAM) sums. Exact. Of several optima the one with the least share of its scarcer resource.
 * Returns undefined when even the smallest designs do not fit.
 */
export function allocate(
  fronts: readonly (readonly FrontPoint[])[],
  limits: FpgaResources,
): readonly FrontPoint[] | undefined {
  const slowestBest = Math.max(0, ...fronts.map((front) => Math.min(...front.map((point) => point.cycles))));
  const targets = [...new Set(fronts.flatMap((front) => front.map((point) => point.cycles)))]
    .filter((cycles) => cycles >= slowestBest)
    .sort((a, b) => a - b);
  if (fronts.length === 0) return [];
  let low = 0;
  let high = targets.length;
  let found: readonly Combination[] = [];
  while (low < high) {
    const middle = (low + high) >> 1;
    const sums = combinations(fronts, targets[middle]!, limits);
    if (sums.length > 0) {
      found = sums;
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (found.length === 0) return undefined;
  const share = (sum: FpgaResources): number => Math.max(sum.dsp / limits.dsp, sum.bram / limits.bram);
  let best = found[0]!;
  for (const sum of found) if (share(sum) < share(best)) best = sum;
  const chosen: FrontPoint[] = [];
  for (let sum: Combination | undefined = best; sum !== undefined; sum = sum.previous) chosen.push(sum.point);
  return chosen.reverse();
}

/**
 * One point from each chunk's front so that all chunks together take the fewest cycles, within the limits: an image that
 * has the device for itself passes them one after another. Exact; undefined when nothing fits.
 */
export function allocateForLatency(
  fronts: readonly (readonly FrontPoint[])[],
  limits: FpgaResources,
): readonly FrontPoint[] | undefined {
  interface Sum extends FpgaResources {
    readonly cycles: number;
    readonly points: readonly FrontPoint[];
  }
  let sums: readonly Sum[] = [{ dsp: 0, bram: 0, cycles: 0, points: [] }];
  for (const front of fronts) {
    const next = sums.flatMap((sum) =>
      front.flatMap((point): Sum[] => {
        const dsp = sum.dsp + point.dsp;
        const bram = sum.bram + point.bram;
        if (dsp > limits.dsp || bram > limits.bram) return [];
        return [{ dsp, bram, cycles: sum.cycles + point.cycles, points: [...sum.points, point] }];
      }),
    );
    next.sort((a, b) => a.cycles - b.cycles || a.dsp - b.dsp || a.bram - b.bram);
    // Slower sums stay only where no faster one takes as little of both resources.
    const kept: Sum[] = [];
    for (const sum of next) {
      if (!kept.some(({ dsp, bram }) => dsp <= sum.dsp && bram <= sum.bram)) kept.push(sum);
    }
    sums = kept;
  }
  return sums[0]?.points;
}

/** Non-dominated sums of one point per chunk, each at most `target` cycles, within the limits. */
function combinations(
  fronts: readonly (readonly FrontPoint[])[],
  target: number,
  limits: FpgaResources,
): readonly Combination[] {
  let sums: readonly Combination[] = [];
  for (const [index, front] of fronts.entries()) {
    const points = cheapest(front.filter((point) => point.cycles <= target).map((point) => ({ ...point, point })));
    const next: Combination[] = [];
    const extend = (previous: Combination | undefined, used: FpgaResources): void => {
      for (const { point } of points) {
        const dsp = used.dsp + point.dsp;
        const bram = used.bram + point.bram;
        if (dsp <= limits.dsp && bram <= limits.bram) next.push({ dsp, bram, point, previous });
      }
    };
    if (index === 0) extend(undefined, { dsp: 0, bram: 0 });
    else for (const sum of sums) extend(sum, sum);
    sums = cheapest(next);
    if (sums.length === 0) return [];
  }
  return sums;
}

/** The entries that no other entry equals or beats in both resources, fewest DSP first. */
function cheapest<Entry extends FpgaResources>(entries: Entry[]): Entry[] {
  entries.sort((a, b) => a.dsp - b.dsp || a.bram - b.bram);
  let leastBram = Number.POSITIVE_INFINITY;
  return entries.filter((entry) => {
    if (entry.bram >= leastBram) return false;
    leastBram = entry.bram;
    return true;
  });
}

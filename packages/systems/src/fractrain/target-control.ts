// DFQ's control of its cost: the sign of the loss's cost term follows from whether the cost is above the target.

export interface CostTarget {
  /** cp that is aimed at, as a fraction. */
  readonly target: number;
  /** Width of the band above and below the target in which the sign is `inBand` times the side's; fractions. */
  readonly above: number;
  readonly below: number;
  readonly inBand: number;
  /** Share of the target over whose distance the sign rises from 0 to 1 in proportion; without it, as the bands say. */
  readonly proportion?: number | undefined;
}

/** The published bands: DFQ's `relax` is symmetric, with a tenth of the sign in it, and 0 wide by default. */
export function dfqTarget(target: number, relax = 0): CostTarget {
  return { target, above: relax, below: relax, inBand: 0.1 };
}

/** FracTrain's band lies above the target, and nothing pushes in it. */
export function fracTrainTarget(
  turningPoints: number,
  options: { readonly first?: number; readonly step?: number; readonly range?: number } = {},
): CostTarget {
  const { first = 0.015, step = 0.005, range = 0 } = options;
  return { target: first + step * turningPoints, above: range, below: 0, inBand: 0 };
}

/** +1 above the band (cost is to fall), −1 below it, and the side's sign times `inBand` inside; or in proportion. */
export function costSign(cost: number, { target, above, below, inBand, proportion }: CostTarget): number {
  if (proportion) return Math.max(-1, Math.min(1, (cost - target) / (proportion * target)));
  if (cost >= target) return cost < target + above ? inBand : 1;
  return cost >= target - below ? -inBand : -1;
}

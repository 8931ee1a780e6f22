import { formatFixed } from "../format/numbers.js";

/** From values to coordinates. */
export interface Scale {
  at(value: number): number;
  readonly domain: readonly [number, number];
  /** Round values inside the domain. */
  readonly ticks: readonly number[];
  /** A tick in words, with as many decimals as the ticks need. */
  label(tick: number): string;
}

export interface ScaleOptions {
  readonly domain: readonly [number, number];
  /** Coordinates of the domain's ends. */
  readonly range: readonly [number, number];
  /** About how many ticks. Default 4. */
  readonly tickCount?: number | undefined;
  /** Whether the domain grows to whole ticks. Default true; a logarithmic domain never does. */
  readonly nice?: boolean | undefined;
}

/** Even steps. An empty domain is widened. */
export function linearScale(options: ScaleOptions): Scale {
  const { range, tickCount = 4, nice = true } = options;
  const [low, high] = widened(options.domain);
  const step = roundStep((high - low) / tickCount);
  const domain: [number, number] = nice
    ? [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step]
    : [low, high];
  const first = Math.ceil(domain[0] / step - 1e-9);
  const last = Math.floor(domain[1] / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => roundTo(step * (first + index), step));
  const digits = decimals(step);
  return {
    domain,
    ticks,
    label: (tick) => formatFixed(tick, digits),
    at: (value) => interpolate((value - domain[0]) / (domain[1] - domain[0]), range),
  };
}

/** Even ratios. The domain must be positive. */
export function logScale(options: ScaleOptions): Scale {
  const { range, tickCount = 4 } = options;
  const [low, high] =
    options.domain[0] === options.domain[1] ? [options.domain[0] / 2, options.domain[1] * 2] : options.domain;
  const { ticks, label } = logTicks(low, high, tickCount);
  const [logLow, logHigh] = [Math.log10(low), Math.log10(high)];
  return {
    domain: [low, high],
    ticks,
    label,
    at: (value) => interpolate((Math.log10(value) - logLow) / (logHigh - logLow), range),
  };
}

/** Powers of ten; with too few of them 1, 2 and 5 times these; else even steps. */
function logTicks(low: number, high: number, tickCount: number): Pick<Scale, "ticks" | "label"> {
  const inside = (factors: readonly number[]): number[] => {
    const ticks: number[] = [];
    for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++) {
      for (const factor of factors) {
        const tick = Number(`${factor}e${exponent}`);
        if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
      }
    }
    return ticks;
  };
  const label = (tick: number): string => formatFixed(tick, decimals(tick));
  const decades = inside([1]);
  if (decades.length >= 3) {
    const every = Math.ceil(decades.length / (tickCount + 2));
    return { label, ticks: decades.filter((_, index) => index % every === 0) };
  }
  const thirds = inside([1, 2, 5]);
  return thirds.length >= 3
    ? { label, ticks: thirds }
    : linearScale({ domain: [low, high], range: [0, 1], tickCount, nice: false });
}

/** Smallest and largest of the finite values; [0, 1] when there are none. */
export function extent(values: Iterable<number>): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}

/** 1, 2 or 5 times a power of ten, at least two thirds of `step`. */
function roundStep(step: number): number {
  const exponent = Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((candidate) => 1.5 * candidate >= step / 10 ** exponent)!;
  return Number(`${factor}e${exponent}`);
}

/** Without the last bits' noise: 0.3 and not 0.30000000000000004. */
function roundTo(value: number, step: number): number {
  return Number(value.toFixed(decimals(step)));
}

/** Decimals of a round number. */
function decimals(step: number): number {
  return Math.min(20, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}

function widened([low, high]: readonly [number, number]): readonly [number, number] {
  if (high > low) return [low, high];
  const margin = Math.abs(low) * 0.1 || 1;
  return [low - margin, low + margin];
}

function interpolate(share: number, [from, to]: readonly [number, number]): number {
  return from + share * (to - from);
}

// Figures as people read them. No locale: the same figure is the same text everywhere.

const NARROW_SPACE = "\u202f";
const MINUS = "\u2212";
const NONE = "–";

/** `84.2 %` */
export function formatPercent(fraction: number | undefined, digits = 1): string {
  return fraction === undefined ? NONE : withUnit(formatFixed(100 * fraction, digits), "%");
}

/** `+0.4 points`: a difference of shares. */
export function formatPoints(difference: number | undefined, digits = 1): string {
  if (difference === undefined || !Number.isFinite(difference)) return NONE;
  const text = formatFixed(100 * difference, digits);
  return difference > 0 && !/^[0.]+$/.test(text) ? `+${text}` : text;
}

/** Fixed number of decimals, with thousands separated. */
export function formatFixed(value: number | undefined, digits: number): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  const [whole, decimals] = Math.abs(value).toFixed(digits).split(".");
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ",");
  const text = decimals === undefined ? grouped : `${grouped}.${decimals}`;
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** Whole number with thousands separated; half-way numbers keep one decimal. */
export function formatCount(value: number | undefined): string {
  return formatFixed(value, value === undefined || Number.isInteger(value) ? 0 : 1);
}

/** Three significant digits without an exponent where that is readable. */
export function formatSignificant(value: number | undefined, digits = 3): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  if (exponent < -4 || exponent > 14) return value.toExponential(digits - 1).replace("-", MINUS);
  return formatFixed(value, Math.max(0, digits - 1 - exponent));
}

const prefixes = ["a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P"];
const unitPrefix = 6;

/** `1.23 µJ`: three significant digits with an SI prefix. */
export function formatSi(value: number | undefined, unit: string, digits = 3): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  if (value === 0) return withUnit("0", unit);
  const rounded = Number(value.toPrecision(digits));
  const step = Math.floor(Math.log10(Math.abs(rounded)) / 3 + 1e-12);
  const index = Math.min(prefixes.length - 1, Math.max(0, step + unitPrefix));
  const scaled = value / 10 ** (3 * (index - unitPrefix));
  return withUnit(formatSignificant(scaled, digits), prefixes[index] + unit);
}

/** `12.5 M`: a large count in short. */
export function formatShort(value: number | undefined): string {
  return value !== undefined && Math.abs(value) < 1000 ? formatCount(value) : formatSi(value, "").trim();
}

/** `128 KB`: powers of 1,024. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return withUnit(
    formatSignificant(bytes / 1024 ** step, bytes / 1024 ** step >= 1000 ? 4 : 3).replace(/\.0+$/, ""),
    units[step]!,
  );
}

/** `0.58 ×` */
export function formatRatio(ratio: number | undefined): string {
  if (ratio === undefined || !Number.isFinite(ratio)) return NONE;
  return withUnit(formatSignificant(ratio, ratio < 1 ? 2 : 3), "×");
}

/** `[83.5, 84.9]`, in per cent or points like the figure that it stands behind. */
export function formatInterval(interval: readonly [number, number] | undefined, digits = 1): string {
  if (interval === undefined) return NONE;
  return `[${formatFixed(100 * interval[0], digits)}, ${formatFixed(100 * interval[1], digits)}]`;
}

/** A figure and its unit, on one line. */
export function withUnit(figure: string, unit: string): string {
  return figure === NONE || unit === "" ? figure : figure + NARROW_SPACE + unit;
}

/** Text of at most `length` characters, an ellipsis in place of what is cut off. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(1, length - 1))}…`;
}

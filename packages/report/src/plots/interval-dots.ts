import { coordinate, markup } from "../markup/markup.js";
import { type Area, horizontalAxis } from "./axes.js";
import type { Picture } from "./picture.js";
import { extent, linearScale } from "./scale.js";
import { fitText, textWidth } from "./text.js";

export interface IntervalDot {
  readonly name: string;
  readonly value: number;
  readonly interval?: readonly [number, number] | undefined;
  /** Value and interval in words. */
  readonly text: string;
  /** Class of the series. */
  readonly series: string;
}

const width = 340;
const rowHeight = 34;

/** Values with intervals on one axis, each under its name. The axis need not begin at zero; `reference` is marked on it. */
export function intervalDots(
  rows: readonly IntervalDot[],
  options: {
    readonly label: string;
    readonly reference?: number | undefined;
  },
): Picture {
  const { label, reference } = options;
  const bottom = rows.length * rowHeight;
  const area: Area = { left: 10, right: width - 10, top: 0, bottom };
  const ends = rows.flatMap(({ value, interval }) => [value, ...(interval ?? [])]);
  const x = linearScale({
    domain: extent(reference === undefined ? ends : [...ends, reference]),
    range: [area.left, area.right],
    tickCount: 5,
  });
  const content = rows.map(({ name, value, interval, text, series }, index) => {
    const y = index * rowHeight;
    const middle = y + 22;
    const weight = series === "found" ? "strong" : "";
    const whisker =
      interval &&
      markup`<path class="whisker ${series}" d="M${x.at(interval[0])} ${middle - 4}v8m0 -4H${x.at(interval[1])}m0 -4v8"/>`;
    const dot =
      Number.isFinite(value) && markup`<circle class="fill ${series}" cx="${x.at(value)}" cy="${middle}" r="4"/>`;
    return markup`<text class="${weight}" x="0" y="${y + 11}">${fitText(name, width - textWidth(text) - 14)}</text><text class="${weight}" x="${width}" y="${y + 11}" text-anchor="end">${text}</text><path class="grid" d="M0 ${middle}H${width}"/>${whisker}${dot}`;
  });
  const zero =
    reference === undefined
      ? ""
      : rows.map((_, index) => `M${coordinate(x.at(reference))} ${index * rowHeight + 15}v14`).join("");
  return {
    width,
    height: bottom + 20,
    label,
    content: markup`<path class="link" d="${zero}"/>${content}${horizontalAxis(x, area, {})}`,
  };
}

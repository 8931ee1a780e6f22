import { markup } from "../markup/markup.js";
import { type Area, horizontalAxis, horizontalAxisHeight, labelRoom, verticalAxis } from "./axes.js";
import type { Picture } from "./picture.js";
import { extent, linearScale, logScale } from "./scale.js";
import { fitText, textWidth } from "./text.js";

export interface ScatterPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Vertical interval. */
  readonly interval?: readonly [number, number] | undefined;
  /** The values in words, for the list below. */
  readonly text: string;
  /** Class of the series. */
  readonly series: string;
}

export interface ScatterOptions {
  readonly label: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xFormat: (value: number) => string;
  /** Default 340. */
  readonly width?: number | undefined;
  /** Height of the area inside the axes. Default 210. */
  readonly plotHeight?: number | undefined;
}

const top = 26;
const lineHeight = 17;

/**
 * Points with vertical intervals over a logarithmic axis; letters in the points, names in the list below. The first
 * point is drawn last, above the others, and has a star instead of a letter.
 */
export function scatter(points: readonly ScatterPoint[], options: ScatterOptions): Picture {
  const { label, xTitle, yTitle, xFormat, width = 340, plotHeight = 210 } = options;
  const drawn = points.filter(({ x, y }) => x > 0 && Number.isFinite(x) && Number.isFinite(y));
  const bottom = top + plotHeight;
  const y = linearScale({
    domain: extent(drawn.flatMap((point) => [point.y, ...(point.interval ?? [])])),
    range: [bottom, top],
    tickCount: 5,
  });
  const area: Area = { left: labelRoom(y, undefined), right: width - 6, top, bottom };
  const [least, most] = drawn.length === 0 ? [0.5, 2] : extent(drawn.map((point) => point.x));
  const x = logScale({ domain: [least / 1.25, most * 1.25], range: [area.left, area.right] });
  const marks = drawn.map((point, index) => {
    const [cx, cy] = [x.at(point.x), y.at(point.y)];
    const [low, high] = point.interval ?? [point.y, point.y];
    return markup`<g><title>${point.name}: ${point.text}</title><path class="whisker ${point.series}" d="M${cx - 4} ${y.at(low)}h8m-4 0V${y.at(high)}m-4 0h8"/><circle class="fill gap ${point.series}" cx="${cx}" cy="${cy}" r="${index === 0 ? 9 : 8}"/><text class="inverse small" x="${cx}" y="${cy + 3.5}" text-anchor="middle">${letter(index)}</text></g>`;
  });
  const listTop = bottom + horizontalAxisHeight + 10;
  const list = drawn.map((point, index) => {
    const line = listTop + index * lineHeight;
    const weight = index === 0 ? "strong" : "";
    return markup`<circle class="fill ${point.series}" cx="8" cy="${line + 5}" r="7"/><text class="inverse small" x="8" y="${line + 8.5}" text-anchor="middle">${letter(index)}</text><text class="${weight}" x="21" y="${line + 9}">${fitText(point.name, width - 21 - textWidth(`: ${point.text}`))}: ${point.text}</text>`;
  });
  const axes = markup`${verticalAxis(y, area, { title: yTitle })}${horizontalAxis(x, area, { format: xFormat, title: xTitle, grid: true })}`;
  const height = listTop + drawn.length * lineHeight;
  return { width, height, label, content: markup`${axes}${marks.reverse()}${list}` };
}

function letter(index: number): string {
  return index === 0 ? "★" : String.fromCharCode(64 + (((index - 1) % 26) + 1));
}

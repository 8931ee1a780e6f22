import { coordinate, markup } from "../markup/markup.js";
import type { Picture } from "./picture.js";
import { fitText, textWidth } from "./text.js";

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** The value in words. */
  readonly text: string;
  /** What stands behind it, such as a ratio. */
  readonly note?: string | undefined;
  /** Class of the series. */
  readonly series: string;
}

const width = 340;
const rowHeight = 32;

/** Bars from zero, each under its name. A limit, if any, is a line across each. */
export function bars(
  rows: readonly Bar[],
  options: { readonly label: string; readonly limit?: { readonly value: number; readonly name: string } | undefined },
): Picture {
  const { label, limit } = options;
  const finite = rows.map(({ value }) => (Number.isFinite(value) ? Math.max(0, value) : 0));
  const most = Math.max(...finite, limit?.value ?? 0) || 1;
  const content = rows.map(({ name, text, note, series }, index) => {
    const y = index * rowHeight;
    const figure = note === undefined ? text : `${text}  (${note})`;
    const room = width - textWidth(figure) - 14;
    const weight = series === "found" ? "strong" : "";
    return markup`<text class="${weight}" x="0" y="${y + 11}">${fitText(name, room)}</text><text class="${weight}" x="${width}" y="${y + 11}" text-anchor="end">${figure}</text><rect class="track" x="0" y="${y + 16}" width="${width}" height="9" rx="2"/><rect class="fill ${series}" x="0" y="${y + 16}" width="${(finite[index]! / most) * width}" height="9" rx="2"/>`;
  });
  const height = rows.length * rowHeight - 5;
  if (limit === undefined) return { width, height, label, content: markup`${content}` };
  const x = Math.min((limit.value / most) * width, width - 1);
  // Only across the bars: a whole line would run through the texts.
  const marks = rows.map((_, index) => `M${coordinate(x)} ${index * rowHeight + 14}v13`).join("");
  const line = markup`<path class="chosen" d="${marks}"/><text class="quiet small" x="${Math.max(x, textWidth(limit.name, 10))}" y="${height + 12}" text-anchor="end">${limit.name}</text>`;
  return { width, height: height + 15, label, content: markup`${content}${line}` };
}

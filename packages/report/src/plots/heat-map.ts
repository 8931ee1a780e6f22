import { formatPercent } from "../format/numbers.js";
import { markup } from "../markup/markup.js";
import type { Picture } from "./picture.js";
import { fitText, textWidth } from "./text.js";

export interface HeatMapOptions {
  readonly label: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [row][column], 0 to 1. */
  readonly shares: readonly (readonly number[])[];
  /** Column that is outlined, by row. */
  readonly chosen?: readonly (number | undefined)[] | undefined;
}

const width = 340;
const rowHeight = 22;

/** Shares as shades, with their percentages in the cells. */
export function heatMap({ label, rows, columns, shares, chosen = [] }: HeatMapOptions): Picture {
  const left = Math.min(110, Math.ceil(Math.max(...rows.map((row) => textWidth(row)), 0))) + 8;
  const slanted = Math.max(...columns.map((column) => textWidth(column, 10)), 0);
  const top = Math.ceil(slanted * Math.sin(Math.PI / 4)) + 14;
  // The last column's slanted name needs room to its right.
  const cell = (width - left - Math.min(60, slanted * Math.cos(Math.PI / 4) - 8)) / Math.max(1, columns.length);
  const heads = columns.map((column, index) => {
    const x = left + (index + 0.5) * cell;
    return markup`<text class="quiet small" transform="translate(${x} ${top - 6}) rotate(-45)">${column}</text>`;
  });
  const lines = rows.map((row, at) => {
    const y = top + at * rowHeight;
    const cells = columns.map((column, index) => {
      const share = shares[at]?.[index] ?? 0;
      const x = left + index * cell;
      const figure = share >= 0.005 ? formatPercent(share, 0).replace(/\s*%/u, "") : "";
      const strong = share > 0.55 ? "inverse small" : "small";
      return markup`<g><title>${row}, ${column}: ${formatPercent(share)}</title><rect class="track" x="${x}" y="${y}" width="${cell - 2}" height="${rowHeight - 2}" rx="2"/><rect class="cell" x="${x}" y="${y}" width="${cell - 2}" height="${rowHeight - 2}" rx="2" opacity="${share}"/><text class="${strong}" x="${x + cell / 2 - 1}" y="${y + 14}" text-anchor="middle">${figure}</text></g>`;
    });
    const pick = chosen[at];
    const outline =
      pick !== undefined &&
      markup`<rect class="chosen" x="${left + pick * cell - 1}" y="${y - 1}" width="${cell}" height="${rowHeight}" rx="3"/>`;
    return markup`<text x="${left - 8}" y="${y + 14}" text-anchor="end">${fitText(row, 110)}</text>${cells}${outline}`;
  });
  return { width, height: top + rows.length * rowHeight, label, content: markup`${heads}${lines}` };
}

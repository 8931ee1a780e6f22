import { markup } from "../markup/markup.js";
import type { Picture } from "./picture.js";
import { fitText, textWidth } from "./text.js";

export interface MatrixOptions {
  readonly label: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [row][column], −1 to 1; NaN where there is no value. */
  readonly values: readonly (readonly number[])[];
}

const width = 620;
const rowHeight = 26;
const rowNameRoom = 150;

/** Correlations as shades with their figures in the cells; negative ones in another colour. */
export function matrix({ label, rows, columns, values }: MatrixOptions): Picture {
  const left = Math.min(rowNameRoom, Math.ceil(Math.max(...rows.map((row) => textWidth(row)), 0))) + 8;
  const slanted = Math.max(...columns.map((column) => textWidth(column, 10)), 0);
  const top = Math.ceil(slanted * Math.sin(Math.PI / 4)) + 14;
  const cell = (width - left - Math.min(90, slanted * Math.cos(Math.PI / 4))) / Math.max(1, columns.length);
  const heads = columns.map((column, index) => {
    const x = left + (index + 0.5) * cell;
    return markup`<text class="quiet small" transform="translate(${x} ${top - 6}) rotate(-45)">${column}</text>`;
  });
  const lines = rows.map((row, at) => {
    const y = top + at * rowHeight;
    const cells = columns.map((column, index) => {
      const value = values[at]?.[index] ?? Number.NaN;
      const x = left + index * cell;
      const text = Number.isNaN(value) ? "–" : value.toFixed(2).replace("-", "\u2212");
      const shade = Number.isNaN(value) ? "0" : Math.abs(value).toFixed(2);
      const colour = value < 0 ? "fill c4" : "cell";
      const style = Math.abs(value) > 0.6 ? "inverse small" : "small";
      return markup`<g><title>${row}, ${column}: ${text}</title><rect class="track" x="${x}" y="${y}" width="${cell - 2}" height="${rowHeight - 2}" rx="2"/><rect class="${colour}" x="${x}" y="${y}" width="${cell - 2}" height="${rowHeight - 2}" rx="2" opacity="${shade}"/><text class="${style}" x="${x + cell / 2 - 1}" y="${y + 16}" text-anchor="middle">${text}</text></g>`;
    });
    return markup`<text x="${left - 8}" y="${y + 16}" text-anchor="end">${fitText(row, rowNameRoom)}</text>${cells}`;
  });
  return { width, height: top + rows.length * rowHeight, label, content: markup`${heads}${lines}` };
}

import { type Markup, markup } from "../markup/markup.js";
import { legend } from "./legend.js";
import type { Picture } from "./picture.js";
import { fitText, textWidth } from "./text.js";

export interface StackedBar {
  readonly name: string;
  /** Total in words. */
  readonly text: string;
  /** By category. */
  readonly values: readonly number[];
  readonly strong?: boolean | undefined;
}

export interface Category {
  readonly name: string;
  /** Class of the series. */
  readonly series: string;
}

const width = 340;
const rowHeight = 34;

/** Totals with the parts that make them up, on one scale. */
export function stackedBars(
  rows: readonly StackedBar[],
  options: {
    readonly label: string;
    readonly categories: readonly Category[];
    readonly format: (value: number) => string;
  },
): Picture {
  const { label, categories, format } = options;
  const totals = rows.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const most = Math.max(...totals) || 1;
  const names = legend(
    categories.map(({ name, series }) => ({ name, series })),
    width,
  );
  const content = rows.map(({ name, text, values, strong }, index) => {
    const y = names.height + 6 + index * rowHeight;
    const weight = strong ? "strong" : "";
    const segments = strip({
      values,
      categories,
      format,
      x: 0,
      y: y + 16,
      width: (totals[index]! / most) * width,
      height: 12,
    });
    return markup`<text class="${weight}" x="0" y="${y + 11}">${fitText(name, width - textWidth(text) - 14)}</text><text class="${weight}" x="${width}" y="${y + 11}" text-anchor="end">${text}</text>${segments}`;
  });
  const height = names.height + 6 + rows.length * rowHeight - 6;
  return { width, height, label, content: markup`${names.content}${content}` };
}

/** One bar of parts that fills its width: for the cells of a table. */
export function stackedStrip(
  values: readonly number[],
  options: {
    readonly label: string;
    readonly categories: readonly Category[];
    readonly format: (value: number) => string;
  },
): Picture {
  const { label, categories, format } = options;
  const content = strip({ values, categories, format, x: 0, y: 0, width: 120, height: 12 });
  return { width: 120, height: 12, label, content };
}

function strip(options: {
  readonly values: readonly number[];
  readonly categories: readonly Category[];
  readonly format: (value: number) => string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}): Markup {
  const { values, categories, format, y, width, height } = options;
  const total = values.reduce((sum, value) => sum + value, 0) || 1;
  let x = options.x;
  const segments = values.map((value, index) => {
    const category = categories[index]!;
    const length = (value / total) * width;
    const segment = markup`<rect class="fill ${category.series}" x="${x}" y="${y}" width="${length}" height="${height}"><title>${category.name}: ${format(value)}</title></rect>`;
    x += length;
    return segment;
  });
  return markup`${segments}`;
}

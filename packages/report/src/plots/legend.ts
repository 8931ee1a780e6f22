import { join, type Markup, markup } from "../markup/markup.js";
import { textWidth } from "./text.js";

export interface LegendItem {
  readonly name: string;
  /** Class of the series. */
  readonly series: string;
}

/** Names with their colours, in as many lines as they need. */
export function legend(
  items: readonly LegendItem[],
  width: number,
): { readonly content: Markup; readonly height: number } {
  let x = 0;
  let y = 0;
  const placed = items.map(({ name, series }) => {
    const needed = 14 + textWidth(name) + 14;
    if (x > 0 && x + needed - 14 > width) {
      x = 0;
      y += 16;
    }
    const item = markup`<rect class="fill ${series}" x="${x}" y="${y + 1}" width="10" height="10" rx="2"/><text x="${x + 14}" y="${y + 10}">${name}</text>`;
    x += needed;
    return item;
  });
  return { content: join(placed), height: items.length === 0 ? 0 : y + 14 };
}

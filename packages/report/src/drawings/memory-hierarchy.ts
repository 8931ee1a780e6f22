import { type Architecture, instanceCounts, type Storage } from "@dovetail/hardware";
import { formatBytes, formatCount, formatSi } from "../format/numbers.js";
import { coordinate, type Markup, markup } from "../markup/markup.js";
import type { Picture } from "../plots/picture.js";
import { fitText } from "../plots/text.js";
import { arrow } from "./network-drawing.js";

const width = 360;
const boxHeight = 46;
const gap = 18;
const array = { width: 144, height: 168 };
const element = { left: 178, width: 182 };

/**
 * Memories from the outermost to the compute unit as boxes with their sizes and energies; where the first fan-out is, the
 * array with its true number of rows and columns, and beside it what its elements hold.
 */
export function memoryHierarchy(architecture: Architecture, label: string): Picture {
  const { levels, compute } = architecture;
  const counts = instanceCounts(architecture);
  const units = counts[levels.length]!;
  const parts: Part[] = levels.flatMap(({ name, storage }, index) =>
    storage === undefined ? [] : [{ name, detail: describeStorage(storage), count: counts[index]! }],
  );
  parts.push({
    name: compute.name,
    detail: `${formatSi(compute.energyPj * 1e-12, "J")} per multiply-accumulate`,
    count: units,
  });
  const shared = parts.filter(({ count }) => count === 1);
  const inArray = parts.filter(({ count }) => count > 1);
  const chain = shared.map((part, index) => {
    const y = index * (boxHeight + gap);
    return markup`${index > 0 && arrow(width / 2, y - gap, gap)}${box(part.name, part.detail, { x: 0, y, width })}`;
  });
  const top = shared.length * (boxHeight + gap);
  if (inArray.length === 0) return { width, height: top - gap + 2, label, content: markup`${chain}` };
  const columns = levels.reduce((product, { fanout }) => product * (fanout?.x ?? 1), 1);
  const drawn = arrayDrawing(inArray, { columns, rows: units / columns, top });
  return { width, height: drawn.bottom + 2, label, content: markup`${chain}${drawn.content}` };
}

/** A memory or the compute unit. */
interface Part {
  readonly name: string;
  readonly detail: string;
  /** Instances in the whole chip. */
  readonly count: number;
}

/** The array, and what one of its elements holds beside it. */
function arrayDrawing(
  parts: readonly Part[],
  place: { readonly columns: number; readonly rows: number; readonly top: number },
): { readonly content: Markup; readonly bottom: number } {
  const { columns, rows } = place;
  const units = columns * rows;
  const top = place.top + 18;
  const grid = arrayGrid(columns, rows, top);
  const boxes = parts.map(({ name, detail, count }, index) => {
    const all = count === units ? name : `${name} (${formatCount(count)} in all)`;
    return box(all, detail, { x: element.left, y: top + index * (boxHeight + 6), width: element.width });
  });
  const bottom = top + parts.length * (boxHeight + 6) - 6;
  const titles = markup`<text class="strong" x="0" y="${top - 7}">${formatCount(columns)} columns × ${formatCount(rows)} rows</text><text class="strong" x="${element.left}" y="${top - 7}">in each of the ${formatCount(units)}</text>`;
  const right = element.left - 6;
  const zoom = markup`<path class="link dashed" d="M${grid.right} ${top}L${right} ${top}M${grid.right} ${top + grid.cell}L${right} ${bottom}"/>`;
  const content = markup`${arrow(array.width / 2, place.top - gap, gap)}${titles}${grid.content}${zoom}${boxes}`;
  return { content, bottom: Math.max(bottom, grid.bottom) };
}

/** The array as a grid; of very large ones every so many lines. */
function arrayGrid(
  columns: number,
  rows: number,
  top: number,
): { readonly content: Markup; readonly cell: number; readonly right: number; readonly bottom: number } {
  const cell = Math.min(array.width / columns, array.height / rows, 24);
  const [wide, high] = [columns * cell, rows * cell];
  const every = Math.max(1, Math.ceil(2.5 / cell));
  let lines = "";
  for (let column = every; column < columns; column += every) {
    lines += `M${coordinate(column * cell)} ${coordinate(top)}v${coordinate(high)}`;
  }
  for (let row = every; row < rows; row += every) lines += `M0 ${coordinate(top + row * cell)}h${coordinate(wide)}`;
  const content = markup`<rect class="washed" x="0" y="${top}" width="${wide}" height="${high}"/><path class="axis" d="${lines}"/><rect class="fill found" x="${wide - cell}" y="${top}" width="${cell}" height="${cell}"/>`;
  return { content, cell, right: wide, bottom: top + high };
}

function box(
  name: string,
  detail: string,
  place: { readonly x: number; readonly y: number; readonly width: number },
): Markup {
  const { x, y, width: wide } = place;
  return markup`<rect class="box" x="${x}" y="${y}" width="${wide}" height="${boxHeight}" rx="6"/><text class="strong" x="${x + 10}" y="${y + 19}">${fitText(name, wide - 20)}</text><text class="quiet small" x="${x + 10}" y="${y + 35}">${fitText(detail, wide - 20, 10)}</text>`;
}

/** `128 KB, rows of 128 bit, 12.3 pJ/read` */
function describeStorage({ entries, widthBits, wordBits, readPj }: Storage): string {
  const read = `${formatSi(readPj * 1e-12, "J")}/read`;
  if (entries === undefined) return `off chip, rows of ${widthBits} bit, ${read}`;
  if (wordBits === widthBits) return `${formatCount(entries)} words × ${widthBits} bit, ${read}`;
  return `${formatBytes((entries * widthBits) / 8)}, rows of ${widthBits} bit, ${read}`;
}

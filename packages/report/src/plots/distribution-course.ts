import { formatPercent } from "../format/numbers.js";
import { markup } from "../markup/markup.js";
import type { Picture } from "./picture.js";
import { textWidth } from "./text.js";

export interface DistributionCourseOptions {
  readonly label: string;
  readonly options: readonly string[];
  readonly steps: readonly string[];
  /** [step][option], 0 to 1. */
  readonly shares: readonly (readonly number[])[];
  /** Option that was taken in the end; its row is marked. */
  readonly chosen?: number | undefined;
}

const width = 165;
const rowHeight = 13;

/** How one distribution develops: a row an option, a column a step, the shade its probability. One small picture of many. */
export function distributionCourse({ label, options, steps, shares, chosen }: DistributionCourseOptions): Picture {
  const left = Math.ceil(Math.max(0, ...options.map((option) => textWidth(option, 10)))) + 14;
  const cell = (width - left) / Math.max(1, steps.length);
  const gap = cell > 4 ? 1 : 0;
  const rows = options.map((option, row) => {
    const y = row * rowHeight;
    const taken = row === chosen;
    const cells = steps.map((step, column) => {
      const share = shares[column]?.[row] ?? 0;
      return markup`<rect class="cell" x="${left + column * cell}" y="${y}" width="${cell - gap}" height="${rowHeight - 1}" opacity="${share}"><title>${option} at step ${step}: ${formatPercent(share)}</title></rect>`;
    });
    const mark = taken && markup`<path class="arrow" d="M${left - 8} ${y + 2.5}l6 3.5l-6 3.5z"/>`;
    const weight = taken ? "small strong" : "quiet small";
    return markup`<rect class="track" x="${left}" y="${y}" width="${width - left}" height="${rowHeight - 1}"/>${cells}${mark}<text class="${weight}" x="${left - 11}" y="${y + 9.5}" text-anchor="end">${option}</text>`;
  });
  const bottom = options.length * rowHeight;
  const ends = [
    markup`<text class="quiet small" x="${left}" y="${bottom + 11}">${steps[0] ?? ""}</text>`,
    steps.length > 1 &&
      markup`<text class="quiet small" x="${width}" y="${bottom + 11}" text-anchor="end">${steps[steps.length - 1]!}</text>`,
  ];
  return { width, height: bottom + 14, label, content: markup`${rows}${ends[0]}${ends[1]}` };
}

import { coordinate, markup } from "../markup/markup.js";
import { type Area, horizontalAxis } from "./axes.js";
import type { Picture } from "./picture.js";
import { extent, linearScale } from "./scale.js";

export interface ShareAreasOptions {
  readonly label: string;
  readonly steps: readonly number[];
  /** [step][category]; each row adds up to 1. */
  readonly shares: readonly (readonly number[])[];
  /** By category, the first at the bottom. */
  readonly categories: readonly { readonly name: string; readonly series: string }[];
}

const width = 165;
const area: Area = { left: 1, right: width - 1, top: 2, bottom: 82 };

/** How shares of a whole develop: areas stacked up to 1. A small picture, one of many. */
export function shareAreas(options: ShareAreasOptions): Picture {
  const { label, steps, shares, categories } = options;
  const x = linearScale({ domain: extent(steps), range: [area.left, area.right], tickCount: 2, nice: false });
  const y = linearScale({ domain: [0, 1], range: [area.bottom, area.top], nice: false });
  const floor = steps.map(() => 0);
  const areas = categories.map(({ name, series }, category) => {
    const lower = steps.map((step, index) => [x.at(step), y.at(floor[index]!)] as const);
    steps.forEach((_, index) => {
      floor[index]! += shares[index]?.[category] ?? 0;
    });
    const upper = steps.map((step, index) => [x.at(step), y.at(floor[index]!)] as const);
    const outline = [...lower, ...upper.reverse()].map((point) => point.map(coordinate).join(" ")).join("L");
    return markup`<path class="fill gap ${series}" d="M${outline}Z"><title>${name}</title></path>`;
  });
  return {
    width,
    height: area.bottom + 18,
    label,
    content: markup`${areas}${horizontalAxis(x, area, {})}`,
  };
}

import { formatCount } from "../format/numbers.js";
import { markup } from "../markup/markup.js";
import { type Area, horizontalAxis, horizontalAxisHeight } from "./axes.js";
import type { Picture } from "./picture.js";
import { linearScale } from "./scale.js";
import { fitText, textWidth } from "./text.js";

export interface CycleLane {
  readonly name: string;
  /** One after the other. */
  readonly layers: readonly { readonly name: string; readonly cycles: number }[];
}

const width = 360;
const laneHeight = 40;

/**
 * Stages of a pipeline side by side: in each lane the cycles of its layers one after the other. The longest lane sets
 * the pace and is marked.
 */
export function cycleLanes(lanes: readonly CycleLane[], label: string): Picture {
  const totals = lanes.map(({ layers }) => layers.reduce((sum, { cycles }) => sum + cycles, 0));
  const slowest = Math.max(0, ...totals);
  const bottom = lanes.length * laneHeight;
  const area: Area = { left: 0, right: width - 14, top: 0, bottom };
  const x = linearScale({ domain: [0, slowest], range: [area.left, area.right], nice: false });
  const content = lanes.map(({ name, layers }, index) => {
    const y = index * laneHeight;
    const pace = totals[index] === slowest;
    const text = `${formatCount(totals[index])} cycles${pace ? ", sets the pace" : ""}`;
    let cycle = 0;
    const segments = layers.map((layer) => {
      const [from, to] = [x.at(cycle), x.at(cycle + layer.cycles)];
      cycle += layer.cycles;
      const inside =
        to - from > 40 &&
        markup`<text class="inverse small" x="${from + 4}" y="${y + 28}">${fitText(layer.name, to - from - 8, 11)}</text>`;
      return markup`<g><title>${layer.name}: ${formatCount(layer.cycles)} cycles</title><rect class="fill gap ${pace ? "found" : "baseline"}" x="${from}" y="${y + 17}" width="${to - from}" height="16"/>${inside}</g>`;
    });
    const weight = pace ? "strong accent" : "";
    return markup`<text class="${weight}" x="0" y="${y + 12}">${fitText(name, width - textWidth(text) - 24)}</text><text class="${weight}" x="${area.right - 5}" y="${y + 12}" text-anchor="end">${text}</text>${segments}`;
  });
  const end = markup`<path class="chosen dashed" d="M${x.at(slowest)} 15V${bottom}"/>`;
  const axis = horizontalAxis(x, area, { title: "cycles" });
  return { width, height: bottom + horizontalAxisHeight, label, content: markup`${content}${end}${axis}` };
}

import { coordinate, markup } from "../markup/markup.js";
import { type Area, horizontalAxis, horizontalAxisHeight, labelRoom, verticalAxis } from "./axes.js";
import type { Picture } from "./picture.js";
import { extent, linearScale, logScale } from "./scale.js";

export interface BestSoFarOptions {
  readonly label: string;
  /** In order; values are positive, absent where the trial did not count. */
  readonly trials: readonly {
    readonly at: number;
    readonly value?: number | undefined;
    readonly best?: number | undefined;
  }[];
  readonly xTitle: string;
  readonly yTitle: string;
}

const width = 340;
const top = 22;
const bottom = top + 150;

/** Trials of a search as dots and the best so far as a staircase, on a logarithmic axis. Far-off trials stand at the upper edge. */
export function bestSoFar({ label, trials, xTitle, yTitle }: BestSoFarOptions): Picture {
  const bests = trials.flatMap(({ best }) => (best === undefined ? [] : [best]));
  const values = trials.flatMap(({ value }) => (value === undefined ? [] : [value])).sort((a, b) => a - b);
  const ordinary = values[Math.floor(0.95 * (values.length - 1))];
  const [low, high] = extent([...bests, ...(ordinary === undefined ? [] : [ordinary])]);
  const y = logScale({ domain: [low > 0 ? low / 1.05 : 0.1, Math.max(high, low) * 1.05], range: [bottom, top] });
  const area: Area = { left: labelRoom(y, undefined), right: width - 6, top, bottom };
  const x = linearScale({
    domain: extent(trials.map(({ at }) => at)),
    range: [area.left, area.right],
    tickCount: 5,
    nice: false,
  });
  const dots = trials.flatMap(({ at, value }) =>
    value === undefined
      ? []
      : [markup`<circle class="faint baseline" cx="${x.at(at)}" cy="${Math.max(top, y.at(value))}" r="1.7"/>`],
  );
  let staircase = "";
  for (const { at, best } of trials) {
    if (best === undefined) continue;
    const [across, down] = [coordinate(x.at(at)), coordinate(y.at(best))];
    staircase += staircase === "" ? `M${across} ${down}` : `H${across}V${down}`;
  }
  const axes = markup`${verticalAxis(y, area, { title: yTitle })}${horizontalAxis(x, area, { title: xTitle })}`;
  return {
    width,
    height: bottom + horizontalAxisHeight,
    label,
    content: markup`${axes}${dots}<path class="curve found" d="${staircase}"/>`,
  };
}

import { coordinate, markup } from "../markup/markup.js";
import { type Area, horizontalAxis, horizontalAxisHeight, labelRoom, verticalAxis } from "./axes.js";
import { legend } from "./legend.js";
import type { Picture } from "./picture.js";
import { extent, linearScale, logScale, type Scale } from "./scale.js";

export interface LineSeries {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Class of the series. */
  readonly series: string;
  readonly dashed?: boolean | undefined;
}

export interface LinePlotOptions {
  readonly label: string;
  readonly series: readonly LineSeries[];
  readonly xTitle: string;
  readonly yTitle: string;
  /** Values that the vertical axis must show. */
  readonly yIncludes?: readonly number[] | undefined;
  /** Default false: even steps. Points that are not positive are left out. */
  readonly yLogarithmic?: boolean | undefined;
  /** Vertical lines with a name each, such as the beginning of a phase. */
  readonly marks?: readonly { readonly x: number; readonly name: string }[] | undefined;
}

const width = 340;
const plotHeight = 150;

/** Curves over steps. Values that are not finite are left out. */
export function linePlot(options: LinePlotOptions): Picture {
  const { label, xTitle, yTitle, yLogarithmic = false, marks = [] } = options;
  const series = options.series.map((one) => ({
    ...one,
    points: thin(one.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && (!yLogarithmic || y > 0))),
  }));
  const names = legend(series.length > 1 ? series.map(({ name, series }) => ({ name, series })) : [], width);
  const top = names.height + 22;
  const bottom = top + plotHeight;
  const yDomain = extent([...series.flatMap(({ points }) => points.map(([, y]) => y)), ...(options.yIncludes ?? [])]);
  const y = (yLogarithmic && yDomain[0] > 0 ? logScale : linearScale)({ domain: yDomain, range: [bottom, top] });
  const left = labelRoom(y, undefined);
  const area: Area = { left, right: width - 6, top, bottom };
  const x = linearScale({
    domain: extent(series.flatMap(({ points }) => points.map(([at]) => at))),
    range: [area.left, area.right],
    tickCount: 5,
    nice: false,
  });
  const content = markup`${names.content}${verticalAxis(y, area, { title: yTitle })}${horizontalAxis(x, area, {
    title: xTitle,
  })}${marks.map(
    ({ x: at, name }) =>
      markup`<path class="link dashed" d="M${x.at(at)} ${top}V${bottom}"/><text class="quiet small" x="${x.at(at) + 4}" y="${bottom - 7}">${name}</text>`,
  )}${series.map(({ points, series, dashed }) => {
    const classes = `curve ${series}${dashed ? " dashed" : ""}`;
    return markup`<path class="${classes}" d="${pathThrough(points, x, y)}"/>`;
  })}`;
  return { width, height: bottom + horizontalAxisHeight, label, content };
}

/** More points than half-pixels are averaged in groups. */
function thin(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const size = Math.ceil(points.length / (2 * width));
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const group = points.slice(index * size, (index + 1) * size);
    const sum = group.reduce<[number, number]>((total, [x, y]) => [total[0] + x, total[1] + y], [0, 0]);
    return [sum[0] / group.length, sum[1] / group.length] as const;
  });
}

function pathThrough(points: readonly (readonly [number, number])[], x: Scale, y: Scale): string {
  return points
    .map(([at, value], index) => `${index === 0 ? "M" : "L"}${coordinate(x.at(at))} ${coordinate(y.at(value))}`)
    .join("");
}

import { coordinate, markup } from "../markup/markup.js";
import { type Area, horizontalAxis, horizontalAxisHeight, labelRoom, verticalAxis } from "./axes.js";
import { legend } from "./legend.js";
import type { Picture } from "./picture.js";
import { extent, linearScale, logScale } from "./scale.js";

export interface CloudOptions {
  readonly label: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** All points; those that are not finite are left out. */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** What the points are called. */
  readonly name: string;
  /** Curves of steps through some points, in order of x: fronts. */
  readonly steps?: readonly CloudSteps[] | undefined;
  /** Points with a name beside them. */
  readonly marks?: readonly CloudMark[] | undefined;
  /** Points below are left out. Default: none. */
  readonly yLeast?: number | undefined;
  /** Default false. Points that are not positive are left out. */
  readonly xLogarithmic?: boolean | undefined;
}

export interface CloudSteps {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Class of the series. */
  readonly series: string;
  /** Straight from point to point, not in steps. */
  readonly straight?: boolean | undefined;
}

export interface CloudMark {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

const width = 620;
const plotHeight = 300;

/** Thousands of points as dots, with fronts as staircases over them. */
export function cloud(options: CloudOptions): Picture {
  const { label, xTitle, yTitle, name, steps = [], marks = [], xLogarithmic = false } = options;
  const { yLeast = Number.NEGATIVE_INFINITY } = options;
  const points = Array.from(options.x, (x, index) => [x, options.y[index]!] as const).filter(
    ([x, y]) => Number.isFinite(x) && Number.isFinite(y) && y >= yLeast && (!xLogarithmic || x > 0),
  );
  const names = legend(
    [{ name, series: "baseline" }, ...steps.map((one) => ({ name: one.name, series: one.series }))],
    width,
  );
  const top = names.height + 22;
  const bottom = top + plotHeight;
  const y = linearScale({ domain: extent(points.map(([, value]) => value)), range: [bottom, top], tickCount: 6 });
  const area: Area = { left: labelRoom(y, undefined), right: width - 6, top, bottom };
  const x = (xLogarithmic && points.length > 0 ? logScale : linearScale)({
    domain: extent(points.map(([value]) => value)),
    range: [area.left, area.right],
    tickCount: 8,
  });
  // Dots that fall on the same half-pixel are drawn once.
  const places = new Set(points.map(([px, py]) => `M${half(x.at(px))} ${half(y.at(py))}h0`));
  const staircases = steps.map(({ points: corners, series, straight }) => {
    const path = corners
      .filter(([, py]) => py >= yLeast)
      .map(([px, py], index) => {
        const [across, down] = [coordinate(x.at(px)), coordinate(y.at(py))];
        if (index === 0) return `M${across} ${down}`;
        return straight ? `L${across} ${down}` : `H${across}V${down}`;
      })
      .join("");
    return markup`<path class="curve ${series}" d="${path}"/>`;
  });
  const named = marks.map(
    (mark) =>
      markup`<circle class="fill gap c4" cx="${x.at(mark.x)}" cy="${y.at(mark.y)}" r="4.5"/><text class="small strong" x="${x.at(mark.x) + 7}" y="${y.at(mark.y) + 12}">${mark.name}</text>`,
  );
  const axes = markup`${verticalAxis(y, area, { title: yTitle })}${horizontalAxis(x, area, { title: xTitle, grid: true })}`;
  const dots = markup`<path class="curve baseline" style="stroke-width:2;stroke-linecap:round;opacity:.5" d="${[...places].join("")}"/>`;
  return {
    width,
    height: bottom + horizontalAxisHeight,
    label,
    content: markup`${names.content}${axes}${dots}${staircases}${named}`,
  };
}

function half(value: number): string {
  return String(Math.round(value * 2) / 2);
}

import { markupText } from "../markup/markup.js";
import { linePlot } from "./line-plot.js";
import { type Picture, stack, standaloneSvg } from "./picture.js";

/** What a unit, or a machine, does at a precision. */
export interface PrecisionPoint {
  readonly bits: number;
  /** Operations in a time and on an area, in the unit of `throughputTitle`. */
  readonly throughputPerArea: number;
  /** Of one operation, in the unit of `energyTitle`. */
  readonly energy: number;
}

export interface PrecisionPlotOptions {
  /** For people who do not see it. */
  readonly label: string;
  readonly series: readonly {
    readonly name: string;
    /** Class of the series. */
    readonly series: string;
    readonly dashed?: boolean | undefined;
    /** In order of their bits. */
    readonly points: readonly PrecisionPoint[];
  }[];
  readonly throughputTitle: string;
  readonly energyTitle: string;
}

/** Throughput per area, and below it energy an operation, against precision; both axes of figures are logarithmic. */
export function precisionPlot({ label, series, throughputTitle, energyTitle }: PrecisionPlotOptions): Picture {
  const plotOf = (title: string, figure: (point: PrecisionPoint) => number): Picture =>
    linePlot({
      label: title,
      series: series.map(({ points, ...one }) => ({
        ...one,
        points: points.map((point) => [point.bits, figure(point)] as const),
      })),
      xTitle: "bits of both operands",
      yTitle: title,
      yLogarithmic: true,
    });
  return stack(
    [plotOf(throughputTitle, (point) => point.throughputPerArea), plotOf(energyTitle, (point) => point.energy)],
    label,
  );
}

/** The same as one SVG file for a page such as a README. */
export function renderPrecisionSvg(options: PrecisionPlotOptions): string {
  return markupText(standaloneSvg(precisionPlot(options)));
}

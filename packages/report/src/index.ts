/**
 * Plots, drawings and report sections.
 *
 * @module report
 */

export type {
  AcceleratorResult,
  ConstraintOutcome,
  HardwareFigures,
  Interval,
  LayerResult,
  ReportBaseline,
  ReportCandidate,
  ReportData,
  Reproduction,
  SearchPoint,
  SearchTrace,
  TestImage,
} from "./data/report-data.js";
export {
  type FiguresPage,
  type PagePlot,
  type PageSection,
  type PageTable,
  renderFiguresPage,
} from "./figures-page.js";
export { renderOverviewSvg } from "./overview.js";
export { type PrecisionPlotOptions, type PrecisionPoint, renderPrecisionSvg } from "./plots/precision-plot.js";
export { renderReport } from "./report.js";

import { comparedKinds, type FigureKind, figureRatio } from "../data/figures.js";
import type { Interval, ReportCandidate, ReportData } from "../data/report-data.js";
import { formatInterval, formatPercent, formatRatio } from "../format/numbers.js";
import { type Markup, markup } from "../markup/markup.js";
import { bars } from "../plots/bars.js";
import { intervalDots } from "../plots/interval-dots.js";
import { figure, type Section } from "./elements.js";

/** Found network and baselines side by side, a panel a figure; undefined where there is nothing to compare with. */
export function glanceSection(data: ReportData): Section | undefined {
  const kinds = comparedKinds(data.found.hardware);
  const panels = [accuracyPanel(data), ...kinds.map((kind) => figurePanel(data, kind))].filter(
    (panel) => panel !== undefined,
  );
  if (panels.length === 0) return undefined;
  const relative =
    data.baselines.length > 0 &&
    markup`<p class="quiet">Blue: what the search found. Grey: the baselines, in brackets their figures relative to the found.</p>
`;
  const content = markup`${relative}<div class="plots">${panels}</div>
`;
  return { id: "result", title: "The result at a glance", content };
}

/** Class of a candidate's marks. */
export function candidateSeries(data: ReportData, candidate: ReportCandidate): string {
  return candidate === data.found ? "found" : "baseline";
}

function accuracyPanel(data: ReportData): Markup | undefined {
  const rows = [data.found, ...data.baselines].flatMap((candidate) => {
    const { name, accuracyFraction, accuracyInterval95 } = candidate;
    if (accuracyFraction === undefined) return [];
    const interval = accuracyInterval95 === undefined ? "" : `  ${formatInterval(accuracyInterval95)}`;
    return [
      {
        name,
        value: 100 * accuracyFraction,
        interval: inPercent(accuracyInterval95),
        text: `${formatPercent(accuracyFraction)}${interval}`,
        series: candidateSeries(data, candidate),
      },
    ];
  });
  if (rows.length === 0) return undefined;
  const label = `Test accuracy with 95 % intervals: ${rows.map(({ name, text }) => `${name} ${text}`).join("; ")}`;
  const picture = intervalDots(rows, { label });
  return figure("Test accuracy", "with 95 % intervals; higher is better", picture);
}

/** An interval of shares in per cent, for an axis of per cent. */
export function inPercent(interval: Interval | undefined): Interval | undefined {
  return interval && [100 * interval[0], 100 * interval[1]];
}

/** Bars of one figure; undefined for a single one without a limit, which would only fill its frame. */
function figurePanel(data: ReportData, kind: FigureKind): Markup | undefined {
  const rows = [data.found, ...data.baselines].flatMap((candidate) => {
    const value = candidate.hardware[kind.field];
    if (value === undefined) return [];
    const ratio = candidate === data.found ? undefined : figureRatio(kind, candidate.hardware, data.found.hardware);
    return [
      {
        name: candidate.name,
        value,
        text: kind.format(value),
        note: ratio === undefined ? undefined : formatRatio(ratio),
        series: candidateSeries(data, candidate),
      },
    ];
  });
  const bound = data.constraints.find(({ name }) => name === kind.field);
  if (rows.length < 2 && bound === undefined) return undefined;
  const limit = bound && { value: bound.limit, name: `limit ${kind.format(bound.limit)}` };
  const label = `${kind.label}: ${rows.map(({ name, text }) => `${name} ${text}`).join("; ")}`;
  return figure(kind.label, `${kind.better} is better`, bars(rows, { label, limit }));
}

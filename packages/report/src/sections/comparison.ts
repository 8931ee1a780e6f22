import { comparedKinds, figureRatio } from "../data/figures.js";
import type { Interval, ReportBaseline, ReportCandidate, ReportData } from "../data/report-data.js";
import { formatInterval, formatPercent, formatPoints, formatRatio, formatShort } from "../format/numbers.js";
import { type Insertion, type Markup, markup } from "../markup/markup.js";
import { intervalDots } from "../plots/interval-dots.js";
import { accuracyCostScatter } from "./accuracy-cost.js";
import { type Column, figure, type Section, table } from "./elements.js";
import { inPercent } from "./glance.js";

/** Found network against the baselines in every figure, with ratios and paired differences. */
export function comparisonSection(data: ReportData): Section | undefined {
  if (data.baselines.length === 0) return undefined;
  const scatterPicture = accuracyCostScatter(data);
  const panels = [
    scatterPicture && figure(scatterPicture.title, scatterPicture.explanation, scatterPicture.picture),
    differencePanel(data),
  ].filter((panel) => panel !== undefined);
  const content = markup`${
    panels.length > 0 &&
    markup`<div class="plots">${panels}</div>
`
  }${comparisonTable(data)}<p class="quiet">Ratios are the found network’s figure over the baseline’s. Differences are the found network’s accuracy minus the baseline’s on the same test images, with 95 % intervals.</p>
`;
  return { id: "comparison", title: "Comparison with the baselines", content };
}

function differencePanel({ baselines }: ReportData): Markup | undefined {
  const rows = baselines.flatMap(({ name, pairedDifference95 }) => {
    if (pairedDifference95 === undefined) return [];
    const { difference, interval95 } = pairedDifference95;
    const text = describeDifference(difference, interval95);
    return [{ name, value: 100 * difference, interval: inPercent(interval95), text, series: "c0" }];
  });
  if (rows.length === 0) return undefined;
  const label = `Accuracy of the found network minus each baseline’s in points: ${rows.map(({ name, text }) => `${name} ${text}`).join("; ")}`;
  const picture = intervalDots(rows, { label, reference: 0 });
  return figure(
    "Difference in accuracy",
    "points by which the found network is better, on the same images, with 95 % intervals",
    picture,
  );
}

function describeDifference(difference: number, interval95: Interval): string {
  return `${formatPoints(difference)}  ${formatInterval(interval95)}`;
}

function comparisonTable(data: ReportData): Markup {
  const { found, baselines } = data;
  const kinds = comparedKinds(found.hardware);
  const columns: Column[] = [
    { title: "Network" },
    { title: "Test accuracy", number: true },
    { title: "Difference", number: true },
    ...kinds.map(({ label }) => ({ title: label, number: true })),
    { title: "MACs", number: true },
    { title: "Training MACs", number: true },
  ];
  const row = (
    candidate: ReportCandidate,
    difference: string,
    isFound: boolean,
  ): { cells: Insertion[]; found: boolean } => ({
    cells: [
      candidate.name,
      withSmall(
        formatPercent(candidate.accuracyFraction, 2),
        candidate.accuracyInterval95 && formatInterval(candidate.accuracyInterval95),
        candidate.float32AccuracyFraction === undefined
          ? undefined
          : `float32 ${formatPercent(candidate.float32AccuracyFraction, 2)}`,
      ),
      difference,
      ...kinds.map((kind) => {
        const value = candidate.hardware[kind.field];
        const ratio = isFound ? undefined : figureRatio(kind, found.hardware, candidate.hardware);
        return withSmall(
          value === undefined ? "–" : kind.format(value),
          ratio === undefined ? undefined : `ratio ${formatRatio(ratio)}`,
        );
      }),
      withSmall(formatShort(candidate.macs), `${formatShort(candidate.parameters)} parameters`),
      formatShort(candidate.trainingMacs),
    ],
    found: isFound,
  });
  const differenceOf = ({ pairedDifference95: paired }: ReportBaseline): string =>
    paired === undefined ? "–" : describeDifference(paired.difference, paired.interval95);
  return table({
    caption: "All figures of the found network and the baselines",
    columns,
    rows: [row(found, "", true), ...baselines.map((baseline) => row(baseline, differenceOf(baseline), false))],
  });
}

/** A figure, and below it what qualifies it, a line each. */
function withSmall(figure: string, ...notes: readonly (string | undefined)[]): Markup {
  const lines = notes.flatMap((note) => (note === undefined ? [] : [markup`<br><span class="quiet">${note}</span>`]));
  return markup`${figure}${lines}`;
}

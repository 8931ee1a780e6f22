import { objectiveKind } from "./data/figures.js";
import type { ReportData } from "./data/report-data.js";
import { markup, markupText } from "./markup/markup.js";
import { bars } from "./plots/bars.js";
import { type Picture, standaloneSvg } from "./plots/picture.js";
import { accuracyCostScatter } from "./sections/accuracy-cost.js";
import { candidateSeries } from "./sections/glance.js";

const headHeight = 40;

/**
 * The result as one SVG file for a page such as a README: accuracy against EDP or frames per second, found network and
 * baselines; without accuracies the objective alone, as bars. Light or dark as the viewer asks.
 */
export function renderOverviewSvg(data: ReportData): string {
  const { title, explanation, picture } =
    accuracyCostScatter(data, { width: 620, plotHeight: 260 }) ?? objectiveBars(data);
  const content = markup`<text class="strong" x="0" y="12" style="font-size:15px">${title}</text><text class="quiet" x="0" y="28">${explanation}</text><g transform="translate(0 ${headHeight})">${picture.content}</g>`;
  return markupText(standaloneSvg({ ...picture, height: picture.height + headHeight, content }));
}

function objectiveBars(data: ReportData): { title: string; explanation: string; picture: Picture } {
  const kind = objectiveKind(data);
  const rows = [data.found, ...data.baselines].flatMap((candidate) => {
    const value = candidate.hardware[kind.field];
    if (value === undefined) return [];
    return [{ name: candidate.name, value, text: kind.format(value), series: candidateSeries(data, candidate) }];
  });
  const label = `${kind.label}: ${rows.map(({ name, text }) => `${name} ${text}`).join("; ")}`;
  return { title: kind.label, explanation: `${kind.better} is better`, picture: bars(rows, { label }) };
}

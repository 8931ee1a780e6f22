import { comparedKinds, figureRatio, objectiveKind } from "../data/figures.js";
import type { ReportData } from "../data/report-data.js";
import { formatInterval, formatPercent, formatPoints, formatRatio } from "../format/numbers.js";
import { type Markup, markup } from "../markup/markup.js";
import { inSentence, inWords } from "./words.js";

/** Title, the result in a sentence, and its figures large. */
export function headline(data: ReportData): Markup {
  return markup`<header>
<p class="kicker">Dovetail report</p>
<h1>${data.title}</h1>
<p class="lead">${summary(data)}</p>
${tiles(data)}</header>
`;
}

function summary(data: ReportData): string {
  const { found, baselines } = data;
  const place = found.accelerator.kind === "asic" ? "an accelerator" : `a pipeline on the ${found.accelerator.board}`;
  const kind = objectiveKind(data);
  const baseline = baselines[0];
  const ratio = baseline && figureRatio(kind, found.hardware, baseline.hardware);
  const against =
    ratio === undefined
      ? ""
      : ` with ${formatRatio(ratio)} the ${inSentence(kind.label)} of the baseline, ${baseline!.name}`;
  return `${found.operators === undefined ? found.name : "A network"} and ${place} made for it${against}. ${boundsMet(data)}`;
}

function boundsMet({ constraints }: ReportData): string {
  const missed = constraints.filter(({ met }) => !met).length;
  if (constraints.length === 0) return "";
  if (missed > 0) return `${missed} of ${constraints.length} constraints not met.`;
  return constraints.length === 1
    ? "The constraint is met."
    : `All ${inWords(constraints.length)} constraints are met.`;
}

function tiles(data: ReportData): Markup {
  const { found, baselines } = data;
  const baseline = baselines[0];
  const figures = comparedKinds(found.hardware).map((kind) => {
    const ratio = baseline && figureRatio(kind, found.hardware, baseline.hardware);
    const note = ratio === undefined ? "" : `${formatRatio(ratio)} the baseline`;
    return tile(kind.label, kind.format(found.hardware[kind.field]!), note);
  });
  return markup`<dl class="tiles">${accuracyTile(data)}${figures}</dl>
`;
}

function accuracyTile({ found, baselines }: ReportData): Markup | undefined {
  if (found.accuracyFraction === undefined) return undefined;
  const paired = baselines[0]?.pairedDifference95;
  const note =
    paired !== undefined
      ? `${formatPoints(paired.difference)} points to the baseline`
      : formatInterval(found.accuracyInterval95);
  return tile("Test accuracy", formatPercent(found.accuracyFraction), note);
}

function tile(name: string, value: string, note: string): Markup {
  return markup`<div class="tile"><dt>${name}</dt><dd class="value">${value}</dd>${note !== "" && markup`<dd class="note">${note}</dd>`}</div>`;
}

import { objectiveKind } from "../data/figures.js";
import type { ReportData } from "../data/report-data.js";
import { formatPercent } from "../format/numbers.js";
import type { Picture } from "../plots/picture.js";
import { scatter } from "../plots/scatter.js";
import { candidateSeries, inPercent } from "./glance.js";

/** Accuracy against what the search made best, found and baselines; undefined where fewer than one has an accuracy. */
export function accuracyCostScatter(
  data: ReportData,
  options: { readonly width?: number | undefined; readonly plotHeight?: number | undefined } = {},
): { readonly title: string; readonly explanation: string; readonly picture: Picture } | undefined {
  const kind = objectiveKind(data);
  const points = [data.found, ...data.baselines].flatMap((candidate) => {
    const { name, accuracyFraction, accuracyInterval95, hardware } = candidate;
    const cost = hardware[kind.field];
    if (accuracyFraction === undefined || cost === undefined) return [];
    return [
      {
        name,
        x: cost,
        y: 100 * accuracyFraction,
        interval: inPercent(accuracyInterval95),
        text: `${formatPercent(accuracyFraction)}, ${kind.format(cost)}${kind.field === "framesPerSecond" ? " frames/s" : ""}`,
        series: candidateSeries(data, candidate),
      },
    ];
  });
  if (points.length === 0) return undefined;
  const title = `Accuracy against ${kind.label === "EDP" ? "EDP" : "frames per second"}`;
  const corner = kind.better === "lower" ? "left" : "right";
  const picture = scatter(points, {
    label: `${title}: ${points.map(({ name, text }) => `${name} ${text}`).join("; ")}`,
    xTitle: kind.label === "EDP" ? "energy-delay product" : "frames per second",
    yTitle: "test accuracy, %",
    xFormat: kind.format,
    ...options,
  });
  return { title, explanation: `with 95 % intervals; up and to the ${corner} is better`, picture };
}

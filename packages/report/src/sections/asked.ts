import { figureKind, formatFigure, objectiveKind } from "../data/figures.js";
import type { ConstraintOutcome, ReportData } from "../data/report-data.js";
import { formatCount, formatPercent, formatSi } from "../format/numbers.js";
import { type Markup, markup } from "../markup/markup.js";
import { facts, type Section, table, verdict } from "./elements.js";

/** What was asked for: data, target, objective, bounds and whether they are met, the recipe. */
export function askedSection(data: ReportData): Section {
  const { data: images, objective, precision, found, constraints, recipe } = data;
  const kind = objectiveKind({ objective });
  const entries: [string, string][] = [
    [
      "Objective",
      `${kind.better === "lower" ? "least" : "most"} ${kind.label === "EDP" ? "EDP (energy × delay of one image)" : "frames per second"}`,
    ],
    [
      "Target",
      `${found.accelerator.kind === "asic" ? "ASIC" : "FPGA board"} ${found.hardware.target}, ${formatSi(found.hardware.clockHz, "Hz")}`,
    ],
    ["Precision", `${precision.weightBits}-bit weights, ${precision.activationBits}-bit activations`],
  ];
  if (images !== undefined) {
    const { name, classes, trainingImages, validationImages, testImages } = images;
    const counts = `${formatCount(trainingImages)} training, ${formatCount(validationImages)} validation and ${formatCount(testImages)} test images`;
    entries.unshift(["Data", `${name}: ${formatCount(classes)} classes, ${counts}`]);
  }
  const content = markup`<div class="columns"><div>${facts(entries)}${constraintTable(constraints)}</div>
<div><h3>Recipe</h3>
<pre class="long" tabindex="0"><code>${recipe}</code></pre></div></div>
`;
  return { id: "asked", title: "What was asked", content };
}

function constraintTable(constraints: readonly ConstraintOutcome[]): Markup {
  if (constraints.length === 0) return markup`<p>No constraints.</p>`;
  return table({
    caption: "Constraints on the hardware",
    columns: [
      { title: "Constraint" },
      { title: "Verdict" },
      { title: "Limit", number: true },
      { title: "Result", number: true },
      { title: "Of limit", number: true },
    ],
    rows: constraints.map(({ name, limit, actual, met }) => {
      const kind = figureKind(name);
      const sign = kind?.better === "higher" ? "≥" : "≤";
      return {
        cells: [
          kind?.label ?? name,
          verdict(met),
          `${sign} ${formatFigure(name, limit)}`,
          formatFigure(name, actual),
          formatPercent(actual / limit, 0),
        ],
      };
    }),
  });
}

import type { ReportData, SearchTrace } from "../data/report-data.js";
import { formatCount, formatPercent, formatRatio, formatSignificant } from "../format/numbers.js";
import { join, type Markup, markup } from "../markup/markup.js";
import { bestSoFar } from "../plots/best-so-far.js";
import { distributionCourse } from "../plots/distribution-course.js";
import { heatMap } from "../plots/heat-map.js";
import { type LinePlotOptions, type LineSeries, linePlot } from "../plots/line-plot.js";
import { inlineSvg } from "../plots/picture.js";
import { shareAreas } from "../plots/share-areas.js";
import { seriesClass } from "../theme/theme.js";
import { figure, type Section, seriesList } from "./elements.js";
import { parameterName, parameterText } from "./words.js";

/** How the search went; undefined where nothing was searched step by step. */
export function searchSection(data: ReportData): Section | undefined {
  const { trace } = data;
  const curves = join([...coursePlots(trace), ...acceleratorCourse(trace)]);
  const parts = [curves && markup`<div class="plots">${curves}</div>`, operatorPart(data), acceleratorPart(data)];
  const empty = trace.points.length + trace.acceleratorTrace.length + trace.acceleratorDistributions.length === 0;
  if (empty) return undefined;
  return { id: "search", title: "The search", content: markup`${parts[0]}${parts[1]}${parts[2]}` };
}

/** Curves over the optimizer's steps. */
function coursePlots(trace: SearchTrace): Markup[] {
  const { points } = trace;
  if (points.length < 2) return [];
  const firstSearch = points.find(({ phase }) => phase === "search");
  const marks =
    firstSearch !== undefined && firstSearch !== points[0] ? [{ x: firstSearch.step, name: "search begins" }] : [];
  const course = (read: (point: (typeof points)[number]) => number | undefined): (readonly [number, number])[] =>
    points.flatMap((point) => {
      const value = read(point);
      return value === undefined || !Number.isFinite(value) ? [] : [[point.step, value] as const];
    });
  const plot = (
    title: string,
    explanation: string,
    series: readonly LineSeries[],
    options: Pick<LinePlotOptions, "yTitle" | "yIncludes" | "yLogarithmic">,
  ): Markup[] => {
    if (series.every((one) => one.points.length < 2)) return [];
    const label = `${title} over steps: ${series.map(describeCourse).join("; ")}`;
    return [figure(title, explanation, linePlot({ label, series, xTitle: "step", marks, ...options }))];
  };
  const first = course(({ expectedLogCost }) => expectedLogCost)[0]?.[1] ?? 0;
  const half: LineSeries = {
    name: "half of the maximum",
    points: [points[0]!, points[points.length - 1]!].map(({ step }) => [step, 0.5] as const),
    series: "baseline",
    dashed: true,
  };
  return [
    ...plot(
      "Loss",
      "weights learn on training images, operators on validation images",
      [
        { name: "training", points: course(({ trainingLoss }) => trainingLoss), series: "c0" },
        { name: "validation", points: course(({ validationLoss }) => validationLoss), series: "c1" },
      ].filter((one) => one.points.length > 0),
      { yTitle: "cross-entropy" },
    ),
    ...plot(
      "Mean entropy of the operator distributions",
      "1 is undecided, 0 is decided",
      [{ name: "mean entropy", points: course(({ meanEntropyFraction }) => meanEntropyFraction), series: "c0" }, half],
      { yTitle: "share of the maximum", yIncludes: [0, 1] },
    ),
    ...plot(
      "Expected cost",
      "of a network drawn from the operator distributions, relative to the first",
      [{ name: "expected cost", points: course((point) => relative(point.expectedLogCost, first)), series: "c0" }],
      { yTitle: "× the first", yIncludes: [1], yLogarithmic: true },
    ),
    ...plot(
      "Weight of the cost",
      "against the validation loss; it follows the cost’s distance from its target",
      [{ name: "weight", points: course(({ hardwareWeight }) => hardwareWeight), series: "c0" }],
      { yTitle: "λ", yIncludes: [0] },
    ),
    ...plot(
      "Temperature",
      "of the Gumbel-softmax: high explores, low decides",
      [{ name: "temperature", points: course(({ temperature }) => temperature), series: "c0" }],
      { yTitle: "τ", yIncludes: [0] },
    ),
  ];
}

function describeCourse({ name, points }: LineSeries): string {
  const [first, last] = [points[0], points[points.length - 1]];
  return first === undefined || last === undefined
    ? `${name}: none`
    : `${name} from ${formatSignificant(first[1])} to ${formatSignificant(last[1])}`;
}

/** Trials of the search for the final accelerator. */
function acceleratorCourse({ acceleratorTrace }: SearchTrace): Markup[] {
  const last = acceleratorTrace.findLast(({ bestLogCost }) => bestLogCost !== null)?.bestLogCost;
  if (last === undefined || last === null || acceleratorTrace.length < 2) return [];
  const trials = acceleratorTrace.map(({ evaluation, logCost, bestLogCost }) => ({
    at: evaluation,
    value: relative(logCost, last),
    best: relative(bestLogCost, last),
  }));
  const infeasible = trials.filter(({ value }) => value === undefined).length;
  const firstBest = trials.find(({ best }) => best !== undefined)?.best;
  const label = `Cost of the accelerators tried: the best fell from ${formatRatio(firstBest)} to 1 × in ${formatCount(trials.length)} evaluations`;
  return [
    figure(
      "Accelerator for the found network",
      `each dot a design tried, the line the best so far${infeasible > 0 ? `; ${formatCount(infeasible)} designs broke a limit` : ""}`,
      bestSoFar({
        label,
        trials,
        xTitle: "evaluation",
        yTitle: "cost, × the best",
      }),
    ),
  ];
}

/** exp(value − origin); undefined for what is no number. */
function relative(value: number | null | undefined, origin: number): number | undefined {
  return value === null || value === undefined || !Number.isFinite(value) ? undefined : Math.exp(value - origin);
}

/** Distributions of the operators: their course position by position, and where they ended. */
function operatorPart({ trace, found }: ReportData): Markup | undefined {
  const { operatorDistributions, positions, operators } = trace;
  const last = operatorDistributions[operatorDistributions.length - 1];
  if (last === undefined) return undefined;
  const categories = operators.map((name, index) => ({ name, series: seriesClass(index) }));
  const chosen = positions.map((_, position) => {
    const index = operators.indexOf(found.operators?.[position] ?? "");
    return index < 0 ? undefined : index;
  });
  const courses = positions.map((name, position) => {
    const operator = found.operators?.[position];
    const shares = operatorDistributions.map(({ probabilities }) => probabilities[position] ?? []);
    const end = last.probabilities[position]?.[chosen[position] ?? -1];
    const label = `Operator probabilities at ${name} over steps${operator === undefined ? "" : `; chosen: ${operator}, in the end ${formatPercent(end)}`}`;
    const picture = shareAreas({
      label,
      steps: operatorDistributions.map(({ step }) => step),
      shares,
      categories,
    });
    return markup`<figure><figcaption><b>${name}</b> ${operator ?? ""}</figcaption>${inlineSvg(picture)}</figure>
`;
  });
  const course =
    operatorDistributions.length > 1 &&
    markup`<div><p class="quiet">Probabilities of the operators at each position over the steps, stacked to 100 %.</p>
${seriesList(categories)}<div class="multiples">${courses}</div></div>
`;
  const label = `Operator probabilities at the end: ${positions.map((name, index) => `${name} ${operators[chosen[index] ?? -1] ?? ""}`).join("; ")}`;
  const end = heatMap({ label, rows: positions, columns: operators, shares: last.probabilities, chosen });
  return markup`<h3>Operators</h3>
<div class="beside">${course}${figure("Where it ended", `per cent at step ${formatCount(last.step)}; outlined: what the found network has`, end)}</div>
`;
}

/** Distributions of the accelerator's parameters over the redesigns. */
function acceleratorPart({ trace, found }: ReportData): Markup | undefined {
  const { acceleratorDistributions: course } = trace;
  const parameters = course[0]?.parameters ?? [];
  if (parameters.length === 0) return undefined;
  const taken = found.accelerator.kind === "asic" ? found.accelerator.parameters : {};
  const pictures = parameters.map(({ name, options }, parameter) => {
    const chosen = options.indexOf(taken[name] ?? Number.NaN);
    const value = chosen < 0 ? "" : parameterText(name, options[chosen]!);
    const picture = distributionCourse({
      label: `Probabilities of ${parameterName(name)} over the redesigns${value === "" ? "" : `; final design: ${value}`}`,
      options: options.map((option) => parameterText(name, option)),
      steps: course.map(({ step }) => formatCount(step)),
      shares: course.map((redesign) => redesign.parameters[parameter]?.probabilities ?? []),
      chosen: chosen < 0 ? undefined : chosen,
    });
    return markup`<figure><figcaption><b>${parameterName(name)}</b> ${value}</figcaption>${inlineSvg(picture)}</figure>
`;
  });
  return markup`<h3>Accelerator parameters</h3>
<p class="quiet">Probability of each value (a row) after each redesign during the search (from left to right, by step); the arrow marks the value of the final design, which a search for the found network alone has set.</p>
<div class="multiples">${pictures}</div>
`;
}

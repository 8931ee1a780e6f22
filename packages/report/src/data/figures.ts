import { formatCount, formatFixed, formatSi, formatSignificant, withUnit } from "../format/numbers.js";
import type { HardwareFigures, ReportData } from "./report-data.js";

/** How a field of the hardware figures is called, written and judged. */
export interface FigureKind {
  readonly field: Exclude<keyof HardwareFigures, "target">;
  readonly label: string;
  readonly better: "lower" | "higher";
  format(value: number): string;
}

/** The fields that are compared, in the order in which people look at them. */
export const figureKinds: readonly FigureKind[] = [
  { field: "edpJouleSeconds", label: "EDP", better: "lower", format: (value) => formatSi(value, "J·s") },
  {
    field: "framesPerSecond",
    label: "Frames per second",
    better: "higher",
    format: (value) => formatSignificant(value),
  },
  { field: "latencyMs", label: "Latency", better: "lower", format: (value) => formatSi(value * 1e-3, "s") },
  { field: "energyPj", label: "Energy per image", better: "lower", format: (value) => formatSi(value * 1e-12, "J") },
  { field: "areaMm2", label: "Area", better: "lower", format: (value) => withUnit(formatSignificant(value), "mm²") },
  { field: "dsp", label: "DSP slices", better: "lower", format: formatCount },
  { field: "bram", label: "Block memories (18 Kb)", better: "lower", format: formatCount },
  { field: "latencyCycles", label: "Latency in cycles", better: "lower", format: formatCount },
  { field: "clockHz", label: "Clock", better: "higher", format: (value) => formatSi(value, "Hz") },
];

const byField = new Map<string, FigureKind>(figureKinds.map((kind) => [kind.field, kind]));

/** Kind of a field by its name, such as that of a constraint. */
export function figureKind(field: string): FigureKind | undefined {
  return byField.get(field);
}

/** What the search was asked to make best. */
export function objectiveKind(data: Pick<ReportData, "objective">): FigureKind {
  return byField.get(data.objective === "edp" ? "edpJouleSeconds" : "framesPerSecond")!;
}

/**
 * Comparable fields that the found candidate has, but for those that say the same in other units: cycles, and frames per
 * second where one image is done before the next begins.
 */
export function comparedKinds(hardware: HardwareFigures): readonly FigureKind[] {
  const pipelined = hardware.energyPj === undefined;
  const redundant = new Set<string>(["latencyCycles", "clockHz", ...(pipelined ? [] : ["framesPerSecond"])]);
  return figureKinds.filter(({ field }) => !redundant.has(field) && hardware[field] !== undefined);
}

/** Ratio of the found candidate's figure to a baseline's; undefined where one of them is unknown or no positive number. */
export function figureRatio(kind: FigureKind, found: HardwareFigures, baseline: HardwareFigures): number | undefined {
  const ratio = (found[kind.field] ?? Number.NaN) / (baseline[kind.field] ?? Number.NaN);
  return Number.isFinite(ratio) && ratio > 0 ? ratio : undefined;
}

/** A figure by its kind, also of kinds that are not known here. */
export function formatFigure(field: string, value: number): string {
  return byField.get(field)?.format(value) ?? formatFixed(value, Number.isInteger(value) ? 0 : 3);
}

import { type RunSummary, readRunSummary } from "../runs/summary.js";
import { type CommandIo, type CommonOptions, printResult } from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";

/** Prints a finished run; the last line says where it lies. */
export async function printRun(io: CommandIo, options: CommonOptions, folder: string): Promise<void> {
  const summary = await readRunSummary(folder);
  printResult(io, options, { run: folder, ...summary }, () => [...describeRun(summary), `run: ${folder}`]);
}

/** The figures of a finished run, for people. */
export function describeRun({ metrics, kind }: RunSummary): string[] {
  const { task } = metrics;
  const [low, high] = task.interval95.map(percent);
  const accuracy = `accuracy ${percent(task.accuracyFraction)} on ${task.testImages} test images (95 % interval ${low} to ${high})`;
  if (kind === "train" || !("hardware" in metrics)) return [accuracy];
  const { hardware, constraints, baselines } = metrics;
  const rows = [{ name: "found", accuracyFraction: task.accuracyFraction, ...hardware }, ...baselines];
  return [
    accuracy,
    ...formatTable(
      ["", "accuracy", "EDP J·s", "frames/s", "ms", "µJ", "mm²", "DSP", "BRAM"],
      rows.map((row) => [
        row.name,
        percent(row.accuracyFraction),
        short(row.edpJouleSeconds),
        short(row.framesPerSecond),
        short(row.latencyMs),
        short(row.energyPj === undefined ? undefined : row.energyPj / 1e6),
        short(row.areaMm2),
        short(row.dsp),
        short(row.bram),
      ]),
    ),
    ...constraints.map(
      ({ name, limit, actual, met }) =>
        `constraint ${name}: limit ${short(limit)}, ${short(actual)}: ${met ? "met" : "not met"}`,
    ),
  ];
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

function short(value: number | undefined): string {
  return value === undefined ? "-" : `${Number(value.toPrecision(4))}`;
}

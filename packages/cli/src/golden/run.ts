import { inputError } from "@dovetail/core";
import { ZodError } from "zod";
import { type GoldenData, readGolden } from "./read.js";
import { type GoldenCase, skip } from "./result.js";
import { goldenSets } from "./sets.js";

export interface GoldenTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Holds our models against reference figures: a golden file of the collected form, a file of one set, or a folder of
 * such. Writes for every set `NAME: PASSED/FAILED/SKIPPED`, below it what failed (expected and found) and why cases were
 * skipped, and last `N passed, M failed, K skipped`.
 *
 * @throws DovetailError for a file that cannot be read or lacks what its set must have.
 */
export async function runGolden(path: string, write: (line: string) => void): Promise<GoldenTotals> {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const set of await readGolden(path)) {
    const cases = compareSet(set);
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const { outcome } of cases) {
      counts[outcome]++;
      totals[outcome]++;
    }
    write(`${set.name}: ${counts.passed}/${counts.failed}/${counts.skipped}`);
    for (const line of detailLines(cases)) write(`  ${line}`);
  }
  write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals;
}

function compareSet({ name, file, data, siblings, declared }: GoldenData): GoldenCase[] {
  const run = goldenSets[name];
  if (run === undefined) {
    return Array.from({ length: declared ?? countCases(data) }, (_, index) =>
      skip(`${name}[${index}]`, "no model covers this set yet"),
    );
  }
  try {
    return run(data, siblings);
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const issue = error.issues[0]!;
    throw inputError("golden_form", issue.message, {
      file,
      path: [name, ...issue.path.filter((step) => typeof step !== "symbol")],
    });
  }
}

/** Cases of a set without a model: its list, or the list under a usual name, else the whole is one case. */
function countCases(data: unknown): number {
  if (Array.isArray(data)) return data.length;
  for (const key of ["cases", "tests", "rows", "layers"]) {
    const list = (data as Record<string, unknown> | null)?.[key];
    if (Array.isArray(list)) return list.length;
  }
  return 1;
}

function* detailLines(cases: readonly GoldenCase[]): Generator<string> {
  const reasons = new Map<string, number>();
  for (const { id, outcome, reason, differences } of cases) {
    for (const { figure, expected, found } of differences) {
      const what = outcome === "failed" ? "failed" : `not judged (${reason})`;
      yield `${what} ${id}: ${figure}: expected ${expected}, found ${found}`;
    }
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  for (const [reason, count] of reasons) yield `${count} skipped: ${reason}`;
}

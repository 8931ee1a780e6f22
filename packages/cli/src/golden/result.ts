import { DovetailError } from "@dovetail/core";
import { ZodError } from "zod";

/** One figure that is not what it should be. */
export interface GoldenDifference {
  /** Which figure, e.g. `GLB Inputs reads`. */
  readonly figure: string;
  readonly expected: number | string;
  readonly found: number | string;
}

/** One reference case held against our result. */
export interface GoldenCase {
  readonly id: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped. */
  readonly reason?: string | undefined;
  /** Of a failed case; of a skipped one when it was compared without being judged. */
  readonly differences: readonly GoldenDifference[];
}

/** Compares the cases of one set of reference figures; `siblings` are the file's sets by name. */
export type GoldenSetRunner = (data: unknown, siblings: Readonly<Record<string, unknown>>) => GoldenCase[];

/** Collects the figures of one case that differ. */
export interface Comparison {
  /** Notes a difference of more than `tolerance` (default 0: exact). */
  expect(figure: string, expected: number | undefined, found: number | undefined, tolerance?: number): void;
  /** Notes a difference of more than `tolerance` relative to the expected figure. */
  expectRelative(figure: string, expected: number, found: number, tolerance: number): void;
  /** Notes what exceeds a limit. */
  expectAtMost(figure: string, limit: number, found: number): void;
  /** Notes a difference of texts. */
  expectText(figure: string, expected: string, found: string): void;
  readonly differences: readonly GoldenDifference[];
}

export function startComparison(): Comparison {
  const differences: GoldenDifference[] = [];
  const note = (figure: string, expected: number | string | undefined, found: number | string | undefined): void => {
    differences.push({ figure, expected: expected ?? "nothing", found: found ?? "nothing" });
  };
  return {
    differences,
    expect(figure, expected, found, tolerance = 0) {
      const same = expected !== undefined && found !== undefined && Math.abs(expected - found) <= tolerance;
      if (!same) note(figure, expected, found);
    },
    expectRelative(figure, expected, found, tolerance) {
      const same = Math.abs(expected - found) <= tolerance * Math.abs(expected);
      if (!same) note(figure, expected, found);
    },
    expectAtMost(figure, limit, found) {
      if (!(found <= limit)) note(figure, `at most ${limit}`, found);
    },
    expectText(figure, expected, found) {
      if (expected !== found) note(figure, expected, found);
    },
  };
}

/** A judged case: passed when nothing differs. A case that our code refuses has failed. */
export function judge(id: string, compare: () => readonly GoldenDifference[]): GoldenCase {
  const differences = refusalAsDifference(compare);
  return { id, outcome: differences.length === 0 ? "passed" : "failed", differences };
}

/** A case that is not judged; what differs is told all the same. */
export function skip(id: string, reason: string, compare?: () => readonly GoldenDifference[]): GoldenCase {
  return { id, outcome: "skipped", reason, differences: compare ? refusalAsDifference(compare) : [] };
}

function refusalAsDifference(compare: () => readonly GoldenDifference[]): readonly GoldenDifference[] {
  try {
    return compare();
  } catch (error) {
    if (!(error instanceof DovetailError || error instanceof ZodError)) throw error;
    const issue = error instanceof ZodError ? error.issues[0]! : undefined;
    const found = issue === undefined ? error.message : `${issue.path.join(".")}: ${issue.message}`;
    return [{ figure: "case", expected: "accepted", found }];
  }
}

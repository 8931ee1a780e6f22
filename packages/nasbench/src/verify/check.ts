/** One figure of the reference list beside ours. */
export interface CheckedFigure {
  readonly name: string;
  readonly expected: number;
  readonly found: number;
  /** Largest difference that holds; 0 asks for the same double. */
  readonly tolerance: number;
  readonly held: boolean;
}

/** One of the nine checks. */
export interface BenchmarkCheck {
  readonly number: number;
  readonly title: string;
  readonly verdict: "held" | "failed" | "not run";
  readonly figures: readonly CheckedFigure[];
  /** Why it was not run. */
  readonly reason?: string | undefined;
}

export function figure(name: string, expected: number, found: number, tolerance = 0): CheckedFigure {
  return { name, expected, found, tolerance, held: Math.abs(found - expected) <= tolerance };
}

export function check(number: number, title: string, figures: readonly CheckedFigure[]): BenchmarkCheck {
  return { number, title, verdict: figures.every(({ held }) => held) ? "held" : "failed", figures };
}

export function notRun(number: number, title: string, reason: string): BenchmarkCheck {
  return { number, title, verdict: "not run", figures: [], reason };
}

import { DovetailError } from "@dovetail/core";
import type { ConstraintOutcome, HardwareFigures } from "./result.js";

/** Fields that must stay below their bound; all others must reach it. */
const upperBounds: ReadonlySet<string> = new Set(["areaMm2", "dsp", "bram", "latencyMs", "energyPj"]);

/** Holds bounds against figures. A figure that the target has no model for counts as not met. */
export function checkConstraints(
  limits: Readonly<Record<string, number | undefined>>,
  hardware: HardwareFigures,
): ConstraintOutcome[] {
  return Object.entries(limits).flatMap(([name, limit]) => {
    if (limit === undefined) return [];
    const actual = (hardware as unknown as Record<string, number | undefined>)[name] ?? Number.NaN;
    return [{ name, limit, actual, met: upperBounds.has(name) ? actual <= limit : actual >= limit }];
  });
}

/** Throws the input error `constraint_unmet`, with the nearest value that was found, unless every bound is met. */
export function requireConstraints(outcomes: readonly ConstraintOutcome[]): void {
  const unmet = outcomes.filter(({ met }) => !met);
  if (unmet.length === 0) return;
  throw new DovetailError(
    unmet.map(({ name, limit, actual }) => ({
      code: "constraint_unmet",
      kind: "input",
      message: "no network and accelerator within this bound was found",
      path: ["constraints", name],
      expected: `${actual}, the nearest that was found`,
      received: `${limit}`,
      hint: "loosen the bound, lower search.costTarget, or search longer",
    })),
  );
}

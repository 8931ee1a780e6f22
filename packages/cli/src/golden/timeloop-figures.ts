import type { LevelCost } from "@dovetail/hardware";
import * as z from "zod";
import type { Comparison } from "./result.js";

// The form of a reference case of Timeloop, and its figures. Where the tool's current commit gives another figure than
// the file, that one counts.

/** Energies are printed with two digits. */
export const ENERGY_TOLERANCE_PJ = 0.01;

const statsSchema = z.record(z.string(), z.unknown());

export const referenceCaseSchema = z.object({
  id: z.string(),
  kind: z.string(),
  judged: z.boolean().default(true),
  reason: z.string().optional(),
  problem: z.unknown(),
  architecture: z.array(z.unknown()),
  mapping_printed: z.unknown(),
  energy_table_pJ: z.unknown(),
  sparse_optimizations: z.unknown().optional(),
  expected: z.object({
    levels: z.array(
      z.object({
        name: z.string(),
        specs: statsSchema,
        stats: statsSchema,
        operands: z.record(z.string(), statsSchema),
      }),
    ),
    networks: z.array(z.unknown()).default([]),
    summary: statsSchema,
  }),
  head_rerun: z
    .object({
      differences: z
        .array(
          z.object({
            level: z.string().optional(),
            operand: z.string().optional(),
            stat: z.string(),
            head: z.unknown(),
          }),
        )
        .default([]),
    })
    .optional(),
});

export type ReferenceCase = z.infer<typeof referenceCaseSchema>;

/** The figure that the tool's current commit prints, by level, operand and name. */
export interface Figures {
  (level: string | undefined, operand: string | undefined, stat: string): number | undefined;
  /** A figure that is printed as text; empty when there is none. */
  text(level: string | undefined, operand: string | undefined, stat: string): string;
}

export function figuresOf(entry: ReferenceCase): Figures {
  const key = (...parts: (string | undefined)[]): string => parts.map((part) => part ?? "").join("\n");
  const heads = new Map(
    (entry.head_rerun?.differences ?? []).map(({ level, operand, stat, head }) => [key(level, operand, stat), head]),
  );
  const printedAs = (level: string | undefined, operand: string | undefined, stat: string): unknown => {
    const entryOf = entry.expected.levels.find(({ name }) => name === level);
    const printed =
      level === undefined
        ? entry.expected.summary
        : operand === undefined
          ? { ...entryOf?.specs, ...entryOf?.stats }
          : entryOf?.operands[operand];
    return heads.get(key(level, operand, stat)) ?? printed?.[stat];
  };
  const figures = (level: string | undefined, operand: string | undefined, stat: string): number | undefined => {
    const value = printedAs(level, operand, stat);
    return typeof value === "number" ? value : undefined;
  };
  return Object.assign(figures, {
    text: (level: string | undefined, operand: string | undefined, stat: string): string => {
      const value = printedAs(level, operand, stat);
      return typeof value === "string" ? value : "";
    },
  });
}

/** Holds a level's cycles and leakage against the figures; leakage only where instances have power gates of their own. */
export function compareLevelTotals(
  comparison: Comparison,
  figures: Figures,
  { level, cycles, leakagePj }: Pick<LevelCost, "level" | "cycles" | "leakagePj">,
): void {
  comparison.expect(`${level} cycles`, figures(level, undefined, "Cycles"), cycles);
  if (figures(level, undefined, "Instances sharing power gating") !== 1) return;
  const leakage = figures(level, undefined, "Leakage energy (total)");
  comparison.expect(`${level} leakage`, leakage, leakagePj, ENERGY_TOLERANCE_PJ);
}

// A reproduction card: what a system's authors claim, beside what a run of `dovetail reproduce` gave.

import { z } from "zod";

const text = z.string().min(1);

export const claimSchema = z.strictObject({
  text: text.describe("What is claimed, with the direction that is good (at least, at most)."),
  source: text.describe("Where the claim stands."),
  claimed: z.number().describe("The figure claimed, or the limit asked for."),
  ours: z.number().describe("The mean over the seeds."),
  spread: z.number().nullable().describe("Standard deviation over the seeds; null with one seed."),
  perSeed: z.array(z.number()).optional(),
  unit: text,
  held: z.boolean(),
  tried: z.array(text).describe("What was tried where it did not hold."),
});

export const notRunSchema = z.strictObject({
  text,
  source: text,
  claimed: z.number(),
  unit: text,
  reason: text,
});

const cellSchema = z.union([z.string(), z.number(), z.null()]);

export const cardTableSchema = z.strictObject({
  title: text,
  columns: z.array(text).min(1),
  rows: z.array(z.array(cellSchema)),
  note: text.optional().describe("Stands below the table."),
});

/** What a system says about a run; the command adds where and when it was made. */
export const conclusionSchema = z.strictObject({
  setup: z
    .array(text)
    .min(1)
    .describe("Paragraphs: data, networks, effort, what differs from the publication and why."),
  claims: z.array(claimSchema).min(1),
  notRun: z.array(notRunSchema),
  tables: z.array(cardTableSchema),
});

export const scaleSchema = z.enum(["quick", "full"]);

export const cardSchema = z.strictObject({
  system: text,
  title: text,
  scale: scaleSchema,
  date: z.iso.date(),
  commit: text,
  command: text,
  seeds: z.array(z.number().int().nonnegative()).min(1),
  machine: text,
  ...conclusionSchema.shape,
});

export type Scale = z.output<typeof scaleSchema>;
export type Claim = z.output<typeof claimSchema>;
export type NotRun = z.output<typeof notRunSchema>;
export type CardTable = z.output<typeof cardTableSchema>;
export type Conclusion = z.output<typeof conclusionSchema>;
export type Card = z.output<typeof cardSchema>;

// The evaluation of Double-Win Quant's code: for each batch the attacker draws a precision, attacks at it, and the
// defender draws another one. It is transfer between precisions, not an attack on the defence: see `adaptive.ts`.

import type { RandomStream } from "@dovetail/core";
import { type Attack, type Examples, selectExamples } from "../attacks/attack.js";
import { runAutoAttack } from "../attacks/auto-attack.js";
import { pgd } from "../attacks/pgd.js";
import type { Defence } from "../model/defence.js";
import { rightShares } from "../model/right-shares.js";
import type { Variant } from "../model/variant.js";
import type { ProtocolOptions } from "./transfer.js";

export interface PublishedOptions extends ProtocolOptions {
  /** Images for which the draws are the same; 128 by default, 1 draws for each image. */
  readonly drawBatch?: number | undefined;
}

export interface PublishedFigure {
  readonly accuracyFraction: number;
  /** 1 where the defender's draw was right. */
  readonly right: Uint8Array;
}

/** PGD as published: images that are wrong at the attacked precision move no further; the best restart by its loss. */
export function publishedPgd(options: { readonly steps: number; readonly restarts?: number | undefined }): Attack {
  const { steps, restarts = 1 } = options;
  return pgd({ name: `published-pgd-${steps}`, steps, restarts, freezeMisclassified: true });
}

/** An attack at a drawn precision, judged at another, drawn independently. */
export async function publishedEvaluation(attack: Attack, options: PublishedOptions): Promise<PublishedFigure> {
  const right = new Uint8Array(options.examples.labels.length);
  await forEachDraw(options, async ({ rows, examples, attacker, defender, random }) => {
    const oracle = options.defence.over([attacker]);
    const images = await attack.run({ ...options, oracle, examples, random });
    const judged = await rightShares(options.defence.over([defender]), images, examples.labels);
    for (const [index, row] of rows.entries()) right[row] = judged[index]!;
  });
  return { accuracyFraction: meanOf(right), right };
}

/**
 * What the published "AutoAttack" figure is made of: R of the images survive at the attacked precision and come back as
 * they were, W are wrong there from the start and come back too, F are broken. The figure is
 * R·P(clean right | R) + W·P(clean right | W) + F·P(broken image right | F), at the defender's precision: only F is
 * attacked at all.
 */
export interface PublishedAutoAttack extends PublishedFigure {
  readonly survivedFraction: number;
  readonly wrongFraction: number;
  readonly brokenFraction: number;
  /** Shares of these that the defender's precision gets right; 0 for an empty group. */
  readonly rightOfSurvived: number;
  readonly rightOfWrong: number;
  readonly rightOfBroken: number;
}

/** AutoAttack's standard version at one drawn precision, judged at another: transfer, whatever its published name. */
export async function publishedAutoAttack(
  options: PublishedOptions & { readonly steps?: number | undefined; readonly queries?: number | undefined },
): Promise<PublishedAutoAttack> {
  const count = options.examples.labels.length;
  const right = new Uint8Array(count);
  const group = new Uint8Array(count);
  const { steps, queries, defence } = options;
  await forEachDraw(options, async ({ rows, examples, attacker, defender, random }) => {
    const oracle = defence.over([attacker]);
    const clean = await rightShares(oracle, examples.images, examples.labels);
    const result = await runAutoAttack(
      { ...options, oracle, examples, random },
      { version: "standard", steps, queries, stopWhenWrong: false },
    );
    const judged = await rightShares(defence.over([defender]), result.images, examples.labels);
    for (const [index, row] of rows.entries()) {
      right[row] = judged[index]!;
      group[row] =
        clean[index] === 0 ? groups.wrong : result.rightShares[index] === 0 ? groups.broken : groups.survived;
    }
  });
  const fraction = (of: number): number => group.filter((value) => value === of).length / count;
  const rightOf = (of: number): number => meanOf(right.filter((_, row) => group[row] === of));
  return {
    accuracyFraction: meanOf(right),
    right,
    survivedFraction: fraction(groups.survived),
    wrongFraction: fraction(groups.wrong),
    brokenFraction: fraction(groups.broken),
    rightOfSurvived: rightOf(groups.survived),
    rightOfWrong: rightOf(groups.wrong),
    rightOfBroken: rightOf(groups.broken),
  };
}

const groups = { survived: 0, wrong: 1, broken: 2 } as const;

function meanOf(values: Uint8Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

interface Draw {
  readonly rows: Int32Array;
  readonly examples: Examples;
  readonly attacker: string;
  readonly defender: string;
  readonly random: RandomStream;
}

async function forEachDraw(options: PublishedOptions, work: (draw: Draw) => Promise<void>): Promise<void> {
  const { examples, defence, random, drawBatch = 128 } = options;
  const count = examples.labels.length;
  for (let start = 0; start < count; start += drawBatch) {
    const rows = Int32Array.from({ length: Math.min(drawBatch, count - start) }, (_, index) => start + index);
    const draws = random.split("draws").split(start / drawBatch);
    await work({
      rows,
      examples: selectExamples(examples, rows),
      attacker: drawVariant(defence, draws).name,
      defender: drawVariant(defence, draws).name,
      random: random.split("attack"),
    });
  }
}

/** One draw of the defender. */
export function drawVariant({ variants }: Defence, random: RandomStream): Variant {
  let left = random.uniform();
  for (const variant of variants) {
    left -= variant.probability;
    if (left < 0) return variant;
  }
  return variants.at(-1)!;
}

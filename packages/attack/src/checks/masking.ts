// Signs that gradients are masked: that attacks fail for want of a useful gradient and not because the network is robust
// (Athalye et al. 2018, Carlini et al. 2019).

import { apgdCe } from "../attacks/apgd.js";
import type { Attack } from "../attacks/attack.js";
import { fgsm } from "../attacks/fgsm.js";
import { pgd } from "../attacks/pgd.js";
import { square } from "../attacks/square.js";
import { backwardThrough } from "../model/backward-through.js";
import type { Oracle } from "../model/oracle.js";
import { rightShares } from "../model/right-shares.js";
import type { ProtocolOptions } from "../protocols/transfer.js";

/** Every checklist has a line for each. */
export const maskingCheckNames = [
  "unbounded epsilon",
  "black box not stronger",
  "single step not stronger",
  "more steps",
  "larger epsilon",
  "more restarts",
  "other gradients not stronger",
] as const;
export type MaskingCheckName = (typeof maskingCheckNames)[number];

interface Figure {
  readonly of: string;
  readonly accuracyFraction: number;
}

export interface MaskingCheck {
  readonly name: MaskingCheckName;
  readonly state: "passed" | "failed" | "not applicable";
  /** The accuracies that it was judged by, each under what it says. */
  readonly figures: readonly Figure[];
  /** What must hold. */
  readonly text: string;
}

export interface MaskingOptions extends ProtocolOptions {
  /** Steps of the gradient attacks; 50 by default. */
  readonly steps?: number | undefined;
  /** Queries of Square; 1,000 by default. */
  readonly queries?: number | undefined;
  /**
   * Another oracle's gradients, taken instead of the defence's own: of a full-precision form where the defence's own
   * pass straight through its quantizers.
   */
  readonly surrogate?: Oracle | undefined;
}

/** Accuracies that should not rise may rise by so much: attacks stop at different local maxima. */
export const maskingTolerance = 0.01;

/** Runs all checks on the defence's exact expectation. */
export async function maskingChecklist(options: MaskingOptions): Promise<readonly MaskingCheck[]> {
  const { epsilon, steps = 50, queries = 1000, surrogate } = options;
  const oracle = options.defence.oracle;
  const measure = async (attack: Attack, at: { readonly epsilon?: number; readonly oracle?: Oracle } = {}) => {
    const images = await attack.run({ ...options, oracle, epsilon, ...at });
    const shares = await rightShares(oracle, images, options.examples.labels);
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
  const known = new Map<string, Promise<number>>();
  const pgdLeaves = ({ steps: count = steps, size = epsilon, restarts = 1 }) => {
    const key = `${count} ${size} ${restarts}`;
    const figure = known.get(key) ?? measure(pgd({ steps: count, restarts, keep: "best" }), { epsilon: size });
    known.set(key, figure);
    return figure;
  };
  const figureOf = async (of: string, accuracy: Promise<number>): Promise<Figure> => ({
    of,
    accuracyFraction: await accuracy,
  });

  const own = await figureOf(`PGD, ${steps} steps`, pgdLeaves({}));
  const unbounded = [await figureOf("Auto-PGD, epsilon 1", measure(apgdCe({ steps }), { epsilon: 1 }))];
  const blackBox = [own, await figureOf(`Square, ${queries} queries`, measure(square({ queries })))];
  const single = [own, await figureOf("FGSM", measure(fgsm()))];
  const bySteps: Figure[] = [];
  for (const count of [Math.ceil(steps / 5), Math.ceil(steps / 2), steps, 2 * steps]) {
    bySteps.push(await figureOf(`${count} steps`, pgdLeaves({ steps: count })));
  }
  const byEpsilon: Figure[] = [];
  for (const factor of [0.25, 0.5, 1, 2]) {
    const size = factor * epsilon;
    byEpsilon.push(await figureOf(`epsilon ${Number((255 * size).toFixed(2))}/255`, pgdLeaves({ size })));
  }
  const byRestarts: Figure[] = [];
  for (const restarts of [1, 2, 4]) byRestarts.push(await figureOf(`${restarts} starts`, pgdLeaves({ restarts })));
  const others = surrogate && [
    own,
    await figureOf(
      "PGD with the other gradients",
      measure(pgd({ steps, keep: "best" }), { oracle: backwardThrough(oracle, surrogate) }),
    ),
  ];
  return [
    check("unbounded epsilon", unbounded, unbounded[0]!.accuracyFraction === 0, "no image stays right"),
    check("black box not stronger", blackBox, isNotStronger(blackBox), "Square leaves no less than PGD"),
    check("single step not stronger", single, isNotStronger(single), "FGSM leaves no less than PGD"),
    check("more steps", bySteps, isFalling(bySteps), "more steps leave no more"),
    check("larger epsilon", byEpsilon, isFalling(byEpsilon), "a larger epsilon leaves no more"),
    check("more restarts", byRestarts, isFalling(byRestarts), "more starts leave no more"),
    others
      ? check(
          "other gradients not stronger",
          others,
          isNotStronger(others),
          "other gradients leave no less than its own",
        )
      : {
          name: "other gradients not stronger",
          state: "not applicable",
          figures: [],
          text: "no other gradients given",
        },
  ];
}

function check(name: MaskingCheckName, figures: readonly Figure[], holds: boolean, text: string): MaskingCheck {
  return { name, state: holds ? "passed" : "failed", figures, text };
}

/** The second of two attacks leaves no less than the first, within the tolerance. */
function isNotStronger([reference, other]: readonly Figure[]): boolean {
  return other!.accuracyFraction >= reference!.accuracyFraction - maskingTolerance;
}

/** No figure lies above any before it, within the tolerance. */
export function isFalling(figures: readonly Pick<Figure, "accuracyFraction">[]): boolean {
  let lowest = Number.POSITIVE_INFINITY;
  return figures.every(({ accuracyFraction }) => {
    const holds = accuracyFraction <= lowest + maskingTolerance;
    lowest = Math.min(lowest, accuracyFraction);
    return holds;
  });
}

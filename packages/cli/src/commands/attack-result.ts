// The result of `dovetail attack` as JSON and as text.

import type { AttackFigure, RobustnessReport, TransferMatrix } from "@dovetail/attack";
import { formatTable } from "../terminal/table.js";

/** The report without its images, and with plain numbers. */
export function robustnessResult(report: RobustnessReport) {
  const { adaptive, transfer, ...rest } = report;
  return {
    ...rest,
    clean: figureOf(adaptive.clean),
    attacks: adaptive.attacks.map(figureOf),
    worst: figureOf(adaptive.worst),
    decisionsAtWorst: adaptive.decisions,
    transfer: transfer && {
      ...transfer,
      free: accuraciesOf(transfer.free),
      frozen: accuraciesOf(transfer.frozen),
    },
  };
}

export type RobustnessResult = ReturnType<typeof robustnessResult> & {
  readonly model: string;
  readonly dataset: string;
  readonly part: string;
};

function figureOf({ rightShares, ...figure }: AttackFigure) {
  return { ...figure, rightShares: Array.from(rightShares) };
}

function accuraciesOf({ accuracyFraction, variants }: TransferMatrix) {
  return { variants, accuracyFraction };
}

export function robustnessLines(result: RobustnessResult): readonly string[] {
  const { variants, worst, decisionsAtWorst: decisions, lossSurface, masking } = result;
  const drawn = variants.length > 1;
  return [
    `${result.images} ${result.part} images of ${result.dataset}, epsilon ${(255 * result.epsilon).toFixed(2)}/255` +
      (drawn ? `, drawn from ${variants.length} precisions (${variants.map(({ name }) => name).join(", ")})` : ""),
    "",
    ...formatTable(
      ["attack", "accuracy", "95 % interval", "largest change", "forward", "forward and backward"],
      [result.clean, ...result.attacks, worst].map((figure) => [
        figure.attack,
        percent(figure.accuracyFraction),
        figure.interval95.map(percent).join(" to "),
        `${(255 * figure.largestChange).toFixed(2)}/255`,
        `${figure.passes.forward}`,
        `${figure.passes.forwardAndBackward}`,
      ]),
    ),
    ...autoAttackLines(result),
    ...(drawn
      ? [
          "",
          "at the worst points: " +
            `one drawn ${percent(decisions.drawn)}, all right ${percent(decisions.worstCase)}, ` +
            `majority ${percent(decisions.majorityVote)}, mean ${percent(decisions.ensembleMean)}`,
        ]
      : []),
    ...transferLines(result.transfer),
    "",
    ...formatTable(
      ["rule or flag", "state", "figure", "of"],
      result.rules.map(({ name, state, figure, text }) => [
        name,
        state,
        figure === undefined ? "" : String(Number(figure.toPrecision(4))),
        text,
      ]),
    ),
    ...(masking.length === 0 ? [] : ["", ...maskingLines(masking)]),
    ...(lossSurface ? ["", `expected loss around the images: ${surfaceText(lossSurface)}`] : []),
  ];
}

function autoAttackLines({ autoAttack }: RobustnessResult): readonly string[] {
  if (!autoAttack) return [];
  const left = autoAttack.stages.map(
    ({ attack, robustAccuracyFraction }) => `${attack} ${percent(robustAccuracyFraction)}`,
  );
  const leftOut = autoAttack.leftOut.length > 0 ? `; too few classes for ${autoAttack.leftOut.join(", ")}` : "";
  return ["", `autoattack, left after each of its attacks: ${left.join(", ")}${leftOut}`];
}

function transferLines(transfer: RobustnessResult["transfer"]): readonly string[] {
  if (!transfer) return [];
  const { free, frozen, steps } = transfer;
  const matrix = (title: string, { variants, accuracyFraction }: typeof free, mean: number): readonly string[] => [
    "",
    `${title} (rows decide, columns are attacked; mean ${percent(mean)}):`,
    ...formatTable(
      ["", ...variants],
      accuracyFraction.map((row, index) => [variants[index]!, ...row.map((share) => (100 * share).toFixed(1))]),
    ),
  ];
  return [
    ...matrix(`accuracy under PGD-${steps} at one precision`, free, transfer.freeMean),
    ...matrix(`as published, misclassified images frozen`, frozen, transfer.frozenMean),
  ];
}

function maskingLines(masking: RobustnessResult["masking"]): readonly string[] {
  return formatTable(
    ["check for masked gradients", "state", "accuracies"],
    masking.map(({ name, state, figures, text }) => [
      name,
      state,
      figures.map(({ of, accuracyFraction }) => `${of}: ${percent(accuracyFraction)}`).join("; ") || text,
    ]),
  );
}

function surfaceText({ places, losses }: NonNullable<RobustnessResult["lossSurface"]>): string {
  const middle = places.indexOf(0);
  const along = losses.map((row) => row[middle]!);
  const across = losses[middle]!;
  const ends = (values: readonly number[]): string =>
    [values[0]!, values[middle]!, values.at(-1)!].map((loss) => loss.toFixed(2)).join(", ");
  return `${ends(along)} along the gradient's signs, ${ends(across)} along random ones (from -epsilon to epsilon)`;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

// RobustBench's rules and AutoAttack's automatic flags, one line each.

import type { AutoAttackResult } from "../attacks/auto-attack.js";
import type { DefenceMeasures } from "./measure.js";

/** Every report has a line for each. */
export const ruleNames = [
  "robustbench: non-zero gradients",
  "robustbench: deterministic forward pass",
  "robustbench: no optimization at inference",
  "robustbench: inference mode",
  "robustbench: AutoAttack's standard version",
  "robustbench: all test images",
  "robustbench: maximum norm 8/255",
  "robustbench: adaptive evaluation",
  "autoattack: randomized",
  "autoattack: softmax output",
  "autoattack: zero gradients",
  "autoattack: Square stronger",
  "autoattack: dynamic",
  "autoattack: classes",
] as const;
export type RuleName = (typeof ruleNames)[number];

/** `met`: the rule holds, or the flag is not raised. */
export type RuleState = "met" | "raised" | "not applicable";

export interface RuleLine {
  readonly name: RuleName;
  readonly state: RuleState;
  /** What it was judged by; undefined where nothing was measured. */
  readonly figure: number | undefined;
  /** What the figure is, and what follows. */
  readonly text: string;
}

/** What was evaluated, as far as the rules ask. */
export interface RuleEvidence {
  readonly measures: DefenceMeasures;
  readonly images: number;
  /** Images of the test part of which `images` were taken; undefined where it was another part. */
  readonly testImages: number | undefined;
  readonly epsilon: number;
  /** Of the standard version, at full effort (100 steps, 5,000 queries); undefined where it did not run so. */
  readonly autoAttack: AutoAttackResult | undefined;
  /** Worst of all adaptive attacks; undefined where there were none. */
  readonly adaptiveAccuracyFraction: number | undefined;
}

type Judgement = Omit<RuleLine, "name">;

/** All lines, in the order of `ruleNames`. */
export function judgeRules(evidence: RuleEvidence): readonly RuleLine[] {
  return ruleNames.map((name) => ({ name, ...judgements[name](evidence) }));
}

function line(state: RuleState, figure: number | undefined, text: string): Judgement {
  return { state, figure, text };
}

function raisedIf(isRaised: boolean, figure: number, text: string): Judgement {
  return line(isRaised ? "raised" : "met", figure, text);
}

/** More than this L2 distance between normalised logits of two passes means a random defence. */
const drawTolerance = 1e-4;
/** Square may lower the accuracy by so much after the white-box attacks. */
const squareTolerance = 0.002;

const judgements: Readonly<Record<RuleName, (evidence: RuleEvidence) => Judgement>> = {
  "robustbench: non-zero gradients": ({ measures }) =>
    raisedIf(measures.zeroGradients > 0, measures.zeroGradients, `images of ${measures.images} with a gradient of 0`),
  "robustbench: deterministic forward pass": ({ measures }) =>
    raisedIf(
      isRandom(measures),
      measures.variantCount,
      "outcomes of the defender's draw; RobustBench admits one: rank a single variant or the ensemble's mean",
    ),
  "robustbench: no optimization at inference": ({ measures }) =>
    raisedIf(measures.loopNodes > 0, measures.loopNodes, "loops and gradient operators in the network's graph"),
  "robustbench: inference mode": ({ measures }) =>
    raisedIf(measures.trainingNodes > 0, measures.trainingNodes, "nodes in training mode"),
  "robustbench: AutoAttack's standard version": ({ autoAttack, measures }) => {
    if (!autoAttack) return line("raised", undefined, "it did not run at its full effort");
    const figure = autoAttack.stages.at(-1)?.robustAccuracyFraction ?? autoAttack.cleanAccuracyFraction;
    return raisedIf(isRandom(measures), figure, "robust accuracy; of a defence that draws it says too little");
  },
  "robustbench: all test images": ({ images, testImages }) =>
    raisedIf(images !== testImages, images, `images of ${testImages ?? "another part than the test part"}`),
  "robustbench: maximum norm 8/255": ({ epsilon }) =>
    raisedIf(Math.abs(epsilon - 8 / 255) > 1e-9, epsilon, "largest change of a value"),
  "robustbench: adaptive evaluation": ({ adaptiveAccuracyFraction: figure }) =>
    figure === undefined
      ? line("not applicable", undefined, "welcome there, none was made")
      : line("met", figure, "accuracy under the worst of the adaptive attacks"),
  "autoattack: randomized": ({ measures }) =>
    raisedIf(isRandom(measures), measures.drawDistance, "largest distance between two passes: use the version rand"),
  "autoattack: softmax output": ({ measures }) =>
    raisedIf(measures.outputsAreProbabilities, measures.outputSumError, "deviation of the outputs' sum from 1"),
  "autoattack: zero gradients": ({ measures: { zeroGradientsOfDlr: figure } }) =>
    figure === undefined
      ? line("not applicable", undefined, "fewer than 3 classes: the ratio is not defined")
      : raisedIf(figure > 0, figure, "images with a gradient of 0 at the start: use an approximation, or a black box"),
  "autoattack: Square stronger": ({ autoAttack }) => {
    const square = autoAttack?.stages.find(({ attack }) => attack === "square");
    const others = autoAttack?.stages.filter(({ attack }) => attack !== "square") ?? [];
    if (!square || others.length === 0)
      return line("not applicable", undefined, "Square had nothing left, or did not run");
    const gain = Math.min(...others.map((stage) => stage.robustAccuracyFraction)) - square.robustAccuracyFraction;
    return raisedIf(gain > squareTolerance, gain, "accuracy that Square took after the white-box attacks");
  },
  "autoattack: dynamic": ({ measures }) =>
    raisedIf(measures.loopNodes > 0, measures.loopNodes, "loops and gradient operators at inference"),
  "autoattack: classes": ({ measures: { classCount } }) =>
    raisedIf(classCount < 10, classCount, classRemark(classCount)),
};

function isRandom({ drawDistance, rightByDraw }: DefenceMeasures): boolean {
  return drawDistance > drawTolerance || new Set(rightByDraw).size > 1;
}

function classRemark(classCount: number): string {
  if (classCount <= 2) return "classes: no ratio of logits is defined";
  if (classCount === 3) return "classes: the targeted ratio of logits is not defined";
  if (classCount < 10) return "classes: fewer than the 9 targets of APGD-T and FAB-T";
  return "classes";
}

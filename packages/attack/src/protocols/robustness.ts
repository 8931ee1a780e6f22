// All that a report on a defence's robustness has to say, in one object.

import { type Attack, type Examples, selectExamples } from "../attacks/attack.js";
import { type AutoAttackResult, runAutoAttack } from "../attacks/auto-attack.js";
import { type AttackEffort, attackNamed } from "../attacks/table.js";
import { type LossSurface, lossSurface } from "../checks/loss-surface.js";
import { type MaskingCheck, maskingChecklist } from "../checks/masking.js";
import { measureDefence } from "../checks/measure.js";
import { judgeRules, type RuleLine } from "../checks/rules.js";
import { allRows, type Oracle } from "../model/oracle.js";
import { type AdaptiveEvaluation, adaptiveEvaluation } from "./adaptive.js";
import { publishedPgd } from "./published.js";
import {
  type ProtocolOptions,
  randomAgainstRandom,
  type TransferMatrix,
  transferGaps,
  transferMatrix,
} from "./transfer.js";

export interface RobustnessOptions extends ProtocolOptions, AttackEffort {
  /** Names of `attackTable`. */
  readonly attacks: readonly string[];
  /** Images of the whole test part; undefined where the examples are from another part. */
  readonly testImages?: number | undefined;
  /** Images of the masking checklist (with `steps` and `queries` where they are given) and of the loss surface, the first ones; 100 by default, 0 leaves both out. */
  readonly checkedImages?: number | undefined;
  /** Steps of the transfer matrices' PGD; 20 by default, 0 leaves them out. */
  readonly matrixSteps?: number | undefined;
  /** Other gradients for the checklist: see `MaskingOptions`. */
  readonly surrogate?: Oracle | undefined;
}

/** Attack at one variant, evaluate at another; twice, because freezing alone makes attacks transfer worse. */
export interface TransferReport {
  readonly steps: number;
  /** Images move on when they are misclassified. */
  readonly free: TransferMatrix;
  /** Images stay where they were first misclassified: the published protocol. */
  readonly frozen: TransferMatrix;
  /** Mean accuracies of the matrices: the published figure, and the one without freezing. */
  readonly freeMean: number;
  readonly frozenMean: number;
  /** By variant: mean accuracy off the diagonal less that on it, without freezing. */
  readonly gaps: readonly number[];
}

export interface RobustnessReport {
  readonly images: number;
  readonly epsilon: number;
  readonly variants: readonly { readonly name: string; readonly probability: number }[];
  readonly adaptive: AdaptiveEvaluation;
  /** Absent for a defence that draws nothing. */
  readonly transfer: TransferReport | undefined;
  /** A line for each of `ruleNames`. */
  readonly rules: readonly RuleLine[];
  /** A line for each of `maskingCheckNames`; empty where they were left out. */
  readonly masking: readonly MaskingCheck[];
  readonly lossSurface: LossSurface | undefined;
  /** What AutoAttack's standard version left after each of its attacks, where it was among the attacks. */
  readonly autoAttack: Pick<AutoAttackResult, "stages" | "leftOut"> | undefined;
}

/** Evaluates a defence: adaptive attacks, transfer between its variants, rules, flags and the masking checklist. */
export async function assessRobustness(options: RobustnessOptions): Promise<RobustnessReport> {
  const { defence, examples, epsilon, checkedImages = 100 } = options;
  const { attacks, autoAttack } = chooseAttacks(options);
  const measures = await measureDefence({ ...options, examples: firstOf(examples, checkedImages || 100) });
  const adaptive = await adaptiveEvaluation({ ...options, attacks });
  const transfer = defence.variants.length > 1 ? await transferReport(options) : undefined;
  const few = { ...options, examples: firstOf(examples, checkedImages), random: options.random.split("checks") };
  const masking = checkedImages > 0 ? await maskingChecklist(few) : [];
  const result = autoAttack();
  const rules = judgeRules({
    measures,
    images: examples.labels.length,
    testImages: options.testImages,
    epsilon,
    autoAttack: options.steps === undefined && options.queries === undefined ? result : undefined,
    adaptiveAccuracyFraction: attacks.length > 0 ? adaptive.worst.accuracyFraction : undefined,
  });
  return {
    images: examples.labels.length,
    epsilon,
    variants: defence.variants.map(({ name, probability }) => ({ name, probability })),
    adaptive,
    transfer,
    rules,
    masking,
    lossSurface: checkedImages > 0 ? await lossSurface(few) : undefined,
    autoAttack: result && { stages: result.stages, leftOut: result.leftOut },
  };
}

/** The attacks by name; AutoAttack's standard version also remembers what its parts left. */
function chooseAttacks(options: RobustnessOptions): {
  readonly attacks: readonly Attack[];
  readonly autoAttack: () => AutoAttackResult | undefined;
} {
  const { steps, queries } = options;
  let result: AutoAttackResult | undefined;
  const remembering: Attack = {
    name: "autoattack",
    run: async (task) => {
      result = await runAutoAttack(task, { steps, queries });
      return result.images;
    },
  };
  const attacks = options.attacks.map((name) => (name === "autoattack" ? remembering : attackNamed(name, options)));
  return { attacks, autoAttack: () => result };
}

function firstOf(examples: Examples, count: number): Examples {
  return selectExamples(examples, allRows(Math.min(count, examples.labels.length)));
}

async function transferReport(options: RobustnessOptions): Promise<TransferReport | undefined> {
  const { matrixSteps: steps = 20, defence } = options;
  if (steps === 0) return undefined;
  const frozen = await transferMatrix(publishedPgd({ steps }), options);
  const free = await transferMatrix(attackNamed("pgd", { steps }), options);
  return {
    steps,
    free,
    frozen,
    freeMean: randomAgainstRandom(free, defence),
    frozenMean: randomAgainstRandom(frozen, defence),
    gaps: transferGaps(free),
  };
}

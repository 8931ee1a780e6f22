/**
 * Adversarial attacks, evaluation protocols and masking checks.
 *
 * @module attack
 */

export { type ApgdOptions, type ApgdTargetedOptions, apgd, apgdCe, apgdDlr, apgdT } from "./attacks/apgd.js";
export { type Attack, type AttackTask, type Examples, selectExamples } from "./attacks/attack.js";
export {
  type AutoAttackOptions,
  type AutoAttackResult,
  type AutoAttackStage,
  type AutoAttackVersion,
  autoAttack,
  autoAttackVersions,
  runAutoAttack,
} from "./attacks/auto-attack.js";
export { type Ball, projectToBall, signStep, uniformStart } from "./attacks/ball.js";
export { type BanditsOptions, bandits } from "./attacks/bandits.js";
export { type CwTauOptions, cwLinf, cwTau } from "./attacks/cw.js";
export { type FabOptions, fab, fabT } from "./attacks/fab.js";
export { fgsm, fgsmRs } from "./attacks/fgsm.js";
export { type LineSearchOptions, lineSearchPgd } from "./attacks/line-search.js";
export { type PgdOptions, pgd } from "./attacks/pgd.js";
export { type GradientsAt, type PgdStepsOptions, pgdSteps } from "./attacks/pgd-steps.js";
export { type SquareOptions, square } from "./attacks/square.js";
export { type AttackEffort, type AttackEntry, type AttackName, attackNamed, attackTable } from "./attacks/table.js";
export { type LossSurface, lossSurface } from "./checks/loss-surface.js";
export {
  type MaskingCheck,
  type MaskingOptions,
  maskingChecklist,
  maskingCheckNames,
} from "./checks/masking.js";
export { type DefenceMeasures, measureDefence } from "./checks/measure.js";
export { judgeRules, type RuleEvidence, type RuleLine, type RuleState, ruleNames } from "./checks/rules.js";
export type { AttackLoss } from "./losses/loss.js";
export { crossEntropyLoss, differenceLoss, dlrLoss, marginLoss, targetedDlrLoss } from "./losses/losses.js";
export { backwardThrough } from "./model/backward-through.js";
export {
  type Defence,
  type DefenceMember,
  type DefenceOptions,
  openDefence,
  openDefenceOfNetworks,
} from "./model/defence.js";
export { ensembleNetwork } from "./model/ensemble.js";
export type { Expectation } from "./model/expectation.js";
export { buildImageGradient, type ImageGradient, type ImageGradientOptions } from "./model/image-gradient.js";
export { withImageRange } from "./model/image-range.js";
export {
  type Answer,
  allRows,
  createAnswer,
  type Oracle,
  type Passes,
  type Points,
  type Rows,
} from "./model/oracle.js";
export { rightShares } from "./model/right-shares.js";
export { straightThroughRounding } from "./model/straight-through.js";
export { deterministic, uniformVariants, type Variant } from "./model/variant.js";
export {
  type AdaptiveEvaluation,
  type AdaptiveOptions,
  type AttackFigure,
  accuracyOf,
  adaptiveEvaluation,
} from "./protocols/adaptive.js";
export { type Decisions, decide, rightByVariant } from "./protocols/judge.js";
export {
  drawVariant,
  type PublishedAutoAttack,
  type PublishedFigure,
  type PublishedOptions,
  publishedAutoAttack,
  publishedEvaluation,
  publishedPgd,
} from "./protocols/published.js";
export {
  assessRobustness,
  type RobustnessOptions,
  type RobustnessReport,
  type TransferReport,
} from "./protocols/robustness.js";
export {
  type ProtocolOptions,
  randomAgainstRandom,
  type TransferMatrix,
  transferGaps,
  transferMatrix,
} from "./protocols/transfer.js";

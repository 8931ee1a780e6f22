import { axesToInput, splitSizes } from "./axes-to-input.js";
import { batchNormalizationMode, constantValue, dropoutRatio, resizeInputs, roiAlignMode } from "./moved.js";
import type { UpgradeRule } from "./rule.js";
import { flattenedSoftmax } from "./softmax.js";

interface Upgrade {
  /** The operator set in which the form changed: nodes of earlier ones need the rule. */
  readonly changedIn: number;
  readonly rule: UpgradeRule;
}

/**
 * Standard operators whose form changed between operator sets 11 and 18 so that an older node would be wrong or mean
 * something else. All other changes in that span add types, optional inputs, or attributes with the old behaviour as
 * their default.
 */
export const upgradeTable: Readonly<Record<string, Upgrade>> = {
  BatchNormalization: { changedIn: 14, rule: batchNormalizationMode },
  Dropout: { changedIn: 12, rule: dropoutRatio },
  Hardmax: { changedIn: 13, rule: flattenedSoftmax },
  LogSoftmax: { changedIn: 13, rule: flattenedSoftmax },
  ReduceL1: { changedIn: 18, rule: axesToInput },
  ReduceL2: { changedIn: 18, rule: axesToInput },
  ReduceLogSum: { changedIn: 18, rule: axesToInput },
  ReduceLogSumExp: { changedIn: 18, rule: axesToInput },
  ReduceMax: { changedIn: 18, rule: axesToInput },
  ReduceMean: { changedIn: 18, rule: axesToInput },
  ReduceMin: { changedIn: 18, rule: axesToInput },
  ReduceProd: { changedIn: 18, rule: axesToInput },
  ReduceSum: { changedIn: 13, rule: axesToInput },
  ReduceSumSquare: { changedIn: 18, rule: axesToInput },
  Resize: { changedIn: 13, rule: resizeInputs },
  RoiAlign: { changedIn: 16, rule: roiAlignMode },
  Softmax: { changedIn: 13, rule: flattenedSoftmax },
  Split: { changedIn: 18, rule: splitSizes },
  Squeeze: { changedIn: 13, rule: axesToInput },
  Unsqueeze: { changedIn: 13, rule: axesToInput },
};

/** Rules for every operator set: forms that are equal in meaning are read as one. */
export const normalizationTable: Readonly<Record<string, UpgradeRule>> = {
  Constant: constantValue,
};

/** Standard operators of sets 19 to 21 that mean something else than their namesakes in 18, and since when. */
export const incompatibleSince: Readonly<Record<string, number>> = {
  DFT: 20,
  GridSample: 20,
  GroupNormalization: 21,
};

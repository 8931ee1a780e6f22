// Pooling on blocked images.

import { attributeOf } from "@dovetail/graph";
import type { LoweringContext, LoweringRule } from "../rule.js";

function canPool({ node, forms }: LoweringContext): boolean {
  const x = node.inputs[0]!;
  return forms.imageShape(x) !== undefined && forms.isBlocked(x);
}

const globalPool: LoweringRule = (context) => {
  const { node, emitter, forms } = context;
  if (!canPool(context)) return false;
  forms.setBlocked(node.outputs[0]!, emitter.blockedOp(node.operator, [forms.blocked(node.inputs[0]!)]));
  return true;
};

/** Without the indices of the maxima, and without windows that reach beyond the padding. */
const windowPool: LoweringRule = (context) => {
  const { node, emitter, forms } = context;
  if (!canPool(context) || node.outputs.filter((name) => name !== "").length > 1) return false;
  if (attributeOf(node, "ceil_mode", "int", 0) !== 0) return false;
  forms.setBlocked(
    node.outputs[0]!,
    emitter.blockedOp(node.operator, [forms.blocked(node.inputs[0]!)], node.attributes),
  );
  return true;
};

export const poolingRules = {
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  AveragePool: windowPool,
  MaxPool: windowPool,
} as const;

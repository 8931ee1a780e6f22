import type { GraphBuilder, Value } from "@dovetail/graph";

/** What an attack raises: one value an image, computed from its logits. */
export interface AttackLoss {
  /** Also what compiled graphs are kept by: equal names mean equal losses. */
  readonly name: string;
  /** Number of classes below which it is not defined. */
  readonly leastClasses: number;
  /** True when it also depends on a target class. */
  readonly isTargeted: boolean;
  /**
   * Logits [N, classes] → losses [N]. `label` and `target` are bool [N, classes], true at one class of each row;
   * `target` is absent where the loss has none.
   */
  readonly build: (g: GraphBuilder, logits: Value, label: Value, target: Value | undefined) => Value;
}

/** The logit that `mask` marks, [N]. */
export function logitAt(g: GraphBuilder, logits: Value, mask: Value): Value {
  return g.reduceSum(g.where(mask, logits, 0), [1]);
}

/** Largest logit that `mask` does not mark, [N]. */
export function largestOther(g: GraphBuilder, logits: Value, mask: Value): Value {
  const lowest = -3.4e38;
  return g.op("ReduceMax", [g.where(mask, lowest, logits), g.int64s([1])], { keepdims: 0 });
}

/** The `count` largest logits of each row in falling order, each [N]. */
export function largestLogits(g: GraphBuilder, logits: Value, count: number): readonly Value[] {
  const [values] = g.node("TopK", [logits, g.int64s([count])], { axis: 1 }, { outputs: 2 });
  return g.split(values!, new Array<number>(count).fill(1), 1).map((column) => g.squeeze(column, [1]));
}

/** Added to denominators, as AutoAttack does. */
export const tiny = 1e-12;

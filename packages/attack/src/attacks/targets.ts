import type { AttackTask } from "./attack.js";

/**
 * For k = 2, 3, … the class with the k-th largest logit of each original (the mean over the defence's variants), at most
 * `count` of them and at most all but one.
 */
export async function rankedTargets({ oracle, examples }: AttackTask, count: number): Promise<readonly Int32Array[]> {
  const { classCount } = oracle;
  const logits = await oracle.logits(examples.images);
  const images = examples.labels.length;
  const ranks = Math.min(count, classCount - 1);
  const targets = Array.from({ length: ranks }, () => new Int32Array(images));
  for (let row = 0; row < images; row++) {
    const own = logits.subarray(row * classCount, (row + 1) * classCount);
    const order = Array.from(own.keys()).sort((a, b) => own[b]! - own[a]!);
    for (let rank = 0; rank < ranks; rank++) targets[rank]![row] = order[rank + 1]!;
  }
  return targets;
}

// AutoAttack (Croce and Hein 2020): an ensemble of attacks, each on the images that the ones before left right.

import { rightShares } from "../model/right-shares.js";
import { apgdCe, apgdDlr, apgdT } from "./apgd.js";
import { type Attack, type AttackTask, type Examples, selectExamples } from "./attack.js";
import { fab, fabT } from "./fab.js";
import { square } from "./square.js";

/** `rand` is for defences that draw. */
export const autoAttackVersions = ["standard", "plus", "rand"] as const;
export type AutoAttackVersion = (typeof autoAttackVersions)[number];

export interface AutoAttackOptions {
  readonly version?: AutoAttackVersion | undefined;
  /** Steps of each gradient attack; 100 by default. Fewer are weaker than AutoAttack: for tests and first looks. */
  readonly steps?: number | undefined;
  /** Queries of Square; 5,000 by default. */
  readonly queries?: number | undefined;
  /** False goes on with images that are wrong already, as the authors' code does; for transfer. True by default. */
  readonly stopWhenWrong?: boolean | undefined;
}

/** What one attack of the ensemble left. */
export interface AutoAttackStage {
  readonly attack: string;
  /** Mean over all images of the smallest right share so far. */
  readonly robustAccuracyFraction: number;
}

export interface AutoAttackResult {
  /** The worst point found for each image; the original where none is worse. */
  readonly images: Float32Array;
  /** Probability that the defence is right there. */
  readonly rightShares: Float64Array;
  readonly cleanAccuracyFraction: number;
  /** In the order of the attacks; those that had nothing left to attack are missing. */
  readonly stages: readonly AutoAttackStage[];
  /** Attacks of the version that need more classes than there are. */
  readonly leftOut: readonly string[];
}

/** The attacks of a version, in order. */
export function autoAttackMembers(options: AutoAttackOptions = {}): readonly Attack[] {
  const { version = "standard", steps, queries, stopWhenWrong } = options;
  const common = { steps, stopWhenWrong };
  if (version === "rand") return [apgdCe(common), apgdDlr(common)];
  if (version === "standard") return [apgdCe(common), apgdT(common), fabT(common), square({ queries })];
  const restarts = 5;
  return [
    apgdCe({ ...common, restarts }),
    apgdDlr({ ...common, restarts }),
    fab({ ...common, restarts }),
    square({ queries }),
    apgdT(common),
    fabT(common),
  ];
}

/**
 * Runs the ensemble. Images that are always wrong already are left out; each attack starts from the originals; success
 * is judged by a forward pass of its own, for a defence that draws by the exact mean over its variants. (The authors'
 * code filters and confirms by one draw.)
 */
export async function runAutoAttack(task: AttackTask, options: AutoAttackOptions = {}): Promise<AutoAttackResult> {
  const { oracle, examples } = task;
  const shares = await rightShares(oracle, examples.images, examples.labels);
  const images = examples.images.slice();
  const mean = (): number => shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const cleanAccuracyFraction = mean();
  const stages: AutoAttackStage[] = [];
  const leftOut: string[] = [];
  for (const attack of autoAttackMembers(options)) {
    if ((attack.leastClasses ?? 2) > oracle.classCount) {
      leftOut.push(attack.name);
      continue;
    }
    const rows = Int32Array.from(shares.keys()).filter((row) => shares[row]! > 0);
    if (rows.length === 0) break;
    const survivors: Examples = selectExamples(examples, rows);
    const attacked = await attack.run({ ...task, examples: survivors, random: task.random.split(attack.name) });
    const judged = await rightShares(oracle, attacked, survivors.labels);
    for (const [index, row] of rows.entries()) {
      if (!(judged[index]! < shares[row]!)) continue;
      shares[row] = judged[index]!;
      const { imageSize } = oracle;
      images.set(attacked.subarray(index * imageSize, (index + 1) * imageSize), row * imageSize);
    }
    stages.push({ attack: attack.name, robustAccuracyFraction: mean() });
  }
  return { images, rightShares: shares, cleanAccuracyFraction, stages, leftOut };
}

/** AutoAttack as one attack. */
export function autoAttack(options: AutoAttackOptions = {}): Attack {
  const { version = "standard" } = options;
  return {
    name: version === "standard" ? "autoattack" : `autoattack-${version}`,
    run: async (task) => (await runAutoAttack(task, options)).images,
  };
}

// Attack at one variant, evaluate at another.

import type { RandomStream, Watch } from "@dovetail/core";
import type { Attack, Examples } from "../attacks/attack.js";
import type { Defence } from "../model/defence.js";
import { rightByVariant } from "./judge.js";

export interface ProtocolOptions {
  readonly defence: Defence;
  readonly examples: Examples;
  readonly epsilon: number;
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
}

export interface TransferMatrix {
  /** Names of the variants, the order of rows and columns. */
  readonly variants: readonly string[];
  /** Share of right images by [variant that decides][variant that was attacked]. */
  readonly accuracyFraction: readonly (readonly number[])[];
  /** 1 where the deciding variant is right: [decides][attacked][image]. */
  readonly right: readonly (readonly Uint8Array[])[];
}

/**
 * Attacks each variant by itself and has every variant decide on the points. All attacks draw the same starts: what
 * is drawn depends on the image alone.
 */
export async function transferMatrix(attack: Attack, options: ProtocolOptions): Promise<TransferMatrix> {
  const { defence, examples, epsilon, random, watch } = options;
  const names = defence.variants.map(({ name }) => name);
  const columns: (readonly Uint8Array[])[] = [];
  for (const name of names) {
    const images = await attack.run({ oracle: defence.over([name]), examples, epsilon, random, watch });
    columns.push(await rightByVariant(defence, images, examples.labels));
  }
  const right = names.map((_, decides) => columns.map((column) => column[decides]!));
  return {
    variants: names,
    accuracyFraction: right.map((row) => row.map((of) => of.reduce((sum, value) => sum + value, 0) / of.length)),
    right,
  };
}

/** Mean of the matrix by the probabilities of both draws: a random attacker against a random defender, exactly. */
export function randomAgainstRandom(matrix: TransferMatrix, defence: Defence): number {
  return matrix.accuracyFraction.reduce((sum, row, decides) => {
    const ofRow = row.reduce((total, share, attacked) => total + share * defence.variants[attacked]!.probability, 0);
    return sum + ofRow * defence.variants[decides]!.probability;
  }, 0);
}

/** How far the attacked variant's accuracy lies below the other variants' on the same points, in points of 1. */
export function transferGaps(matrix: TransferMatrix): readonly number[] {
  return matrix.accuracyFraction.map((row, index) => {
    const others = row.filter((_, attacked) => attacked !== index);
    return others.reduce((sum, share) => sum + share, 0) / others.length - row[index]!;
  });
}

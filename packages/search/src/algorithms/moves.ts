import type { RandomStream } from "@dovetail/core";
import type { Choices } from "./problem.js";

/** Every option equally likely at every position. */
export function drawChoices(choiceCounts: readonly number[], random: RandomStream): number[] {
  return choiceCounts.map((count) => random.integer(count));
}

/**
 * The same but for one move: another option at one position, or, every third time where there are two such, the options
 * of two positions exchanged, which about keeps a cost.
 */
export function mutate(choices: Choices, choiceCounts: readonly number[], random: RandomStream): number[] {
  const exchanges = random.integer(3) === 0 ? exchanged(choices, choiceCounts) : [];
  if (exchanges.length > 0) return exchanges[random.integer(exchanges.length)]!;
  const movable = choiceCounts.flatMap((count, position) => (count > 1 ? [position] : []));
  const changed = [...choices];
  if (movable.length === 0) return changed;
  const position = movable[random.integer(movable.length)]!;
  const other = random.integer(choiceCounts[position]! - 1);
  changed[position] = other < changed[position]! ? other : other + 1;
  return changed;
}

/** All that one move leads to. */
export function neighbours(choices: Choices, choiceCounts: readonly number[]): number[][] {
  const changed = choiceCounts.flatMap((count, position) =>
    Array.from({ length: count }, (_, option) => option)
      .filter((option) => option !== choices[position])
      .map((option) => choices.map((choice, at) => (at === position ? option : choice))),
  );
  return [...changed, ...exchanged(choices, choiceCounts)];
}

/** The options of two positions exchanged, where they differ and both positions have them. */
function exchanged(choices: Choices, choiceCounts: readonly number[]): number[][] {
  const result: number[][] = [];
  for (const [i, a] of choices.entries()) {
    for (let j = i + 1; j < choices.length; j++) {
      const b = choices[j]!;
      if (a === b || a >= choiceCounts[j]! || b >= choiceCounts[i]!) continue;
      result.push(choices.map((choice, at) => (at === i ? b : at === j ? a : choice)));
    }
  }
  return result;
}

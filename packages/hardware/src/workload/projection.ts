// How a point of a loop nest addresses a tensor.

/** One summand of a rank: `coefficient · dimension`, the coefficient being 1, a stride or a dilation. */
export interface ProjectionTerm {
  readonly coefficient: number;
  readonly dimension: string;
}

/** One axis of a tensor, addressed by a sum of terms, e.g. `2*P + R`. */
export type Rank = readonly ProjectionTerm[];

/** `2*P + R`; a rank without terms is `0`. */
export function formatRank(rank: Rank): string {
  if (rank.length === 0) return "0";
  return rank
    .map(({ coefficient, dimension }) => (coefficient === 1 ? dimension : `${coefficient}*${dimension}`))
    .join(" + ");
}

/** The rank that a text such as `2*P + R` says (factors in either order), or undefined when it says none. */
export function parseRank(text: string): Rank | undefined {
  if (text.trim() === "0") return [];
  const rank = [];
  for (const summand of text.split("+")) {
    const match = /^\s*(?:(\d+)\s*\*\s*)?([A-Za-z_][A-Za-z0-9_]*)(?:\s*\*\s*(\d+))?\s*$/.exec(summand);
    if (!match || (match[1] !== undefined && match[3] !== undefined)) return undefined;
    const coefficient = Number(match[1] ?? match[3] ?? 1);
    if (!Number.isSafeInteger(coefficient) || coefficient < 1) return undefined;
    rank.push({ coefficient, dimension: match[2]! });
  }
  return rank;
}

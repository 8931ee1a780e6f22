import { inputError, nearestWord } from "@dovetail/core";

// NAS-Bench-201 (X. Dong and Y. Yang, ICLR 2020): a cell is a graph of four nodes with an operator on each of its six
// edges. A cell is held as a code: its operators as the digits of a number in base 5, in the order of the string.

/** The operators of an edge. The position is the digit of a cell's code. */
export const cellOperators = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"] as const;

export type CellOperator = (typeof cellOperators)[number];

/** The edges [from, to] in the order of the string: into node 1, into node 2, into node 3. */
export const cellEdges: readonly (readonly [from: number, to: number])[] = [
  [0, 1],
  [0, 2],
  [1, 2],
  [0, 3],
  [1, 3],
  [2, 3],
];

/** 5⁶. */
export const cellCount = 15_625;

/** Indices into `cellOperators` of the six edges. */
export function cellDigits(code: number): number[] {
  const digits = new Array<number>(6);
  let rest = code;
  for (let edge = 5; edge >= 0; edge--) {
    digits[edge] = rest % 5;
    rest = Math.floor(rest / 5);
  }
  return digits;
}

/** The code of six indices into `cellOperators`. */
export function cellCodeOf(digits: readonly number[]): number {
  return digits.reduce((code, digit) => code * 5 + digit, 0);
}

/** How many of the six edges have each operator, in the order of `cellOperators`. */
export function operatorCounts(code: number): [number, number, number, number, number] {
  const counts: [number, number, number, number, number] = [0, 0, 0, 0, 0];
  let rest = code;
  for (let edge = 0; edge < 6; edge++) {
    counts[rest % 5]!++;
    rest = Math.floor(rest / 5);
  }
  return counts;
}

/** Indices of the edges whose result reaches the output: a compiler leaves out the others. */
export function liveEdges(code: number): number[] {
  const digits = cellDigits(code);
  const isOn = cellEdges.map((_, edge) => cellOperators[digits[edge]!] !== "none");
  const reached = [true, false, false, false];
  for (const [edge, [from, to]] of cellEdges.entries()) if (isOn[edge] && reached[from]) reached[to] = true;
  const useful = [false, false, false, true];
  for (const [edge, [from, to]] of [...cellEdges.entries()].reverse())
    if (isOn[edge] && useful[to]) useful[from] = true;
  return cellEdges.flatMap(([from, to], edge) => (isOn[edge] && reached[from] && useful[to] ? [edge] : []));
}

/** `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`. */
export function formatCell(code: number): string {
  const edges = cellDigits(code).map((digit, edge) => `${cellOperators[digit]}~${cellEdges[edge]![0]}`);
  return `|${edges[0]}|+|${edges[1]}|${edges[2]}|+|${edges[3]}|${edges[4]}|${edges[5]}|`;
}

const operatorDigits: ReadonlyMap<string, number> = new Map(cellOperators.map((name, digit) => [name, digit]));

/** The code of an architecture string. Throws the input error `bad_architecture`, which says where and what exists. */
export function parseCell(text: string): number {
  const nodes = text.trim().split("+");
  if (nodes.length !== 3) throw refuse(`three nodes joined by "+"`, `${nodes.length} in "${text}"`);
  let code = 0;
  for (const [index, node] of nodes.entries()) {
    const edges = node.split("|");
    if (edges.length !== index + 3 || edges[0] !== "" || edges.at(-1) !== "") {
      throw refuse(`${index + 1} edges between bars for node ${index + 1}`, `"${node}"`);
    }
    for (let from = 0; from <= index; from++) code = code * 5 + parseEdge(edges[from + 1]!, from, index + 1);
  }
  return code;
}

function parseEdge(text: string, from: number, to: number): number {
  const suffix = `~${from}`;
  const name = text.endsWith(suffix) ? text.slice(0, -suffix.length) : undefined;
  const digit = name === undefined ? undefined : operatorDigits.get(name);
  if (digit !== undefined) return digit;
  const near = name === undefined ? undefined : nearestWord(name, cellOperators);
  throw inputError("bad_architecture", `edge ${from}→${to} of a NAS-Bench-201 cell`, {
    expected: `one of ${cellOperators.join(", ")}, then "${suffix}"`,
    received: `"${text}"`,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

function refuse(expected: string, received: string): Error {
  return inputError("bad_architecture", "a NAS-Bench-201 architecture", {
    expected,
    received,
    hint: "example: |nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|",
  });
}

/**
 * The cell as an expression of its input `0`, the same for cells that compute the same by the benchmark's own rule:
 * `none` gives nothing (`#`), `skip_connect` its source, the sources of a node are sorted. 6,466 of the 15,625
 * expressions are distinct (the paper's section 2). The form is that of NATS-Bench's published list.
 */
export function canonicalCell(code: number): string {
  const digits = cellDigits(code);
  const nodes = ["0"];
  for (let to = 1; to <= 3; to++) {
    const terms: string[] = [];
    for (const [edge, [from, target]] of cellEdges.entries()) {
      if (target === to) terms.push(canonicalTerm(cellOperators[digits[edge]!]!, nodes[from]!));
    }
    nodes.push(terms.sort().join("+"));
  }
  return nodes[3]!;
}

function canonicalTerm(operator: CellOperator, source: string): string {
  if (operator === "none" || source === "#") return "#";
  return operator === "skip_connect" ? source : `(${source})@${operator}`;
}

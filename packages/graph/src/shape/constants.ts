// Exporters compute the targets of Reshape and the like in the graph itself (Shape, Gather, Concat …).
// What of that follows from shapes and constants is computed here, on demand, each node once.

import type { Node, TensorType } from "../ir/graph.js";
import { entriesOfTensor, type KnownEntries } from "./entries.js";
import { evaluationTable } from "./evaluation.js";
import type { KnownValues } from "./infer.js";

// Far beyond what exporters write; keeps the recursion within the stack.
const depthLimit = 400;

const memos = new WeakMap<KnownValues, Map<string, KnownEntries | undefined>>();

/** The entries of a value as far as they are known; undefined when nothing is. Memoised per `known` object. */
export function knownEntries(name: string, known: KnownValues): KnownEntries | undefined {
  let memo = memos.get(known);
  if (!memo) {
    memo = new Map();
    memos.set(known, memo);
  }
  return lookUp(name, known, memo, 0);
}

function lookUp(
  name: string,
  known: KnownValues,
  memo: Map<string, KnownEntries | undefined>,
  depth: number,
): KnownEntries | undefined {
  if (memo.has(name)) return memo.get(name);
  const constant = known.constantOf(name);
  const node = constant || depth > depthLimit ? undefined : known.producerOf(name);
  const result = constant
    ? entriesOfTensor(constant)
    : node &&
      evaluateNode(node, name, {
        type: (input) => known.typeOf(input),
        entries: (input) => lookUp(input, known, memo, depth + 1),
      });
  memo.set(name, result);
  return result;
}

interface Surroundings {
  type(name: string): TensorType | undefined;
  entries(name: string): KnownEntries | undefined;
}

function evaluateNode(node: Node, output: string, { type, entries }: Surroundings): KnownEntries | undefined {
  const isKnown = node.domain === "" && Object.hasOwn(evaluationTable, node.operator);
  const rule = isKnown ? evaluationTable[node.operator] : undefined;
  if (!rule || node.outputs[0] !== output) return undefined;
  return rule({
    node,
    type: (index) => (node.inputs[index] ? type(node.inputs[index]) : undefined),
    entries: (index) => (node.inputs[index] ? entries(node.inputs[index]) : undefined),
  });
}

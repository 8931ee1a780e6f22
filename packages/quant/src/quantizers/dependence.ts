import type { Network } from "@dovetail/models";

/** The values that are, or depend on, one of these. */
export function valuesFrom({ graph }: Network, sources: ReadonlySet<string>): ReadonlySet<string> {
  const dependent = new Set(sources);
  for (const node of graph.nodes) {
    if (node.inputs.some((name) => dependent.has(name))) for (const name of node.outputs) dependent.add(name);
  }
  return dependent;
}

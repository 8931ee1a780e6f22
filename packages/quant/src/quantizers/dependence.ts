import { consumedNames } from "@dovetail/graph";
import type { Network } from "@dovetail/models";

/** The values that are, or depend on, one of these; through the bodies of Scan, Loop and If too. */
export function valuesFrom({ graph }: Network, sources: ReadonlySet<string>): ReadonlySet<string> {
  const dependent = new Set(sources);
  for (const node of graph.nodes) {
    if (consumedNames(node).some((name) => dependent.has(name))) for (const name of node.outputs) dependent.add(name);
  }
  return dependent;
}

import { expandOwnOperators, type Graph } from "@dovetail/graph";
import type { LoweringTarget } from "./target.js";

/** The same graph in the operators that run fastest on the target. Inputs and outputs keep names, types and layout. */
export function lower(graph: Graph, _target: LoweringTarget): Graph {
  return expandOwnOperators(graph);
}

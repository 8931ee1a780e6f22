import { defaultOpset, type Graph } from "../ir/graph.js";
import { typeGraph } from "./type-scope.js";

/**
 * Infers the types of all values anew, from inputs and constants on, subgraphs included. Values that inference cannot
 * reach (outputs of unknown operators) keep the types they have.
 *
 * Throws an input error that names the node when shapes do not fit, or when an output's type is known from nowhere.
 */
export function inferTypes(graph: Graph, options: { readonly opset?: number | undefined } = {}): Graph {
  return typeGraph(graph, graph.types, options.opset ?? defaultOpset);
}

import type { Graph, Node } from "./graph.js";

/**
 * The nodes inside custom-gradient regions: those on the way back from a region's outputs to its inputs. A pass must not
 * take them apart or merge them with others, for then another gradient would flow.
 */
export function regionNodes(graph: Graph): ReadonlySet<Node> {
  const inside = new Set<Node>();
  if (graph.customGradients.length === 0) return inside;
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) producers.set(name, node);
  for (const region of graph.customGradients) {
    const seen = new Set(region.inputs);
    const waiting = [...region.outputs];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const node = seen.has(name) ? undefined : producers.get(name);
      seen.add(name);
      if (!node) continue;
      inside.add(node);
      waiting.push(...node.inputs);
    }
  }
  return inside;
}

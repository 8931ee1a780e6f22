import { inputError } from "@dovetail/core";
import type { Graph, Node } from "../ir/graph.js";
import { consumedNames, mapSubgraphs } from "../ir/subgraphs.js";

/**
 * Puts a graph's nodes, and those of its subgraphs, into an order in which every value is made before it is used. Nodes
 * that are in order already keep their places. Throws an input error when nodes wait for each other in a circle.
 */
export function topologicalSort(graph: Graph): Graph {
  return { ...graph, nodes: topologicalOrder(graph.nodes).map((node) => mapSubgraphs(node, topologicalSort)) };
}

/** The nodes in topological order; of those that are ready, the one that stood first comes first (Kahn 1962). */
export function topologicalOrder(nodes: readonly Node[], path?: readonly (string | number)[]): readonly Node[] {
  const producers = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const name of node.outputs) if (name !== "") producers.set(name, index);
  });
  const users = nodes.map((): number[] => []);
  const waitingFor = new Int32Array(nodes.length);
  let isSorted = true;
  nodes.forEach((node, index) => {
    const sources = new Set<number>();
    for (const name of consumedNames(node)) {
      const source = producers.get(name);
      if (source !== undefined) sources.add(source);
    }
    for (const source of sources) {
      users[source]!.push(index);
      if (source >= index) isSorted = false;
    }
    waitingFor[index] = sources.size;
  });
  if (isSorted) return nodes;
  const order = orderByReadiness(users, waitingFor);
  if (order.length < nodes.length) {
    const stuck = nodes.find((_, index) => waitingFor[index]! > 0)!;
    throw inputError("cyclic_graph", `node "${stuck.name}" (${stuck.operator}) depends on its own output`, { path });
  }
  return order.map((index) => nodes[index]!);
}

function orderByReadiness(users: readonly (readonly number[])[], waitingFor: Int32Array): number[] {
  const ready = new Heap();
  waitingFor.forEach((count, index) => {
    if (count === 0) ready.push(index);
  });
  const order: number[] = [];
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    order.push(index);
    for (const user of users[index]!) if (--waitingFor[user]! === 0) ready.push(user);
  }
  return order;
}

/** A binary heap that gives the smallest number first. */
class Heap {
  private readonly items: number[] = [];

  push(item: number): void {
    const { items } = this;
    let child = items.push(item) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (items[parent]! <= item) break;
      items[child] = items[parent]!;
      child = parent;
    }
    items[child] = item;
  }

  pop(): number | undefined {
    const { items } = this;
    const smallest = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return smallest;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[parent] = items[child]!;
      parent = child;
    }
    items[parent] = last;
    return smallest;
  }
}

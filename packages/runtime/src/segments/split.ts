// Cuts a graph around the nodes that have kernels of our own.

import { consumedNames, elementCount, extractSubgraph, type Graph, isStatic, type Node } from "@dovetail/graph";

/** What runs next: a graph for ONNX Runtime, or a node by its kernel. */
export type Step =
  | { readonly graph: Graph; readonly node?: undefined }
  | { readonly node: Node; readonly graph?: undefined };

/**
 * The steps that compute a graph, in order. Each node runs as early as its operands allow; a value that a later step reads
 * is an output of the step that makes it. Graphs have distinct names.
 */
export function splitGraph(graph: Graph, hasKernel: (node: Node) => boolean): readonly Step[] {
  const levels = levelsOf(graph, hasKernel);
  const readers = lastReaders(graph, levels, hasKernel);
  const last = Math.max(...levels.values());
  return Array.from({ length: last + 1 }, (_, level) => level).flatMap((level): readonly Step[] => {
    const nodes = graph.nodes.filter((node) => levels.get(node) === level);
    const kernels = nodes.filter(hasKernel);
    const others = nodes.filter((node) => !hasKernel(node));
    const steps: readonly Step[] = kernels.map((node) => ({ node }));
    return others.length === 0 ? steps : [{ graph: subgraphOf(graph, others, level, readers) }, ...steps];
  });
}

/** Kernels run after the graph of their level; what reads them comes one level later. */
function levelsOf(graph: Graph, hasKernel: (node: Node) => boolean): ReadonlyMap<Node, number> {
  const levels = new Map<Node, number>();
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) {
    let level = 0;
    for (const name of consumedNames(node)) {
      const producer = producers.get(name);
      if (!producer) continue;
      const step = hasKernel(producer) && !hasKernel(node) ? 1 : 0;
      level = Math.max(level, levels.get(producer)! + step);
    }
    levels.set(node, level);
    for (const name of node.outputs) producers.set(name, node);
  }
  return levels;
}

/** The last level whose graph, or whose kernels (half a level later), read a value; outputs are read at the end. */
function lastReaders(
  graph: Graph,
  levels: ReadonlyMap<Node, number>,
  hasKernel: (node: Node) => boolean,
): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const node of graph.nodes) {
    const level = levels.get(node)! + (hasKernel(node) ? 0.5 : 0);
    for (const name of consumedNames(node)) last.set(name, Math.max(last.get(name) ?? 0, level));
  }
  for (const { name } of graph.outputs) last.set(name, Number.POSITIVE_INFINITY);
  return last;
}

function subgraphOf(
  graph: Graph,
  nodes: readonly Node[],
  level: number,
  lastReaders: ReadonlyMap<string, number>,
): Graph {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const read = new Set(nodes.flatMap(consumedNames));
  const inputs = [...read].filter((name) => !made.has(name) && !graph.initializers.has(name));
  const outputs = [...made].filter((name) => name !== "" && (lastReaders.get(name) ?? 0) > level);
  return { ...extractSubgraph(graph, inputs, outputs), name: `${graph.name}, part ${level}` };
}

/** Which values share memory: from each float32 value of known size that later steps read to its buffer. */
export interface BufferPlan {
  readonly bufferOf: ReadonlyMap<string, number>;
  /** Values of each buffer. */
  readonly sizes: readonly number[];
}

/** Gives values whose lives do not overlap the same buffer. Inputs and outputs of the whole graph are left out. */
export function planBuffers(graph: Graph, steps: readonly Step[]): BufferPlan {
  const own = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  const lives = livesOf(steps);
  const free: { readonly buffer: number; readonly from: number }[] = [];
  const sizes: number[] = [];
  const bufferOf = new Map<string, number>();
  steps.forEach((step, time) => {
    const made = step.graph ? step.graph.outputs.map(({ name }) => name) : step.node.outputs;
    for (const name of made) {
      const type = graph.types.get(name);
      if (own.has(name) || type?.elementType !== "float32" || !isStatic(type.shape)) continue;
      const size = elementCount(type.shape);
      const at = bestFit(free, sizes, size, time);
      const buffer = at === undefined ? sizes.push(size) - 1 : free.splice(at, 1)[0]!.buffer;
      sizes[buffer] = Math.max(sizes[buffer]!, size);
      bufferOf.set(name, buffer);
      free.push({ buffer, from: lives.get(name)! + 1 });
    }
  });
  return { bufferOf, sizes };
}

/** The step that reads each value last. */
function livesOf(steps: readonly Step[]): ReadonlyMap<string, number> {
  const lives = new Map<string, number>();
  steps.forEach(({ graph, node }, time) => {
    const made = graph ? graph.outputs.map(({ name }) => name) : node.outputs;
    for (const name of made) lives.set(name, time);
    for (const name of graph ? graph.inputs.map((input) => input.name) : node.inputs) lives.set(name, time);
  });
  return lives;
}

/** Index of the free buffer whose size is nearest, or undefined when none is free. */
function bestFit(
  free: readonly { readonly buffer: number; readonly from: number }[],
  sizes: readonly number[],
  size: number,
  time: number,
): number | undefined {
  let best: number | undefined;
  free.forEach(({ buffer, from }, index) => {
    if (from > time) return;
    const distance = Math.abs(sizes[buffer]! - size);
    if (best === undefined || distance < Math.abs(sizes[free[best]!.buffer]! - size)) best = index;
  });
  return best;
}

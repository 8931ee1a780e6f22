import type { Graph, Node } from "../ir/graph.js";
import { consumedNames } from "../ir/subgraphs.js";
import type { CustomGradient } from "./rule.js";

/** A step of the backward pass: a node, or a whole region that has a gradient of its own. */
export type Operation = (
  | { readonly node: Node; readonly region?: undefined }
  | { readonly node?: undefined; readonly region: CustomGradient }
) & {
  /** Names of the values that it reads, those that subgraphs take from outside included, absent ones left out. */
  readonly inputs: readonly string[];
  /** Names of the values whose gradients it takes, absent ones and those of a region around it left out. */
  readonly outputs: readonly string[];
};

/**
 * The operations that some values depend on, in topological order. A value that a region puts out is produced by the
 * region (the outermost one, which was closed last), so nodes inside take part only where a value of theirs is also
 * used outside.
 */
export function operationsBefore(graph: Graph, names: readonly string[]): readonly Operation[] {
  const producers = producersOf(graph);
  const order: Operation[] = [];
  const visited = new Set<Operation>();
  const stack: { readonly operation: Operation; next: number }[] = [];
  const visit = (name: string): void => {
    const operation = producers.get(name);
    if (!operation || visited.has(operation)) return;
    visited.add(operation);
    stack.push({ operation, next: 0 });
  };
  for (const name of names) {
    visit(name);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const input = top.operation.inputs[top.next++];
      if (input !== undefined) {
        visit(input);
      } else {
        order.push(top.operation);
        stack.pop();
      }
    }
  }
  return order;
}

function producersOf(graph: Graph): ReadonlyMap<string, Operation> {
  const regionOf = new Map<string, CustomGradient>();
  for (const region of graph.customGradients) for (const output of region.outputs) regionOf.set(output, region);
  const producers = new Map<string, Operation>();
  const register = (operation: Operation): void => {
    for (const output of operation.outputs) producers.set(output, operation);
  };
  const present = (name: string): boolean => name !== "";
  for (const node of graph.nodes) {
    const outputs = node.outputs.filter((name) => present(name) && !regionOf.has(name));
    register({ node, inputs: consumedNames(node).filter(present), outputs });
  }
  for (const region of graph.customGradients) {
    const outputs = region.outputs.filter((name) => regionOf.get(name) === region);
    register({ region, inputs: region.inputs, outputs });
  }
  return producers;
}

/** `node "conv1" (Conv)`. */
export function describeOperation({ node, region }: Operation): string {
  if (region) return `custom gradient "${region.name}"`;
  return `node "${node.name}" (${node.domain ? `${node.domain}.` : ""}${node.operator})`;
}

/** The operations from this one to the loss, each read by the next. */
export function pathToLoss(operation: Operation, operations: readonly Operation[]): string {
  const steps: string[] = [];
  for (let current: Operation | undefined = operation; current; current = lastReader(current, operations)) {
    steps.push(describeOperation(current));
  }
  return [...steps, "the loss"].join(" → ");
}

function lastReader({ outputs }: Operation, operations: readonly Operation[]): Operation | undefined {
  return operations.findLast(({ inputs }) => outputs.some((output) => inputs.includes(output)));
}

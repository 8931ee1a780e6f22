import { inputError } from "@dovetail/core";
import { consumedNames, type Graph, type Node, type TensorType } from "@dovetail/graph";

/** What workload extraction asks of a graph whose sizes are all numbers. */
export interface GraphFacts {
  readonly graph: Graph;
  producer(name: string): Node | undefined;
  consumers(name: string): readonly Node[];
  /** True for values that change with the data that the network is run on; parameters and shapes do not. */
  isData(name: string): boolean;
  /** Throws an input error when the type is not known. */
  type(name: string): TensorType;
  /** Throws an input error when a size is not known. */
  shape(name: string): readonly number[];
}

// Their outputs depend on the shape of the data, not on the data.
const measuring = new Set(["Shape", "Size"]);

/** Indexes a graph. @param dataInputs names of the graph inputs that are data; the others are parameters. */
export function graphFacts(graph: Graph, dataInputs: ReadonlySet<string>): GraphFacts {
  const producers = new Map<string, Node>();
  const consumers = new Map<string, Node[]>();
  const data = new Set(dataInputs);
  for (const node of graph.nodes) {
    const readsData = !measuring.has(node.operator) && consumedNames(node).some((name) => data.has(name));
    for (const name of node.outputs) {
      producers.set(name, node);
      if (readsData && name !== "") data.add(name);
    }
    for (const name of new Set(node.inputs)) {
      const known = consumers.get(name);
      if (known) known.push(node);
      else consumers.set(name, [node]);
    }
  }
  const type = (name: string): TensorType => {
    const constant = graph.initializers.get(name);
    const known = graph.types.get(name);
    if (known) return known;
    if (constant) return { elementType: constant.elementType, shape: constant.dimensions };
    throw inputError("unknown_type", `graph "${graph.name}": the type of "${name}" is not known`, {
      hint: "infer the types first",
    });
  };
  return {
    graph,
    producer: (name) => producers.get(name),
    consumers: (name) => consumers.get(name) ?? [],
    isData: (name) => data.has(name),
    type,
    shape: (name) => {
      const { shape } = type(name);
      return (shape ?? [undefined]).map((size) => {
        if (typeof size === "number") return size;
        throw inputError("unknown_size", `graph "${graph.name}": a size of "${name}" is not known`, {
          expected: "numbers",
          received: shape ? `[${shape.join(",")}]` : "a value of unknown rank",
          hint: "give sizes known by name in the option sizes",
        });
      });
    },
  };
}

import { DovetailError, inputError } from "@dovetail/core";
import type { Dimension, Graph, Node, Tensor, TensorType, Value } from "../ir/graph.js";
import { mapSubgraphs } from "../ir/subgraphs.js";
import { inferNodeTypes, type KnownValues, printType } from "../shape/infer.js";

/** What is known of a graph's values while its nodes are gone through in order; a subgraph sees its parent's values. */
export class TypeScope implements KnownValues {
  readonly types = new Map<string, TensorType>();
  private readonly constants = new Map<string, Tensor>();
  private readonly producers = new Map<string, Node>();

  /** @param declared types that the graph came with: they fill in what inference leaves open. */
  constructor(
    graph: Pick<Graph, "inputs" | "initializers">,
    private readonly declared: ReadonlyMap<string, TensorType>,
    readonly opset: number,
    private readonly parent?: TypeScope | undefined,
  ) {
    for (const { name, type } of graph.inputs) this.types.set(name, type);
    for (const [name, constant] of graph.initializers) this.addConstant(name, constant);
  }

  typeOf(name: string): TensorType | undefined {
    return this.types.get(name) ?? this.parent?.typeOf(name);
  }

  constantOf(name: string): Tensor | undefined {
    return this.constants.get(name) ?? this.parent?.constantOf(name);
  }

  producerOf(name: string): Node | undefined {
    return this.producers.get(name) ?? this.parent?.producerOf(name);
  }

  addConstant(name: string, constant: Tensor): void {
    this.constants.set(name, constant);
    this.types.set(name, { elementType: constant.elementType, shape: constant.dimensions });
  }

  /** Takes in the next node, and returns it with its subgraphs typed. */
  add(node: Node): Node {
    const typed = mapSubgraphs(node, (subgraph) => typeGraph(subgraph, subgraph.types, this.opset, this));
    const inferred = this.infer(typed);
    typed.outputs.forEach((name, index) => {
      if (name === "") return;
      this.producers.set(name, typed);
      const type = refine(inferred?.[index], this.declared.get(name));
      if (type) this.types.set(name, type);
    });
    const value = typed.operator === "Constant" && typed.domain === "" ? typed.attributes.value : undefined;
    if (value?.kind === "tensor" && typed.outputs[0]) this.constants.set(typed.outputs[0], value.value);
    return typed;
  }

  /** Outputs with their types. Throws when a type is known from nowhere, or an output is not what it was declared to be. */
  outputs(declared: readonly Value[]): Value[] {
    return declared.map(({ name }) => {
      const type = this.typeOf(name) ?? this.declared.get(name);
      if (!type) {
        throw inputError("unknown_type", `the type of output "${name}" is neither declared nor can be inferred`);
      }
      return { name, type };
    });
  }

  /** Types of a node's outputs; undefined where an unknown operator, or an input of unknown rank, stands in the way. */
  private infer(node: Node): readonly TensorType[] | undefined {
    try {
      return inferNodeTypes(node, this);
    } catch (error) {
      const isUnknown = error instanceof DovetailError && error.diagnostics[0]?.code === "unknown_operator";
      const isOpen = node.inputs.some((name) => name !== "" && this.typeOf(name)?.shape === undefined);
      if (error instanceof DovetailError && (isUnknown || isOpen)) return undefined;
      throw error;
    }
  }
}

/** A graph with all its types, and those of its subgraphs, inferred anew. */
export function typeGraph(
  graph: Graph,
  declared: ReadonlyMap<string, TensorType>,
  opset: number,
  parent?: TypeScope,
): Graph {
  const scope = new TypeScope(graph, declared, opset, parent);
  const nodes = graph.nodes.map((node) => scope.add(node));
  return { ...graph, nodes, outputs: scope.outputs(graph.outputs), types: scope.types };
}

/** The inferred type; what it leaves open (rank, sizes with a made-up name) is taken from the declaration. */
function refine(inferred: TensorType | undefined, declared: TensorType | undefined): TensorType | undefined {
  if (!inferred || !declared || inferred.elementType !== declared.elementType) return inferred ?? declared;
  if (!inferred.shape) return declared;
  const shape = declared.shape;
  if (shape?.length !== inferred.shape.length) return inferred;
  return {
    elementType: inferred.elementType,
    shape: inferred.shape.map((size, axis) => (isMadeUp(size) && !isMadeUp(shape[axis]!) ? shape[axis]! : size)),
  };
}

function isMadeUp(size: Dimension): boolean {
  return typeof size === "string" && size.includes("?");
}

/** Throws when the types contradict each other: another element type, rank or size. */
export function checkDeclared(name: string, inferred: TensorType, declared: TensorType): void {
  const { shape } = declared;
  const agrees =
    inferred.elementType === declared.elementType &&
    (!shape ||
      !inferred.shape ||
      (shape.length === inferred.shape.length &&
        shape.every(
          (size, axis) =>
            typeof size === "string" || typeof inferred.shape![axis] === "string" || size === inferred.shape![axis],
        )));
  if (agrees) return;
  throw inputError("type_conflict", `the output "${name}" has another type than the graph declares`, {
    expected: printType(declared),
    received: printType(inferred),
  });
}

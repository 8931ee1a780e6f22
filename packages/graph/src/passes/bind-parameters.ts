import { inputError, nearestWord } from "@dovetail/core";
import type { Graph, Tensor, TensorType } from "../ir/graph.js";
import { printShape, printType } from "../shape/infer.js";
import { inferTypes } from "./infer-types.js";

/**
 * Turns inputs of a graph into constants, and infers all types anew. Throws an input error for names that are no inputs
 * and for constants that do not fit the input's type; a named dimension must be the same size wherever it is bound.
 */
export function bindParameters(
  graph: Graph,
  parameters: ReadonlyMap<string, Tensor>,
  options: { readonly opset?: number | undefined } = {},
): Graph {
  const types = new Map(graph.inputs.map(({ name, type }) => [name, type]));
  const sizes = new Map<string, number>();
  const initializers = new Map(graph.initializers);
  for (const [name, constant] of parameters) {
    const type = types.get(name);
    if (!type) {
      const nearest = nearestWord(name, types.keys());
      throw inputError("unknown_input", `graph "${graph.name}" has no input "${name}"`, {
        hint: nearest ? `did you mean "${nearest}"?` : undefined,
      });
    }
    checkFits(name, constant, type, sizes);
    initializers.set(name, constant);
  }
  const inputs = graph.inputs.filter(({ name }) => !parameters.has(name));
  return inferTypes({ ...graph, inputs, initializers }, options);
}

function checkFits(name: string, constant: Tensor, type: TensorType, sizes: Map<string, number>): void {
  const { dimensions, elementType } = constant;
  const fits =
    elementType === type.elementType &&
    (!type.shape ||
      (type.shape.length === dimensions.length &&
        type.shape.every((size, axis) => {
          const received = dimensions[axis]!;
          if (typeof size === "number") return size === received;
          const known = sizes.get(size) ?? received;
          sizes.set(size, known);
          return known === received;
        })));
  if (fits) return;
  throw inputError("type_conflict", `the constant for input "${name}" is of another type`, {
    expected: printType(type),
    received: `${elementType}${printShape(dimensions)}`,
  });
}

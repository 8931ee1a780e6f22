// What is refused before ONNX Runtime sees it.

import { inputError, nearestWord } from "@dovetail/core";
import { type Graph, printType, type Tensor, type Value } from "@dovetail/graph";

/** Throws when a constant of the graph has no data, as in a graph read for its shapes only. */
export function requireConstants(graph: Graph): void {
  for (const [name, { data }] of graph.initializers) {
    if (data !== undefined) continue;
    throw inputError("missing_data", `graph "${graph.name}" cannot be executed: constant "${name}" has no data`, {
      hint: "the file was read for its shapes only; read it together with its external data",
    });
  }
}

/** Throws unless every input is fed once, with its element type and shape. */
export function requireFeeds(
  graphName: string,
  inputs: readonly Value[],
  feeds: Readonly<Record<string, Tensor>>,
): void {
  const names = inputs.map(({ name }) => name);
  for (const { name, type } of inputs) {
    const tensor = feeds[name];
    if (tensor === undefined) {
      throw inputError("missing_feed", `graph "${graphName}": input "${name}" is not fed`, {
        expected: printType(type),
      });
    }
    if (!fits(tensor, type)) {
      throw inputError("feed_type", `graph "${graphName}": input "${name}"`, {
        expected: printType(type),
        received: printType({ elementType: tensor.elementType, shape: tensor.dimensions }),
      });
    }
  }
  for (const name of Object.keys(feeds)) {
    if (names.includes(name)) continue;
    const near = nearestWord(name, names);
    throw inputError("unknown_feed", `graph "${graphName}" has no input "${name}" to feed`, {
      expected: names.join(", ") || "no feeds",
      hint: near === undefined ? undefined : `did you mean "${near}"?`,
    });
  }
}

function fits(tensor: Tensor, type: Value["type"]): boolean {
  if (tensor.elementType !== type.elementType) return false;
  if (type.shape === undefined) return true;
  return (
    tensor.dimensions.length === type.shape.length &&
    type.shape.every((size, axis) => typeof size === "string" || size === tensor.dimensions[axis])
  );
}

import { type Graph, modelOf, writeModel } from "@dovetail/graph";

/**
 * A lowered graph as ONNX Runtime reads it. Types of values inside are left out: where a tensor is in the blocked
 * layout, ONNX Runtime infers them itself.
 */
export function serialize(graph: Graph): Uint8Array<ArrayBuffer> {
  const known = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  for (const name of graph.initializers.keys()) known.add(name);
  const types = new Map([...graph.types].filter(([name]) => known.has(name)));
  return writeModel(modelOf({ ...graph, types, annotations: new Map() }));
}

// Runs graphs in tests as they are, by ONNX Runtime alone: own operators expanded, nothing lowered.

import { expandOwnOperators, type Graph, modelOf, type Tensor, tensorFromData, writeModel } from "@dovetail/graph";
import { loadOnnxRuntime } from "../../sessions/onnx-runtime.js";

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Runs a compiled graph on inputs by name. */
export type Execution = (feeds: Tensors) => Promise<Tensors>;

/** Compiles a graph; inputs and outputs are constants as the graph has them. */
export async function compileForTest(graph: Graph): Promise<Execution> {
  const ort = await loadOnnxRuntime();
  const session = await ort.InferenceSession.create(writeModel(modelOf(expandOwnOperators(graph))), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  return async (feeds) => {
    const inputs = Object.fromEntries(
      graph.inputs.map(({ name }) => {
        const { elementType, data, dimensions } = feeds[name]!;
        return [name, new ort.Tensor(elementType as "float32", data as Float32Array, dimensions)];
      }),
    );
    const results = await session.run(inputs);
    return Object.fromEntries(
      Object.entries(results).map(([name, value]) => [
        name,
        tensorFromData(value.type as "float32", value.dims, value.data as Float32Array),
      ]),
    );
  };
}

/** ‖a − b‖₂ / ‖b‖₂, and the plain distance where b is zero. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let distance = 0;
  let norm = 0;
  for (let index = 0; index < expected.length; index++) {
    distance += (actual[index]! - expected[index]!) ** 2;
    norm += expected[index]! ** 2;
  }
  return Math.sqrt(distance) / (norm === 0 ? 1 : Math.sqrt(norm));
}

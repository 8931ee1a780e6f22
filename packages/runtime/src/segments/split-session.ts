// A graph that runs partly in ONNX Runtime and partly in kernels of our own, as one session.

import { type Graph, type Tensor, tensorFromData } from "@dovetail/graph";
import type { AdderKernels } from "../kernels/adder.js";
import { runKernel } from "../kernels/operators.js";
import type { Session } from "../sessions/session.js";
import { type BufferPlan, planBuffers, type Step } from "./split.js";

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Runs the steps one after the other. Values between them lie in memory that is allocated once and shared by values whose
 * lives do not overlap, so runs of one such session are done in turn. `sessions` are those of the steps that are graphs,
 * in order.
 */
export function splitSession(
  graph: Graph,
  steps: readonly Step[],
  sessions: readonly Session[],
  kernels: AdderKernels,
): Session {
  const memory = createBuffers(graph, planBuffers(graph, steps));
  const runOnce = async (feeds: Tensors, outputs: Tensors): Promise<Record<string, Tensor>> => {
    const values = new Map<string, Tensor>(graph.initializers);
    for (const [name, tensor] of Object.entries(feeds)) values.set(name, tensor);
    const waiting = sessions.values();
    for (const { node, graph: part } of steps) {
      if (node) {
        const name = node.outputs[0]!;
        const inputs = node.inputs.map((input) => values.get(input)!);
        values.set(name, runKernel(kernels, graph, node, inputs, outputs[name] ?? memory.get(name)));
        continue;
      }
      const own = Object.fromEntries(part.inputs.map(({ name }) => [name, values.get(name)!]));
      const given = part.outputs.flatMap(({ name }) => {
        const target = outputs[name] ?? memory.get(name);
        return target ? [[name, target] as const] : [];
      });
      const results = await waiting.next().value!.run(own, Object.fromEntries(given));
      for (const { name } of part.outputs) values.set(name, results[name]!);
    }
    return Object.fromEntries(graph.outputs.map(({ name }) => [name, values.get(name)!]));
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    run: (feeds, outputs) => {
      const result = last.then(() => runOnce(feeds, outputs));
      last = result.catch(() => undefined);
      return result;
    },
    release: async () => {
      for (const session of sessions) await session.release();
    },
  };
}

/** Tensors over the planned buffers, by value. */
function createBuffers(graph: Graph, { bufferOf, sizes }: BufferPlan): ReadonlyMap<string, Tensor> {
  const buffers = sizes.map((size) => new ArrayBuffer(4 * size));
  return new Map(
    [...bufferOf].map(([name, buffer]) => {
      const dimensions = graph.types.get(name)!.shape as readonly number[];
      const count = dimensions.reduce((product, size) => product * size, 1);
      return [name, tensorFromData("float32", dimensions, new Float32Array(buffers[buffer]!, 0, count))];
    }),
  );
}

// A model inside ONNX Runtime.

import { internalError } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { firstLine, type OnnxRuntime, type OrtSessionOptions, type OrtTensor } from "./onnx-runtime.js";
import { fromOrtTensor, toOrtTensor } from "./tensors.js";

export interface Session {
  /** Results by name. `outputs` are written into and then hold the results too. */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export interface SessionOptions {
  readonly executionProviders: NonNullable<OrtSessionOptions["executionProviders"]>;
  readonly threads: number;
  readonly graphName: string;
}

/** Compiles a serialised model. A model that ONNX Runtime refuses is an internal error: graphs are checked before. */
export async function openSession(ort: OnnxRuntime, model: Uint8Array, options: SessionOptions): Promise<Session> {
  const place = `graph "${options.graphName}"`;
  const session = await ort.InferenceSession.create(model, ortOptions(options)).catch((error: unknown) => {
    throw internalError("session_refused", `${place}: ONNX Runtime refuses the graph: ${firstLine(error)}`);
  });
  return {
    run: async (feeds, outputs) => {
      const ortFeeds: Record<string, OrtTensor> = {};
      for (const name of session.inputNames) {
        const tensor = feeds[name];
        if (tensor) ortFeeds[name] = toOrtTensor(ort, tensor, `${place}, input "${name}"`);
      }
      const fetches: Record<string, OrtTensor | null> = {};
      for (const name of session.outputNames) {
        const tensor = outputs[name];
        fetches[name] = tensor ? toOrtTensor(ort, tensor, `${place}, output "${name}"`) : null;
      }
      const results = await session.run(ortFeeds, fetches);
      return Object.fromEntries(
        Object.entries(results).map(([name, result]) => [name, fromOrtTensor(result as OrtTensor)]),
      );
    },
    release: () => session.release(),
  };
}

/**
 * Graphs are lowered by us, so ONNX Runtime's own layout optimizer stays off. Denormal numbers are not flushed to zero:
 * ONNX Runtime would do so in its own threads but not in the calling one, and results would depend on the threads.
 */
function ortOptions({ executionProviders, threads }: SessionOptions): OrtSessionOptions {
  return {
    executionProviders,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "basic",
    logSeverityLevel: 4,
    // Threads that wait busily for the next run would steal the processor from other sessions' runs.
    extra: { session: { force_spinning_stop: "1" } },
  };
}

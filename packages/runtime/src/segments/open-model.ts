// Runs ONNX files: in ONNX Runtime as they stand, add layers by kernels of our own.

import { availableParallelism } from "node:os";
import { type Model, readModel, writeModel } from "@dovetail/graph";
import { adderKernels } from "../kernels/adder.js";
import { hasKernel } from "../kernels/operators.js";
import { startKernelThreads } from "../kernels/thread-pool.js";
import type { ProviderName } from "../providers/provider.js";
import { type OpenModel, openFile } from "../sessions/model.js";
import { loadOnnxRuntime } from "../sessions/onnx-runtime.js";
import { requireFeeds } from "./check.js";
import { splitGraph } from "./split.js";
import { splitSession } from "./split-session.js";

export interface OpenModelOptions {
  /** `"cpu"` by default. */
  readonly provider?: ProviderName | undefined;
  /** Threads inside an operator; ONNX Runtime's own choice by default. */
  readonly threads?: number | undefined;
  /** False: add layers by the bodies in the file, as ONNX Runtime without us runs them, many times slower. */
  readonly kernels?: boolean | undefined;
}

/**
 * Opens the bytes of an ONNX file for ONNX Runtime with its default settings. On the CPU a file with add layers is cut
 * around them. Throws the input error `model_refused` when ONNX Runtime cannot run it, and the environment error
 * `provider_absent`.
 */
export async function openModel(bytes: Uint8Array, options: OpenModelOptions = {}): Promise<OpenModel> {
  const { provider = "cpu", threads = 0, kernels = true } = options;
  const ort = await loadOnnxRuntime();
  const open = (file: Uint8Array): Promise<OpenModel> => openFile(ort, file, { provider, threads });
  const model = provider === "cpu" && kernels ? modelWithKernels(bytes) : undefined;
  return model ? openInParts(model, open, threads || availableParallelism()) : open(bytes);
}

/** The model where kernels compute some of its nodes. */
function modelWithKernels(bytes: Uint8Array): Model | undefined {
  // Spares most files from being read twice.
  const mayHave = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes("AdderConv");
  const model = mayHave ? readModel(bytes) : undefined;
  return model?.graph.nodes.some((node) => hasKernel(model.graph, node)) ? model : undefined;
}

async function openInParts(
  { graph, ...model }: Model,
  open: (file: Uint8Array) => Promise<OpenModel>,
  threads: number,
): Promise<OpenModel> {
  const steps = splitGraph(graph, (node) => hasKernel(graph, node));
  const parts: OpenModel[] = [];
  for (const part of steps.flatMap((step) => step.graph ?? [])) {
    parts.push(await open(writeModel({ ...model, graph: part })));
  }
  const pool = await startKernelThreads(threads);
  const session = splitSession(graph, steps, parts, adderKernels(pool));
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  return {
    inputNames: inputs.map(({ name }) => name),
    outputNames: graph.outputs.map(({ name }) => name),
    run: async (feeds) => {
      requireFeeds(graph.name, inputs, feeds);
      return session.run(feeds, {});
    },
    release: async () => {
      await session.release();
      await pool.release();
    },
  };
}

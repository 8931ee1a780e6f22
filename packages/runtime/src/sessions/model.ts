// A model as it stands, executed as anyone else would: ONNX Runtime's own optimizations, nothing of ours.

import { inputError } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { type ProviderName, providerAbsent, providers } from "../providers/provider.js";
import { firstLine, type OnnxRuntime, type OrtTensor } from "./onnx-runtime.js";
import { fromOrtTensor, toOrtTensor } from "./tensors.js";

/** A model ready to run. */
export interface OpenModel {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** All outputs by name. Throws an input error when ONNX Runtime refuses the inputs. */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/**
 * Opens the bytes of an ONNX file in ONNX Runtime; 0 threads are its own choice. Throws the input error `model_refused`
 * when it cannot run it, and the environment error `provider_absent`.
 */
export async function openFile(
  ort: OnnxRuntime,
  bytes: Uint8Array,
  { provider, threads }: { readonly provider: ProviderName; readonly threads: number },
): Promise<OpenModel> {
  const sessionOptions = {
    executionProviders: [...providers[provider].executionProviders],
    intraOpNumThreads: threads,
    logSeverityLevel: 4,
  } as const;
  const session = await ort.InferenceSession.create(bytes, sessionOptions).catch((error: unknown) => {
    if (/backend|execution provider/i.test(firstLine(error)) && provider !== "cpu")
      throw providerAbsent(provider, error);
    throw inputError("model_refused", "ONNX Runtime cannot run this model", { received: firstLine(error) });
  });
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (inputs) => {
      const feeds = Object.entries(inputs).map(([name, value]) => [name, toOrtTensor(ort, value, `input "${name}"`)]);
      const results = await session.run(Object.fromEntries(feeds)).catch((error: unknown) => {
        throw inputError("model_inputs_refused", "ONNX Runtime refuses the inputs", { received: firstLine(error) });
      });
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, fromOrtTensor(value as OrtTensor)]),
      );
    },
    release: () => session.release(),
  };
}

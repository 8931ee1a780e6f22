// The one place that knows onnxruntime-node.

import { environmentError } from "@dovetail/core";

export type OnnxRuntime = typeof import("onnxruntime-node");
export type OrtSession = import("onnxruntime-node").InferenceSession;
export type OrtTensor = import("onnxruntime-node").Tensor;
export type OrtSessionOptions = import("onnxruntime-node").InferenceSession.SessionOptions;

let loaded: Promise<OnnxRuntime> | undefined;

/** Loads the native library once. Throws an environment error where its package or binary is absent. */
export function loadOnnxRuntime(): Promise<OnnxRuntime> {
  loaded ??= import("onnxruntime-node").then(quiet, (error: unknown) => {
    loaded = undefined;
    throw environmentError("onnxruntime_absent", "cannot load ONNX Runtime", {
      expected: "the npm package onnxruntime-node with its binary for this platform",
      received: firstLine(error),
      hint: "run npm install",
    });
  });
  return loaded;
}

/** What goes wrong is thrown; ONNX Runtime need not write it to the terminal too. */
function quiet(ort: OnnxRuntime): OnnxRuntime {
  ort.env.logLevel = "fatal";
  return ort;
}

/** Version of ONNX Runtime, for what results depend on. */
export async function onnxRuntimeVersion(): Promise<string> {
  const { versions } = (await loadOnnxRuntime()).env;
  return versions.node ?? versions.common;
}

export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0]!;
}

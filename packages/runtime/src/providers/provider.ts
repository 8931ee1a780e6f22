// Where graphs run: one entry a provider.

import { environmentError } from "@dovetail/core";
import { firstLine, type OnnxRuntime, type OrtSessionOptions } from "../sessions/onnx-runtime.js";

export type ProviderName = "cpu" | "webgpu" | "cuda";

interface ProviderFacts {
  /** ONNX Runtime's execution providers, in order of preference. */
  readonly executionProviders: NonNullable<OrtSessionOptions["executionProviders"]>;
  /** What a machine must have. */
  readonly needs: string;
  readonly hint: string;
}

export const providers: Readonly<Record<ProviderName, ProviderFacts>> = {
  cpu: {
    executionProviders: ["cpu"],
    needs: "onnxruntime-node's binary for this platform",
    hint: "run npm install",
  },
  webgpu: {
    executionProviders: ["webgpu", "cpu"],
    needs: "a WebGPU adapter: a GPU with a Vulkan, Metal or Direct3D 12 driver",
    hint: "install the driver (on Linux the Vulkan loader libvulkan1 too), or use the provider cpu",
  },
  cuda: {
    executionProviders: ["cuda", "cpu"],
    needs: "an NVIDIA GPU with its driver, and ONNX Runtime's CUDA libraries",
    hint: "run node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12, or use the provider cpu",
  },
};

/** The error for a provider that this machine lacks. */
export function providerAbsent(name: ProviderName, cause: unknown): Error {
  return environmentError("provider_absent", `execution provider ${name} is not available`, {
    expected: providers[name].needs,
    received: firstLine(cause),
    hint: providers[name].hint,
  });
}

/** Opens a session over this one-node model to see whether the provider works here. Throws an environment error if not. */
export async function requireProvider(ort: OnnxRuntime, name: ProviderName, model: Uint8Array): Promise<void> {
  try {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [providers[name].executionProviders[0]!],
      logSeverityLevel: 4,
    });
    await session.release();
  } catch (error) {
    throw providerAbsent(name, error);
  }
}

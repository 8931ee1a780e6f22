// What this machine offers, found out by running one node.

import type { Graph, TensorType } from "@dovetail/graph";
import { serialize } from "../lowering/serialize.js";
import type { LoweringTarget } from "../lowering/target.js";
import type { OnnxRuntime } from "../sessions/onnx-runtime.js";
import { type ProviderName, requireProvider } from "./provider.js";

/** Throws an environment error when the provider is not available. */
export async function probeTarget(ort: OnnxRuntime, provider: ProviderName): Promise<LoweringTarget> {
  await requireProvider(ort, provider, oneNodeModel("", "Relu"));
  // The blocked layout belongs to the CPU's kernels.
  if (provider !== "cpu") return { provider };
  return { provider, blockSize: await probeBlockSize(ort) };
}

const probeShape = [1, 16, 1, 2];

function oneNodeModel(domain: string, operator: string): Uint8Array {
  const type: TensorType = { elementType: "float32", shape: probeShape };
  const graph: Graph = {
    name: "probe",
    inputs: [{ name: "x", type }],
    outputs: [{ name: "y", type }],
    nodes: [{ name: "probe", domain, operator, inputs: ["x"], outputs: ["y"], attributes: {} }],
    initializers: new Map(),
    types: new Map([
      ["x", type],
      ["y", type],
    ]),
    annotations: new Map(),
    customGradients: [],
  };
  return serialize(graph);
}

/**
 * Reorders 16 channels of 2 values, channel c holding 2c and 2c + 1: the place of 1, channel 0's second value, is the
 * block size. Returns undefined where ONNX Runtime has no blocked kernels.
 */
async function probeBlockSize(ort: OnnxRuntime): Promise<8 | 16 | undefined> {
  const options = { executionProviders: ["cpu"], logSeverityLevel: 4 } as const;
  const session = await ort.InferenceSession.create(oneNodeModel("com.microsoft.nchwc", "ReorderInput"), options).catch(
    () => undefined,
  );
  if (!session) return undefined;
  try {
    const values = Float32Array.from({ length: 32 }, (_, index) => index);
    const { y } = await session.run({ x: new ort.Tensor("float32", values, probeShape) });
    const place = (y!.data as Float32Array).indexOf(1);
    return place === 8 || place === 16 ? place : undefined;
  } catch {
    return undefined;
  } finally {
    await session.release();
  }
}

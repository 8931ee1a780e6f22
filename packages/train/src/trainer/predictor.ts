import { scalar, type Tensor, tensorFromData } from "@dovetail/graph";
import { type Network, predictionGraph } from "@dovetail/models";
import type { Runtime, StateStore } from "@dovetail/runtime";

/** Computes logits with a network in inference form. */
export interface Predictor {
  readonly classCount: number;
  /** Images [N, C, H, W] → logits, N × classCount values. */
  predict(images: Tensor): Promise<Float32Array>;
  release(): Promise<void>;
}

export interface PredictorOptions {
  readonly runtime: Runtime;
  readonly network: Network;
  /** The parameters; or a store that holds them (and may change between predictions). */
  readonly weights: ReadonlyMap<string, Tensor> | StateStore;
  /** Values of the network's scalar inputs, or what gives them at each prediction; their own where nothing is said. */
  readonly scalars?: Readonly<Record<string, number>> | (() => Readonly<Record<string, number>>) | undefined;
}

/** Compiles a network for inference. Weights are runtime inputs: nothing is compiled again when they change. */
export async function createPredictor({ runtime, network, weights, scalars }: PredictorOptions): Promise<Predictor> {
  const state = "snapshot" in weights ? weights : runtime.createState(parametersOf(network, weights));
  const type = network.graph.types.get(network.logits)!;
  const graph = { ...predictionGraph(network), outputs: [{ name: network.logits, type }] };
  const segment = await runtime.compile(graph, { state });
  const feedsOf = (given: Readonly<Record<string, number>> = {}): Record<string, Tensor> =>
    Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(given[name] ?? value)] as const));
  const fixed = typeof scalars === "function" ? undefined : feedsOf(scalars);
  return {
    classCount: network.classCount,
    predict: async (images) => {
      const feeds = fixed ?? feedsOf((scalars as () => Readonly<Record<string, number>>)());
      const outputs = await segment.run({ ...feeds, [network.image]: images });
      return outputs[network.logits]!.data as Float32Array;
    },
    release: () => segment.release(),
  };
}

/** The tensors that are parameters of the network: what a checkpoint holds beside them is left out. */
export function parametersOf(network: Network, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    network.parameters.flatMap(({ name }) => {
      const tensor = tensors.get(name);
      return tensor ? [[name, tensor] as const] : [];
    }),
  );
}

/** A batch of raw pixels as the tensor that a network takes. */
export function imageTensor(images: Float32Array, count: number, imageShape: readonly number[]): Tensor {
  return tensorFromData("float32", [count, ...imageShape], images);
}

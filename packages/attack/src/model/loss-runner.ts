// Compiled graphs of a network for each loss and batch size, and the memory that they share.

import { inputError } from "@dovetail/core";
import { scalar, type Tensor } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Runtime, Segment, StateStore } from "@dovetail/runtime";
import { parametersOf } from "@dovetail/train";
import type { AttackLoss } from "../losses/loss.js";
import { buildImageGradient, type ImageGradient } from "./image-gradient.js";
import { withImageRange } from "./image-range.js";
import type { Passes } from "./oracle.js";
import type { Variant } from "./variant.js";

export interface LossRunnerOptions {
  readonly runtime: Runtime;
  readonly network: Network;
  /** The parameters; or a store that holds them (and may change between questions). */
  readonly weights: ReadonlyMap<string, Tensor> | StateStore;
  /** Most images of one run; 100 by default. */
  readonly batchSize?: number | undefined;
}

/** A compiled graph for one loss and batch size. */
export interface CompiledLoss {
  readonly form: ImageGradient;
  readonly segment: Segment;
}

/** A network that takes images in [0, 1]. */
export interface LossRunner {
  readonly network: Network;
  readonly imageShape: readonly [number, number, number];
  readonly imageSize: number;
  readonly batchSize: number;
  /** Compiles at the first call, once for all variants: they differ in the scalars that are fed. */
  compiled(loss: AttackLoss, size: number, withGradient: boolean): Promise<CompiledLoss>;
  /** Feeds of the network's scalar inputs. */
  scalarsOf(variant: Variant): Readonly<Record<string, Tensor>>;
  /** Room for the images and the gradients of one batch. */
  readonly memory: { readonly images: Float32Array; readonly gradients: Float32Array };
  /** Runs `work` after all work given before: the memory is shared. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Adds to the passes that were counted. */
  count(added: Partial<Passes>): void;
  passes(): Passes;
  release(): Promise<void>;
}

/** Throws an input error when the image has sizes that are not known. */
export function createLossRunner(options: LossRunnerOptions): LossRunner {
  const { runtime, weights, batchSize = 100 } = options;
  const network = withImageRange(options.network, [0, 1]);
  const imageShape = imageShapeOf(network);
  const imageSize = imageShape.reduce((product, size) => product * size, 1);
  const state = "snapshot" in weights ? weights : runtime.createState(parametersOf(network, weights));
  const segments = new Map<string, Promise<CompiledLoss>>();
  const passes = { forward: 0, forwardAndBackward: 0 };
  let last: Promise<unknown> = Promise.resolve();
  return {
    network,
    imageShape,
    imageSize,
    batchSize,
    memory: { images: new Float32Array(batchSize * imageSize), gradients: new Float32Array(batchSize * imageSize) },
    compiled: (loss, size, withGradient) => {
      const key = `${loss.name} ${size} ${withGradient}`;
      let compiled = segments.get(key);
      if (!compiled) {
        compiled = compile(runtime, network, state, { loss, batchSize: size, withGradient });
        compiled.catch(() => segments.delete(key));
        segments.set(key, compiled);
      }
      return compiled;
    },
    scalarsOf: ({ scalars }) =>
      Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(scalars[name] ?? value)] as const)),
    inTurn: (work) => {
      const result = last.then(work, work);
      last = result.catch(() => undefined);
      return result;
    },
    count: ({ forward = 0, forwardAndBackward = 0 }) => {
      passes.forward += forward;
      passes.forwardAndBackward += forwardAndBackward;
    },
    passes: () => ({ ...passes }),
    release: async () => {
      for (const compiled of segments.values()) await (await compiled).segment.release();
      segments.clear();
    },
  };
}

async function compile(
  runtime: Runtime,
  network: Network,
  state: StateStore,
  options: Parameters<typeof buildImageGradient>[1],
): Promise<CompiledLoss> {
  const form = buildImageGradient(network, options);
  return { form, segment: await runtime.compile(form.graph, { state }) };
}

function imageShapeOf(network: Network): [number, number, number] {
  const shape = network.graph.types.get(network.image)?.shape?.slice(1) ?? [];
  if (shape.length === 3 && shape.every((size) => typeof size === "number")) return shape as [number, number, number];
  throw inputError("unknown_size", `image of network "${network.name}"`, {
    expected: "channels, height and width that are known",
    received: shape.join("×"),
  });
}

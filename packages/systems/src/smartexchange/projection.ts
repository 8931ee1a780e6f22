// What a network is brought into after every epoch: SmartExchange's form, or what it is held against.

import { setImmediate } from "node:timers/promises";
import {
  type DecompositionOptions,
  type IntegerTensor,
  integerTensor,
  type KeptRows,
  type PackedTensor,
  packedTensors,
  type StructuredTensor,
  structureLayers,
  structureNetwork,
  unpackTensor,
  type WeightLayer,
} from "@dovetail/compress";
import type { Watch } from "@dovetail/core";
import { type Tensor, tensor, tensorData } from "@dovetail/graph";

/** Integers of which some are zero for good: those whose mask [as the codes] is 0. */
export interface MaskedIntegers extends IntegerTensor {
  readonly mask?: Uint8Array | undefined;
}

/** A network's weights after a projection. */
export interface ProjectedWeights {
  /** All weights, those of the layers rebuilt from their compressed form. */
  readonly weights: Map<string, Tensor>;
  /** All tensors as they are stored. */
  readonly tensors: ReadonlyMap<string, PackedTensor>;
}

export interface ProjectOptions {
  readonly refit?: boolean | undefined;
  /** Progress layer by layer, and cancellation between two. */
  readonly watch?: Watch | undefined;
}

/** A way to compress the layers of one network. It may remember what it found before. */
export interface Projection {
  readonly name: string;
  /**
   * With `refit: false` integers keep the scales that were found before: those that straight-through training computed
   * with last. True by default.
   */
  project(weights: ReadonlyMap<string, Tensor>, options?: ProjectOptions): Promise<ProjectedWeights>;
  /** What it remembers, as tensors. */
  state(): ReadonlyMap<string, Tensor>;
  /** Takes up what `state` gave. */
  restore(tensors: ReadonlyMap<string, Tensor>): void;
}

/** Compresses nothing. */
export const identityProjection: Projection = {
  name: "float32",
  project: async (weights) => rebuilt(weights, new Map()),
  state: () => new Map(),
  restore: () => {},
};

/** SmartExchange's form with these rows. The bases found before are candidates for the next ones. */
export function structuredProjection(
  layers: readonly WeightLayer[],
  keptRows: KeptRows,
  decomposition: DecompositionOptions = { rescales: true },
): Projection {
  let previous: ReadonlyMap<string, StructuredTensor> | undefined;
  const project: Projection["project"] = async (weights, { watch } = {}) => {
    const steps = structureLayers(layers, weights, { keptRows, previous, decomposition });
    for (;;) {
      watch?.signal?.throwIfAborted();
      const step = steps.next();
      if (step.done) {
        previous = step.value.layers;
        return { weights: step.value.weights, tensors: packedTensors(weights, previous) };
      }
      watch?.onProgress?.({ task: "decompose", ...step.value, unit: "weights" });
      // Signals and timers have their turn.
      await setImmediate();
    }
  };
  return {
    name: "smartexchange",
    project,
    state: () =>
      new Map(
        [...(previous ?? [])].flatMap(([name, { layer }]) => [
          [`${name}.bases`, tensor("int8", [layer.bases.length], layer.bases)],
          [`${name}.scales`, tensor("int8", [layer.scaleExponents.length], layer.scaleExponents)],
        ]),
      ),
    restore: (tensors) => {
      // A projection's bases are all that the next one reads.
      const { layers: empty } = structureNetwork(layers, zerosOf(layers), { decomposition: { iterations: 0 } });
      previous = new Map(
        [...empty].map(([name, packed]) => {
          const bases = tensors.get(`${name}.bases`)!.data as Int8Array;
          const scaleExponents = tensors.get(`${name}.scales`)!.data as Int8Array;
          return [name, { ...packed, layer: { ...packed.layer, bases, scaleExponents } }];
        }),
      );
    },
  };
}

/**
 * Whole numbers of so many bits with a scale for each output channel; of masked ones the weights whose mask is 0 are zero
 * and not stored.
 */
export function integerProjection(
  layers: readonly WeightLayer[],
  {
    bitWidth,
    masks,
    name,
  }: { readonly bitWidth: number; readonly masks?: ReadonlyMap<string, Uint8Array>; readonly name: string },
): Projection {
  let previous: ReadonlyMap<string, Float32Array> = new Map();
  const project: Projection["project"] = async (weights, { refit = true } = {}) => {
    const packed = layers.map((layer): [string, MaskedIntegers] => {
      const mask = masks?.get(layer.name);
      const scales = refit ? undefined : previous.get(layer.name);
      return [layer.name, { ...integerTensor(layer, weights.get(layer.name)!, { bitWidth, mask, scales }), mask }];
    });
    previous = new Map(packed.map(([layer, { scales }]) => [layer, scales]));
    return rebuilt(weights, new Map(packed));
  };
  return {
    name,
    project,
    state: () => new Map([...previous].map(([layer, scales]) => [layer, tensor("float32", [scales.length], scales)])),
    restore: (tensors) => {
      previous = new Map([...tensors].map(([layer, scales]) => [layer, tensorData(scales, layer) as Float32Array]));
    },
  };
}

function rebuilt(
  weights: ReadonlyMap<string, Tensor>,
  compressed: ReadonlyMap<string, PackedTensor>,
): ProjectedWeights {
  const all = new Map(weights);
  for (const [name, packed] of compressed) all.set(name, unpackTensor(packed));
  return { weights: all, tensors: packedTensors(weights, compressed) };
}

function zerosOf(layers: readonly WeightLayer[]): Map<string, Tensor> {
  return new Map(
    layers.map(({ name, shape, isTransposed }) => {
      const { outputChannels, inputChannels, kernelHeight, kernelWidth } = shape;
      const inputs = inputChannels * kernelHeight * kernelWidth;
      const dimensions = isTransposed
        ? [inputs, outputChannels]
        : [outputChannels, inputChannels, kernelHeight, kernelWidth];
      return [name, tensor("float32", dimensions, new Float32Array(outputChannels * inputs))];
    }),
  );
}

// Exact counts of bit-operations, by layer and product: how many images each layer computed at which precision.

import { internalError } from "@dovetail/core";
import { z } from "zod";
import { type OperandBits, type Products, productCosts, productNames } from "./cost.js";
import type { CountedLayer } from "./layers.js";

const operandBitsSchema = z.strictObject({
  weightBits: z.number(),
  activationBits: z.number(),
  gradientBits: z.number(),
});

const imagesAtSchema = z.strictObject({ bits: operandBitsSchema, images: z.number().int().nonnegative() });

/** Images that a layer computed at a precision. */
export interface ImagesAt {
  readonly bits: OperandBits;
  readonly images: number;
}

/** Work of one layer, in float32-equivalent multiply–accumulates (bits of both operands multiplied, over 32²). */
export interface LayerCount extends Products {
  readonly name: string;
  readonly precisions: readonly ImagesAt[];
}

/** What a counter has seen. */
export interface BitCount {
  readonly steps: number;
  readonly layers: readonly LayerCount[];
  /** Over all layers and products. */
  readonly total: number;
  /** What the same products cost in float32 for all images, skipped or not. */
  readonly float32Total: number;
}

export const bitCounterStateSchema = z.strictObject({
  steps: z.number().int().nonnegative(),
  images: z.number().int().nonnegative(),
  layers: z.array(z.array(imagesAtSchema)),
});

export type BitCounterState = z.output<typeof bitCounterStateSchema>;

export interface BitCounter {
  /** Adds a step of `batchSize` images; `precisionsOf` gives how many of them a layer computed at which precision. */
  add(batchSize: number, precisionsOf: (layer: CountedLayer) => readonly ImagesAt[]): void;
  /** Steps added so far. */
  steps(): number;
  read(): BitCount;
  state(): BitCounterState;
  restore(state: BitCounterState): void;
}

const keyOf = ({ weightBits, activationBits, gradientBits }: OperandBits): string =>
  `${weightBits}/${activationBits}/${gradientBits}`;

export function createBitCounter(layers: readonly CountedLayer[]): BitCounter {
  let seen = layers.map(() => new Map<string, ImagesAt>());
  let steps = 0;
  let images = 0;
  return {
    add(batchSize, precisionsOf) {
      steps += 1;
      images += batchSize;
      layers.forEach((layer, index) => {
        for (const added of precisionsOf(layer)) {
          const key = keyOf(added.bits);
          const before = seen[index]!.get(key)?.images ?? 0;
          seen[index]!.set(key, { bits: added.bits, images: before + added.images });
        }
      });
    },
    steps: () => steps,
    read() {
      const counts = layers.map((layer, index) => countOf(layer, [...seen[index]!.values()]));
      return {
        steps,
        layers: counts,
        total: counts.reduce((sum, count) => sum + totalOf(count), 0),
        float32Total:
          layers.reduce((sum, { macs, hasErrorProduct }) => sum + macs * (hasErrorProduct ? 3 : 2), 0) * images,
      };
    },
    state: () => ({ steps, images, layers: seen.map((precisions) => [...precisions.values()]) }),
    restore(state) {
      if (state.layers.length !== layers.length) {
        throw internalError(
          "bit_counter",
          `a count of ${state.layers.length} layers for a network of ${layers.length}`,
        );
      }
      steps = state.steps;
      images = state.images;
      seen = state.layers.map((precisions) => new Map(precisions.map((entry) => [keyOf(entry.bits), entry])));
    },
  };
}

/** A layer's work from the images at each precision. */
export function countOf({ name, macs, hasErrorProduct }: CountedLayer, precisions: readonly ImagesAt[]): LayerCount {
  const work = (product: keyof Products): number =>
    precisions.reduce((sum, { bits, images }) => sum + macs * images * productCosts(bits)[product], 0);
  return {
    name,
    precisions,
    forward: work("forward"),
    error: hasErrorProduct ? work("error") : 0,
    gradient: work("gradient"),
  };
}

export function totalOf(figures: Products): number {
  return productNames.reduce((sum, name) => sum + figures[name], 0);
}

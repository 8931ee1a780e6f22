// Whether a projected network has every property of its form, and whether the error falls as it should.

import {
  decomposeLayer,
  filtersOf,
  keptRowsOf,
  packedTensors,
  storageOf,
  structureNetwork,
  type WeightLayer,
  weightLayersOf,
} from "@dovetail/compress";
import type { Tensor } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { z } from "zod";
import { checkForm, formCheckSchema } from "./form-check.js";

export const structureFactsSchema = z.object({
  layers: z.number(),
  compressionRate: z.number(),
  ...formCheckSchema.shape,
  /** Share of the weights' sum of squares that is lost, without pruning: mean over the layers. */
  relativeSquaredError: z.number(),
  /** The same for more and more rounds, exponents, rows; and how often a layer's error rose. */
  byIterations: z.array(z.tuple([z.number(), z.number()])),
  byExponents: z.array(z.tuple([z.number(), z.number()])),
  byRows: z.array(z.tuple([z.number(), z.number()])),
  rises: z.number(),
});

export type StructureFacts = z.output<typeof structureFactsSchema>;

export function structureFacts(network: Network, weights: ReadonlyMap<string, Tensor>): StructureFacts {
  const layers = weightLayersOf(network.graph, weights);
  const { layers: structured, weights: rebuilt, relativeSquaredErrors } = structureNetwork(layers, weights);
  const tensors = packedTensors(weights, structured);
  return {
    layers: layers.length,
    compressionRate: storageOf(tensors).compressionRate,
    ...checkForm(network, { weights: rebuilt, tensors }),
    relativeSquaredError: mean([...relativeSquaredErrors.values()]),
    ...errorCurves(layers, weights),
  };
}

type Curve = [number, number][];

function errorCurves(layers: readonly WeightLayer[], weights: ReadonlyMap<string, Tensor>) {
  let rises = 0;
  const curve = (
    points: readonly number[],
    errorAt: (layer: WeightLayer, filters: Float32Array, point: number) => number,
  ): Curve => {
    const byLayer = layers.map((layer) => {
      const filters = filtersOf(layer, weights.get(layer.name)!);
      return points.map((point) => errorAt(layer, filters, point));
    });
    for (const errors of byLayer) {
      for (let index = 1; index < errors.length; index++) if (errors[index]! > errors[index - 1]! * (1 + 1e-9)) rises++;
    }
    return points.map((point, index) => [point, mean(byLayer.map((errors) => errors[index]!))]);
  };
  const byIterations = curve(
    [0, 2, 8, 32],
    ({ shape }, filters, iterations) => decomposeLayer(filters, shape, { iterations }).relativeSquaredError,
  );
  const byExponents = curve(
    [1, 2, 3, 5, 7],
    ({ shape }, filters, exponents) =>
      decomposeLayer(filters, shape, { exponents, iterations: 8 }).relativeSquaredError,
  );
  const byRows = curve([0.25, 0.5, 0.75, 1], ({ shape, operator }, filters, share) => {
    const keptRows = keptRowsOf(
      filters,
      shape,
      { by: "share", share: 1 - share, groupFilters: 1 },
      operator !== "Conv",
    );
    return decomposeLayer(filters, shape, { keptRows, iterations: 8 }).relativeSquaredError;
  });
  return { byIterations, byExponents, byRows, rises };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

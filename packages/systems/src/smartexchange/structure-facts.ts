// Whether a projected network has every property of its form, after it was saved and read again, and whether the error
// falls as it should.

import {
  annotateCompressed,
  decodePacked,
  decomposeLayer,
  encodePacked,
  filtersOf,
  keptRowsOf,
  packedTensors,
  storageOf,
  structureNetwork,
  unpackTensor,
  type WeightLayer,
  weightLayersOf,
} from "@dovetail/compress";
import { modelOf, readModel, type Tensor, writeModel } from "@dovetail/graph";
import { exportModel, type Network } from "@dovetail/models";
import { z } from "zod";

export const structureFactsSchema = z.object({
  layers: z.number(),
  compressionRate: z.number(),
  /** Of the packed file, beyond the bits that are counted. */
  headerBytes: z.number(),
  fileBytes: z.number(),
  /** Weights that differ from those evaluated after reading the packed file, and the exported model. */
  changedInFile: z.number(),
  changedInModel: z.number(),
  /** Coefficients that are neither 0 nor one of seven powers of two, or elements of a basis beyond 8 bit. */
  outsideForm: z.number(),
  /** Layers whose annotation in the exported model is not what their file takes. */
  wrongAnnotations: z.number(),
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
  const file = encodePacked({ tensors, graph: new Uint8Array(), metadata: {} });
  const read = decodePacked(file).tensors;
  const model = exportModel(network, rebuilt);
  const annotated = modelOf(annotateCompressed(model.graph, structured));
  const { graph } = readModel(writeModel(annotated));
  const { bits, compressionRate } = storageOf(tensors);
  const curves = errorCurves(layers, weights);
  const errors = [...relativeSquaredErrors.values()];
  return {
    layers: layers.length,
    compressionRate,
    fileBytes: file.length,
    headerBytes: file.length - Math.ceil(bits / 8),
    changedInFile: differences(rebuilt, (name) => unpackTensor(read.get(name)!)),
    changedInModel: differences(rebuilt, (name) => graph.initializers.get(name)!),
    outsideForm: [...structured.values()].reduce((sum, { layer }) => {
      const codes = layer.codes.filter((code) => Math.abs(code) > 7).length;
      return sum + codes + layer.bases.filter((element) => element === -128).length;
    }, 0),
    wrongAnnotations: layers.filter(({ name }) => {
      const form = graph.annotations.get(name)?.structured;
      const kept = structured.get(name)!.layer.codes;
      return form === undefined || form.nonZeroCoefficients !== kept.filter((code) => code !== 0).length;
    }).length,
    relativeSquaredError: mean(errors),
    ...curves,
  };
}

function differences(expected: ReadonlyMap<string, Tensor>, found: (name: string) => Tensor): number {
  let count = 0;
  for (const [name, tensor] of expected) {
    const [ours, theirs] = [bitsOf(tensor), bitsOf(found(name))];
    for (const [index, word] of ours.entries()) if (theirs[index] !== word) count++;
  }
  return count;
}

function bitsOf({ data }: Tensor): Uint32Array {
  return new Uint32Array((data as Float32Array).slice().buffer);
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

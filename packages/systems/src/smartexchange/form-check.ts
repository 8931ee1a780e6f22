// Whether a network in SmartExchange's form has every property of it after it was saved and read again.

import { isDeepStrictEqual } from "node:util";
import {
  annotateCompressed,
  basisOfRow,
  basisValues,
  coefficientValues,
  decodePacked,
  encodePacked,
  filtersOf,
  type PackedTensor,
  type StructuredLayer,
  storageOf,
  unpackTensor,
  weightLayersOf,
} from "@dovetail/compress";
import { type Graph, modelOf, readModel, type StructuredAnnotation, type Tensor, writeModel } from "@dovetail/graph";
import { exportModel, type Network } from "@dovetail/models";
import { z } from "zod";
import type { ProjectedWeights } from "./projection.js";

export const formCheckSchema = z.object({
  /** Of the packed file, beyond the bits that are counted. */
  headerBytes: z.number(),
  fileBytes: z.number(),
  /** Weights that differ from those evaluated after reading the packed file, and the exported model. */
  changedInFile: z.number(),
  changedInModel: z.number(),
  /**
   * In the file that was read: coefficients that are neither 0 nor one of seven powers of two, elements of a basis beyond 8
   * bit, weights that are not the product of both.
   */
  outsideForm: z.number(),
  /** Layers whose annotation in the exported model is not what the file that was read takes. */
  wrongAnnotations: z.number(),
});

export type FormCheck = z.output<typeof formCheckSchema>;

/** The packed tensors, and the graph of the exported model, as they were read again. */
interface Read {
  readonly tensors: ReadonlyMap<string, PackedTensor>;
  readonly graph: Graph;
}

/** Saves the weights packed and as a model, reads both, and counts what is not as it should be. */
export function checkForm(network: Network, projected: ProjectedWeights): FormCheck {
  const { fileBytes, ...read } = saveAndRead(network, projected);
  return {
    fileBytes,
    headerBytes: fileBytes - Math.ceil(storageOf(projected.tensors).bits / 8),
    ...compareForm(network, projected.weights, read),
  };
}

export function saveAndRead(
  network: Network,
  { weights, tensors }: ProjectedWeights,
): Read & { readonly fileBytes: number } {
  const file = encodePacked({ tensors, graph: new Uint8Array(), metadata: {} });
  const exported = exportModel(network, weights);
  const annotated = modelOf(annotateCompressed(exported.graph, tensors));
  const { graph } = readModel(writeModel(annotated));
  return { fileBytes: file.length, tensors: decodePacked(file).tensors, graph };
}

/** `weights` are those that were evaluated. */
export function compareForm(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  { tensors, graph }: Read,
): Omit<FormCheck, "fileBytes" | "headerBytes"> {
  const layers = weightLayersOf(network.graph, weights);
  return {
    changedInFile: differences(weights, (name) => unpackTensor(tensors.get(name)!)),
    changedInModel: differences(weights, (name) => graph.initializers.get(name)!),
    outsideForm: layers.reduce((sum, layer) => {
      const found = structuredOf(tensors.get(layer.name)!);
      return sum + outsideOf(found, filtersOf(layer, weights.get(layer.name)!));
    }, 0),
    wrongAnnotations: layers.filter(({ name }) => {
      const expected = annotationOf(structuredOf(tensors.get(name)!));
      return !isDeepStrictEqual({ ...graph.annotations.get(name)?.structured }, expected);
    }).length,
  };
}

function structuredOf(packed: PackedTensor): StructuredLayer {
  if (packed.kind === "structured") return packed.layer;
  throw new Error(`a layer was read as ${packed.kind}`);
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

function outsideOf(layer: StructuredLayer, filters: Float32Array): number {
  const { form, bases, shape } = layer;
  const { columns, rowsPerFilter, filterWeights } = form;
  const coefficients = coefficientValues(layer);
  const elements = basisValues(layer);
  let count = bases.filter((element) => Math.abs(element) > 127).length;
  for (const value of coefficients) {
    const exponent = Math.log2(Math.abs(value));
    if (value !== 0 && !(Number.isInteger(exponent) && exponent <= 0 && exponent >= -6)) count++;
  }
  for (let row = 0; row < shape.outputChannels * rowsPerFilter; row++) {
    const filter = Math.floor(row / rowsPerFilter);
    const first = (row % rowsPerFilter) * columns;
    const basis = basisOfRow(form, row) * columns ** 2;
    for (let column = 0; column < Math.min(columns, filterWeights - first); column++) {
      let product = 0;
      for (let inner = 0; inner < columns; inner++) {
        product += coefficients[row * columns + inner]! * elements[basis + inner * columns + column]!;
      }
      if (product !== filters[filter * filterWeights + first + column]) count++;
    }
  }
  return count;
}

/** What the layer takes, by the form's definition: 4 bits a coefficient, 8 a basis's element and scale. */
function annotationOf({ shape, form, codes }: StructuredLayer): StructuredAnnotation {
  const { columns } = form;
  const rows = shape.outputChannels * form.rowsPerFilter;
  const isKept = (_: unknown, row: number) =>
    codes.subarray(row * columns, (row + 1) * columns).some((code) => code !== 0);
  return {
    columns,
    rows,
    keptRows: Array.from({ length: rows }, isKept).filter((kept) => kept).length,
    bases: shape.outputChannels * form.piecesPerFilter,
    nonZeroCoefficients: codes.filter((code) => code !== 0).length,
    coefficientBitWidth: 4,
    basisBitWidth: 8,
    scaleBitWidth: 8,
  };
}

import type { Graph, Tensor } from "@dovetail/graph";
import { decomposeLayer } from "../decomposition/decompose-layer.js";
import type { DecompositionOptions } from "../decomposition/decompose-piece.js";
import { structuredAnnotation } from "../decomposition/structured-layer.js";
import { filtersOf, type WeightLayer } from "../layers/weight-layers.js";
import { type PackedTensor, type StructuredTensor, unpackTensor } from "../packed/packed-tensor.js";

export interface StructureOptions {
  /** Of all layers, or of each one. */
  readonly decomposition?: DecompositionOptions | ((layer: WeightLayer) => DecompositionOptions) | undefined;
  /** Rows that may differ from zero, of the layers that have an entry: see `keptRowsOf`. */
  readonly keptRows?: ReadonlyMap<string, Uint8Array> | undefined;
  /** The layers' forms before their weights changed: see `LayerDecompositionOptions`. */
  readonly previous?: ReadonlyMap<string, StructuredTensor> | undefined;
}

export interface StructuredNetwork {
  /** By the weight's name. */
  readonly layers: ReadonlyMap<string, StructuredTensor>;
  /** All weights, those of the layers as their structured form says. */
  readonly weights: Map<string, Tensor>;
  /** ‖W − W'‖² / ‖W‖² of each layer. */
  readonly relativeSquaredErrors: ReadonlyMap<string, number>;
}

/** Brings layers into SmartExchange's form: their projection. */
export function structureNetwork(
  layers: readonly WeightLayer[],
  weights: ReadonlyMap<string, Tensor>,
  options: StructureOptions = {},
): StructuredNetwork {
  const steps = structureLayers(layers, weights, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Weights that are done, of all. */
export interface StructureProgress {
  readonly done: number;
  readonly total: number;
}

/** `structureNetwork` layer by layer, for who shows progress or lets other work run in between. */
export function* structureLayers(
  layers: readonly WeightLayer[],
  weights: ReadonlyMap<string, Tensor>,
  { decomposition = {}, keptRows, previous }: StructureOptions = {},
): Generator<StructureProgress, StructuredNetwork, void> {
  const structured = new Map<string, StructuredTensor>();
  const errors = new Map<string, number>();
  const rebuilt = new Map(weights);
  const total = layers.reduce((sum, { name }) => sum + sizeOf(weights.get(name)!), 0);
  let done = 0;
  for (const weightLayer of layers) {
    const { name, shape, isTransposed } = weightLayer;
    const tensor = weights.get(name)!;
    const { layer, relativeSquaredError } = decomposeLayer(filtersOf(weightLayer, tensor), shape, {
      ...(typeof decomposition === "function" ? decomposition(weightLayer) : decomposition),
      keptRows: keptRows?.get(name),
      previous: previous?.get(name)?.layer,
    });
    const packed: StructuredTensor = { kind: "structured", dimensions: tensor.dimensions, isTransposed, layer };
    structured.set(name, packed);
    errors.set(name, relativeSquaredError);
    rebuilt.set(name, unpackTensor(packed));
    done += sizeOf(tensor);
    yield { done, total };
  }
  return { layers: structured, weights: rebuilt, relativeSquaredErrors: errors };
}

/** The graph with what is known of its compressed weights: their form, bits and zeros. */
export function annotateCompressed(graph: Graph, tensors: ReadonlyMap<string, PackedTensor>): Graph {
  const annotations = new Map(graph.annotations);
  for (const [name, packed] of tensors) {
    if (packed.kind === "plain") continue;
    const before = annotations.get(name);
    if (packed.kind === "structured") {
      annotations.set(name, { ...before, structured: structuredAnnotation(packed.layer) });
    } else {
      const { bitWidth, codes } = packed;
      const zeros = codes.reduce((sum, code) => sum + (code === 0 ? 1 : 0), 0);
      annotations.set(name, { ...before, bitWidth, sparsityFraction: zeros / codes.length });
    }
  }
  return { ...graph, annotations };
}

function sizeOf({ dimensions }: Tensor): number {
  return dimensions.reduce((product, size) => product * size, 1);
}
